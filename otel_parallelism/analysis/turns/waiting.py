"""
Waiting inside calls: for a person, and for one another.

Waiting for a person, as in an approval, is no call's work and no loss. It is recorded on the calls and the turn in
which it passes, and removed before anything is measured. Overlapping calls waited for one another if the spans inside
them never overlap and fill the time.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, CallTotals, Interval, Passage, Step, Turn, TurnSpan
from otel_parallelism.pace import paced

from .counterparts import TOLERANCE_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_parallelism.model import Observation

    from .tree import Tree

_FEWEST = 2
_DEEPEST = 4
_FILLED = 0.8
_LEAST_OVERLAP = 1.25
_HANDED_OVER = 0.02


def waiting_inside(tree: Tree) -> dict[str, tuple[Interval, ...]]:
    """
    Return the times of waiting for a person in each turn and call, by span id.

    A wait inside a call is one of all calls and turns around it too.
    """
    found: dict[str, list[Interval]] = {}
    for span in paced(tree.spans.values()):
        if type(span) is not Passage or not span.waiting or span.end_ns <= span.start_ns:
            continue
        at = tree.inside[span.span_id]
        while at:
            around = tree.spans[at]
            wait = Interval(max(span.start_ns, around.start_ns), min(span.end_ns, around.end_ns))
            if wait.duration_ns and type(around) in (Call, TurnSpan):
                found.setdefault(at, []).append(wait)
            at = tree.inside[at]
    return {span_id: _united(waits) for span_id, waits in found.items()}


def note_serial_work(tree: Tree) -> None:
    """Record how long calls of *tree* waited for one another, as time in a queue."""
    inside = _spans_inside(tree)
    scopes: dict[str, list[Call]] = {}
    for span_id in paced(inside):
        call = tree.spans[span_id]
        if type(call) is Call and not call.queue_ns:
            scopes.setdefault(tree.inside[span_id], []).append(call)
    for calls in scopes.values():
        for batch in paced(_overlapping(calls)):
            levels = ({call.span_id: _united(inside[call.span_id][at]) for call in batch} for at in range(_DEEPEST))
            work = next((level for level in levels if _is_serial(batch, level)), {})
            for call in batch if work else ():
                done_ns = min(call.duration_ns, sum(part.duration_ns for part in work[call.span_id]))
                tree.spans[call.span_id] = msgspec.structs.replace(
                    call, queue_ns=call.duration_ns - done_ns, called_ns=call.start_ns, serial_inside=True
                )


def _spans_inside(tree: Tree) -> dict[str, list[list[Interval]]]:
    """Return the times of the spans inside each call, by the call's id and by their depth below it, the least first."""
    found: dict[str, list[list[Interval]]] = {}
    for span_id, holder in paced(tree.inside.items()):
        span = tree.spans[span_id]
        if type(tree.spans.get(holder)) is Call and span.end_ns > span.start_ns:
            depth = _depth_below(tree, span, holder)
            if depth <= _DEEPEST:
                levels = found.setdefault(holder, [[] for _ in range(_DEEPEST)])
                levels[depth - 1].append(Interval(span.start_ns, span.end_ns))
    return found


def _depth_below(tree: Tree, span: Observation, holder: str) -> int:
    """Return how many levels *span* is below the call *holder*; more than `_DEEPEST` if it is deeper."""
    depth = 1
    while span.parent_id != holder and depth <= _DEEPEST and span.parent_id in tree.spans:
        span = tree.spans[span.parent_id]
        depth += 1
    return depth


def _overlapping(calls: list[Call]) -> list[list[Call]]:
    """Return the batches of *calls* in which each overlaps another one, without batches of fewer than `_FEWEST`."""
    batches: list[list[Call]] = []
    reached_ns = 0
    for call in sorted(calls, key=lambda call: (call.start_ns, call.end_ns, call.span_id)):
        if not batches or call.start_ns >= reached_ns:
            batches.append([])
        batches[-1].append(call)
        reached_ns = max(reached_ns, call.end_ns)
    return [batch for batch in batches if len(batch) >= _FEWEST]


def _is_serial(batch: list[Call], work: Mapping[str, tuple[Interval, ...]]) -> bool:
    """Return whether the *work* inside overlapping calls, by span id, never overlaps and fills their common time."""
    if not all(work.values()):
        return False
    lasted_ns = max(call.end_ns for call in batch) - batch[0].start_ns
    if sum(call.duration_ns for call in batch) < _LEAST_OVERLAP * lasted_ns:
        return False
    parts = sorted((part for parts in work.values() for part in parts), key=lambda part: (part.start_ns, part.end_ns))
    apart = all(one.end_ns <= other.start_ns + TOLERANCE_NS for one, other in itertools.pairwise(parts))
    filled = apart and sum(part.duration_ns for part in parts) >= _FILLED * lasted_ns
    return filled and (len(batch) > _FEWEST or _is_handed_over(batch, work))


def _is_handed_over(pair: list[Call], work: Mapping[str, tuple[Interval, ...]]) -> bool:
    """
    Return whether the second of two calls began its *work* just as the first one ended, and so did its last part.

    Of two calls, one may be at work while the other computes by chance.
    """
    first, second = sorted(pair, key=lambda call: work[call.span_id][0].start_ns)
    done_ns, began_ns = work[first.span_id][-1].end_ns, work[second.span_id][0].start_ns
    tolerance_ns = max(TOLERANCE_NS, int(_HANDED_OVER * (second.end_ns - first.start_ns)))
    pairs = (done_ns, first.end_ns), (done_ns, began_ns), (work[second.span_id][-1].end_ns, second.end_ns)
    return all(abs(one_ns - other_ns) <= tolerance_ns for one_ns, other_ns in pairs)


