"""
The program's own time between calls, and the calls of a scope without it.

In this time no call of the scope runs, and no model request is known to explain it. The program may compute, sleep for
a rate limit, or prepare the next call. So it is never promised as saved: it is taken out before calls are moved, and
added as a whole to the length that results.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism.analysis.turns.rounds import gaps_ns, pauses_between_rounds
from otel_parallelism.model import Call, Interval
from otel_parallelism.pace import empty, paced

from .intervals import union

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.model import Turn


class CallTiming(msgspec.Struct, frozen=True, gc=False):
    """What the schedule needs to know of a call: when it ran, its round, and whether a response delayed its start."""

    start_ns: int
    end_ns: int
    round: int | None = None
    bound: bool = False
    streamed: bool = False


class Timeline(msgspec.Struct, frozen=True):
    """
    The calls of one scope on a timeline without the program's own time.

    Attributes:
        calls: The calls in their order; no duration changes.
        gaps_ns: The time that the model took before each round.
        own_ns: The time that was taken out.
        keeps_pauses: Whether a call that waits for another keeps the longest pause between them where a round is
            unknown. It does if pauses were left in, because the model may have used them to ask for the call.
    """

    calls: Sequence[Call | CallTiming]
    gaps_ns: Mapping[int, int]
    own_ns: int = 0
    keeps_pauses: bool = False

    def forget(self) -> None:
        """Forget the calls, with pauses, unless they are the scope's own."""
        calls: Any = self.calls
        if calls and type(calls[0]) is CallTiming:
            empty(calls)


def shows_pauses(turn: Turn) -> bool:
    """Return whether *turn* shows model requests or callers. If not, a pause between calls may be the model's time."""
    return bool(turn.steps) or any(call.caller is not None for call in paced(turn.calls))


def observed_timeline(calls: Sequence[Call]) -> Timeline:
    """Return *calls*, the calls of one scope in order of start, as they ran."""
    return Timeline(calls, gaps_ns(calls), keeps_pauses=True)


def working_timeline(calls: Sequence[Call]) -> Timeline:
    """Return *calls*, the calls of one scope in order of start, without the program's own time."""
    own = own_times(calls)
    if not own:
        return Timeline(calls, gaps_ns(calls))
    starts_ns = [interval.start_ns for interval in paced(own)]
    before_ns = [0, *itertools.accumulate(interval.duration_ns for interval in paced(own))]

    def moved_ns(at_ns: int) -> int:
        passed = bisect_right(starts_ns, at_ns)
        inside_ns = max(0, own[passed - 1].end_ns - at_ns) if passed else 0
        return at_ns - before_ns[passed] + inside_ns

    moved = [
        CallTiming(moved_ns(call.start_ns), moved_ns(call.end_ns), call.round, call.bound, call.streamed)
        for call in paced(calls)
    ]
    return Timeline(moved, gaps_ns(moved), before_ns[-1])


def own_times(calls: Sequence[Call]) -> tuple[Interval, ...]:
    """
    Return when none of *calls* ran between their first start and last end, without the pauses between known rounds.

    Args:
        calls: The calls of one scope, in order of start.
    """
    busy = union(calls)
    idle = [Interval(one.end_ns, after.start_ns) for one, after in paced(itertools.pairwise(busy))]
    return tuple(_without(idle, union(pauses_between_rounds(calls)))) if idle else ()


def _without(intervals: Iterable[Interval], removed: Sequence[Interval]) -> Iterable[Interval]:
    """Yield *intervals* less the time in *removed*; both are disjoint and in order."""
    position = 0
    for interval in paced(intervals):
        start_ns = interval.start_ns
        while position < len(removed) and removed[position].start_ns < interval.end_ns:
            out = removed[position]
            if out.start_ns > start_ns:
                yield Interval(start_ns, out.start_ns)
            start_ns = max(start_ns, out.end_ns)
            if out.end_ns >= interval.end_ns:
                break
            position += 1
        if start_ns < interval.end_ns:
            yield Interval(start_ns, interval.end_ns)
