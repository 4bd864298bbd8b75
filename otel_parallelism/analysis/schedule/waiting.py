"""Signs of waiting: calls that queue behind one lock inside their spans, and a limit that spaces calls out."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Interval

from .intervals import concurrency

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_BATCH = 3
_STEP_TOLERANCE = 0.2
_FOLLOWS_NS = 5_000_000
_FOLLOWS_SHARE = 0.05
_LEAST_LIMIT = 2


class Contention(msgspec.Struct, frozen=True):
    """
    What calls would take without waiting inside their spans.

    ``baseline_ns`` maps a call's span id to that, where it is known to be less than the call's duration; ``batches``
    are the calls that end in a staircase, batch by batch.
    """

    baseline_ns: dict[str, int]
    batches: tuple[tuple[Call, ...], ...]

    def effective_work_ns(self, calls: Sequence[Call]) -> int:
        """Sum of the durations of *calls*, each no longer than its baseline."""
        return sum(min(call.duration_ns, self.baseline_ns.get(call.span_id, call.duration_ns)) for call in calls)


def contention(calls: Sequence[Call]) -> Contention:
    """
    Find what calls waited inside their spans.

    Where it was measured that is known (`waited_ns`). Else three or more calls of one tool that overlap and end one
    shortest duration apart (± 20 %) are taken to have waited for one another.

    Args:
        calls: One scope's, in order of start.
    """
    by_tool: dict[str, list[Call]] = {}
    for call in calls:
        if call.end_ns > call.start_ns and call.tool:
            by_tool.setdefault(call.tool, []).append(call)
    measured_ns = {call.span_id: call.duration_ns - waited for call in calls if (waited := waited_ns(call))}
    baseline_ns: dict[str, int] = {}
    batches = []
    for same in by_tool.values():
        for batch in _batches(same):
            shortest_ns = min(call.duration_ns for call in batch)
            ends = sorted(call.end_ns for call in batch)
            steps = [after - before for before, after in itertools.pairwise(ends)]
            if all(abs(step - shortest_ns) <= _STEP_TOLERANCE * shortest_ns for step in steps):
                batches.append(tuple(batch))
                baseline_ns.update(dict.fromkeys((call.span_id for call in batch), shortest_ns))
    return Contention({**baseline_ns, **measured_ns}, tuple(batches))


def waited_ns(call: Call) -> int:
    """
    How long *call* waited inside its span, as far as it was measured.

    A call of our own begins its span when its body does, so what it waited lies before it. But where somebody else's
    span around it is the same call, and so gives the interval, that waiting lies within.
    """
    if not call.queue_ns or not call.called_ns:
        return 0
    began_ns, ran_ns = max(call.called_ns, call.start_ns), min(call.called_ns + call.queue_ns, call.end_ns)
    return max(0, ran_ns - began_ns)


def _batches(calls: Sequence[Call]) -> list[list[Call]]:
    """Runs of calls in which each begins before the one that ends before it has ended."""
    found: list[list[Call]] = []
    batch: list[Call] = []
    for call in sorted(calls, key=lambda call: (call.end_ns, call.start_ns, call.span_id)):
        if batch and call.start_ns >= batch[-1].end_ns:
            found.append(batch)
            batch = []
        batch.append(call)
    found.append(batch)
    return [batch for batch in found if len(batch) >= _LEAST_BATCH]


class Limit(msgspec.Struct, frozen=True):
    """How many calls ran at once at most, and the indices of the calls that were spaced out by it."""

    most: int
    members: tuple[int, ...]


def limit(calls: Sequence[Call], members: Sequence[int]) -> Limit | None:
    """
    See whether the calls at *members* ran under a limit of P ≥ 2 at once.

    The overlap reaches P and never more, there are more than P calls, and of the starts after the first P most
    follow an end within 5 ms or 5 % of the median duration, each its own: an end frees one place. An end while fewer
    than P ran frees none that was waited for; P may have run until just before, where several end together.
    """
    some = [index for index in members if calls[index].end_ns > calls[index].start_ns]
    levels = concurrency([calls[index] for index in some])
    most = max((level for _, level in levels), default=0)
    if most < _LEAST_LIMIT or len(some) <= most:
        return None
    near_ns = max(_FOLLOWS_NS, int(_FOLLOWS_SHARE * median(calls[index].duration_ns for index in some)))
    full = [Interval(at_ns, after_ns) for (at_ns, level), (after_ns, _) in itertools.pairwise(levels) if level == most]
    ends = [end_ns for end_ns in sorted(calls[index].end_ns for index in some) if _just_in(full, end_ns, near_ns)]
    follow = position = 0
    for index in some[most:]:
        start_ns = calls[index].start_ns
        while position < len(ends) and ends[position] < start_ns - near_ns:
            position += 1
        if position < len(ends) and ends[position] <= start_ns:
            follow += 1
            position += 1
    return Limit(most, tuple(some)) if 2 * follow > len(some) - most else None


def _just_in(intervals: Sequence[Interval], at_ns: int, near_ns: int) -> bool:
    """Whether one of *intervals*, in order, holds the time just before *at_ns*, or ended no more than *near_ns* ago."""
    last = bisect_left(intervals, at_ns, key=lambda interval: interval.start_ns) - 1
    return last >= 0 and intervals[last].end_ns >= at_ns - near_ns