def without_waiting(turn: Turn) -> Turn:
    """
    Return *turn* as it would have run without waiting for a person.

    Times in which a call, or the turn, waited for a person while no other call and no model request was at work are
    cut out, and everything after them moves forward. A call that waited at its start or its end is shortened. Waiting
    in the middle of a call while others worked stays a part of the call. Once calls past the bound run, nothing is
    cut out, because only their totals are known.
    """
    past = turn.past_bound
    waits = [
        *turn.waiting,
        *(wait for call in [call for call in paced(turn.calls) if call.waiting] for wait in call.waiting),
    ]
    if past is not None and past.calls:
        waits = [Interval(wait.start_ns, min(wait.end_ns, past.since_ns)) for wait in waits]
        waits = [wait for wait in waits if wait.duration_ns]
    if not waits:
        return turn
    at_work: list[Interval] = [Interval(step.start_ns, step.end_ns) for step in turn.steps]
    for call in turn.calls:
        at_work += _without(Interval(call.start_ns, call.end_ns), call.waiting)
    timeline = _Timeline(_idle(_united(waits), _united(at_work)))
    return msgspec.structs.replace(
        turn,
        calls=tuple(timeline.shortened(call) for call in turn.calls),
        steps=tuple(timeline.moved(step) for step in turn.steps),
        start_ns=timeline.moved_ns(turn.start_ns),
        end_ns=timeline.moved_ns(turn.end_ns),
        waiting=(),
        past_bound=None if past is None else timeline.moved_totals(past),
    )


_end_ns = attrgetter("end_ns")


class _Timeline:
    """The time that is left after *removed* intervals, which are disjoint and in order."""

    def __init__(self, removed: Sequence[Interval]) -> None:
        self._removed = removed
        self._starts_ns = [interval.start_ns for interval in removed]
        self._before_ns = [0]
        for interval in removed:
            self._before_ns.append(self._before_ns[-1] + interval.duration_ns)

    def moved_ns(self, at_ns: int) -> int:
        """Return *at_ns* less the removed time before it."""
        passed = bisect_right(self._starts_ns, at_ns)
        if not passed:
            return at_ns
        inside_ns = max(0, self._removed[passed - 1].end_ns - at_ns)
        return at_ns - self._before_ns[passed] + inside_ns

    def moved(self, step: Step) -> Step:
        return msgspec.structs.replace(
            step, start_ns=self.moved_ns(step.start_ns), end_ns=self.moved_ns(max(step.start_ns, step.end_ns))
        )

    def moved_totals(self, totals: CallTotals) -> CallTotals:
        return msgspec.structs.replace(
            totals,
            since_ns=self.moved_ns(totals.since_ns),
            inner_since_ns=self.moved_ns(totals.inner_since_ns),
            end_ns=self.moved_ns(totals.end_ns),
        )

    def shortened(self, call: Call) -> Call:
        """Return *call* with its times on this timeline, without waiting at its start and its end."""
        start_ns, end_ns = call.start_ns, call.end_ns
        if call.waiting and call.waiting[0].start_ns <= start_ns:
            start_ns = min(end_ns, call.waiting[0].end_ns)
        if call.waiting and call.waiting[-1].end_ns >= end_ns:
            end_ns = max(start_ns, call.waiting[-1].start_ns)
        called_ns = min(call.called_ns, start_ns) if call.called_ns else 0
        return msgspec.structs.replace(
            call,
            start_ns=self.moved_ns(start_ns),
            end_ns=self.moved_ns(end_ns),
            called_ns=self.moved_ns(called_ns) if called_ns else 0,
            waiting=(),
        )


def _idle(waits: Iterable[Interval], at_work: Sequence[Interval]) -> list[Interval]:
    """Return the parts of *waits* in which nothing was *at_work*; both are disjoint and in order."""
    return [part for wait in waits for part in _without(wait, at_work)]


def _without(interval: Interval, removed: Sequence[Interval]) -> list[Interval]:
    """Return the parts of *interval* outside of *removed*, which are disjoint and in order."""
    parts: list[Interval] = []
    at_ns = interval.start_ns
    for other in removed[bisect_right(removed, at_ns, key=_end_ns) :]:
        if other.start_ns >= interval.end_ns:
            break
        if other.start_ns > at_ns:
            parts.append(Interval(at_ns, other.start_ns))
        at_ns = max(at_ns, other.end_ns)
    if at_ns < interval.end_ns:
        parts.append(Interval(at_ns, interval.end_ns))
    return parts


def _united(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return *intervals* joined where they overlap or touch, in order."""
    joined: list[Interval] = []
    for interval in sorted(intervals, key=lambda interval: (interval.start_ns, interval.end_ns)):
        if interval.end_ns <= interval.start_ns:
            continue
        if joined and interval.start_ns <= joined[-1].end_ns:
            joined[-1] = Interval(joined[-1].start_ns, max(joined[-1].end_ns, interval.end_ns))
        else:
            joined.append(interval)
    return tuple(joined)
