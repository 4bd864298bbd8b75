"""
Calls that wait inside their own spans.

That they waited in a queue, for the event loop or for one another is measured. That they waited behind one lock or a
rate limiter shows in their ends.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.pace import ordered, paced

from .loop_waits import LoopWaits, loop_waits, mostly_stalled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call

_LEAST_BATCH = 3
_LEAST_SERIAL = 2
_LEAST_STEPS = 2
_STEP_TOLERANCE = 0.2
_FEWEST_EVEN = 5
_EVEN_TOLERANCE = 0.05
_LEAST_TOLERANCE_NS = 2_000_000
_STEPS_PER_TOLERANCE = 5


class Contention(msgspec.Struct, frozen=True):
    """
    How long calls would take without waiting inside their spans.

    ``baseline_ns`` maps span ids to that duration, for calls that waited or are in a batch.
    ``batches`` are the positions of calls that appear to queue behind one lock or rate limiter, or whose inner spans
    ran one after another, batch by batch, in order of end.
    ``loop`` has the calls that held the event loop.
    """

    baseline_ns: dict[str, int]
    batches: tuple[tuple[int, ...], ...]
    loop: LoopWaits = LoopWaits()

    def effective_work_ns(self, calls: Sequence[Call]) -> int:
        """Return the sum of the durations of *calls*, each at most its baseline."""
        baseline_ns = self.baseline_ns
        return sum(min(call.duration_ns, baseline_ns.get(call.span_id, call.duration_ns)) for call in paced(calls))


def contention(calls: Sequence[Call]) -> Contention:
    """
    Find the time that calls waited inside their spans.

    A measured wait takes precedence: in a queue (`waited_ns`), or for the event loop (`loop_waits`). Otherwise three or
    more overlapping calls of one tool are taken to have waited for one another if their ends, or groups of ends, are
    one shortest duration apart (± 20 %), or five or more that started together if their ends are evenly apart.

    Args:
        calls: The calls of one scope, in order of start.
    """
    loop = loop_waits(calls)
    by_tool: dict[str, list[int]] = {}
    for index, call in paced(enumerate(calls)):
        if (
            call.end_ns > call.start_ns
            and call.tool
            and not call.serial_inside
            and call.span_id not in loop.baseline_ns
        ):
            by_tool.setdefault(call.tool, []).append(index)
    measured_ns = {
        call.span_id: call.duration_ns - waited_ns(call) for call in paced(calls) if call.queue_ns and waited_ns(call)
    }
    baseline_ns: dict[str, int] = {call.span_id: call.duration_ns for call in paced(calls) if call.serial_inside}
    batches = []
    for same_tool in [members for members in by_tool.values() if len(members) >= _LEAST_BATCH]:
        for batch in paced(_overlapping_batches(calls, same_tool)):
            some = [calls[index] for index in paced(batch)]
            step_ns = min(call.duration_ns for call in paced(some)) if places_inside(some) else even_step_ns(some)
            if step_ns and not mostly_stalled(some):
                batches.append(tuple(batch))
                baseline_ns.update(dict.fromkeys((calls[index].span_id for index in batch), step_ns))
    serial = [index for index, call in paced(enumerate(calls)) if call.serial_inside]
    batches += [tuple(batch) for batch in _overlapping_batches(calls, serial, least=_LEAST_SERIAL)] if serial else []
    for span_id, in_loop_ns in loop.baseline_ns.items():
        measured_ns[span_id] = min(in_loop_ns, measured_ns.get(span_id, in_loop_ns))
    return Contention({**baseline_ns, **measured_ns}, tuple(batches), loop)


def places_inside(batch: Sequence[Call]) -> int:
    """
    Return how many of *batch*, overlapping calls in order of end, could work at once while the others waited.

    With one place, each call ends a shortest duration after the one before. With more places, the calls started
    together, and end in full groups that are a shortest duration apart; only the last group may be smaller.

    Returns:
        0 if the ends show no such pattern.
    """
    shortest_ns = min(call.duration_ns for call in paced(batch))
    tolerance_ns = _STEP_TOLERANCE * shortest_ns
    groups = [1]
    for earlier, later in paced(itertools.pairwise(batch)):
        step_ns = later.end_ns - earlier.end_ns
        if abs(step_ns - shortest_ns) <= tolerance_ns:
            groups.append(1)
        elif 2 * step_ns <= tolerance_ns:
            groups[-1] += 1
        else:
            return 0
    places = groups[0]
    if any(size != places for size in groups[:-1]) or groups[-1] > places:
        return 0
    if places == 1:
        return 1
    together = max(call.start_ns for call in batch) - min(call.start_ns for call in batch) <= tolerance_ns
    return places if together and len(batch) >= _LEAST_STEPS * places else 0


def even_step_ns(batch: Sequence[Call]) -> int:
    """
    Return how far apart the ends of *batch* are: overlapping calls in order of end that started together.

    A rate limiter lets the first call pass at once and each other one a step after the one before. Five ends in even
    steps are no chance.

    Returns:
        0 if the calls are too few, the steps differ, or the first call took longer than a step.
    """
    if len(batch) < _FEWEST_EVEN:
        return 0
    step_ns = (batch[-1].end_ns - batch[0].end_ns) // (len(batch) - 1)
    tolerance_ns = max(_EVEN_TOLERANCE * step_ns, _LEAST_TOLERANCE_NS)
    starts_ns = [call.start_ns for call in paced(batch)]
    together = max(starts_ns) - min(starts_ns) <= tolerance_ns
    steps = (later.end_ns - earlier.end_ns for earlier, later in paced(itertools.pairwise(batch)))
    even = together and all(abs(step - step_ns) <= tolerance_ns for step in steps)
    return step_ns if even and batch[0].duration_ns <= step_ns and step_ns > _STEPS_PER_TOLERANCE * tolerance_ns else 0


def waited_ns(call: Call) -> int:
    """
    Return how long *call* waited inside its span, in nanoseconds; 0 if no wait was measured.

    Our own spans start when the body of the call starts, so the wait precedes them. When another instrumentation's
    span is merged with ours, the call has the longer interval of that span, which may contain the wait.
    """
    if not call.queue_ns or not call.called_ns:
        return 0
    wait_start_ns, wait_end_ns = max(call.called_ns, call.start_ns), min(call.called_ns + call.queue_ns, call.end_ns)
    return max(0, wait_end_ns - wait_start_ns)


def _overlapping_batches(
    calls: Sequence[Call], members: Sequence[int], *, least: int = _LEAST_BATCH
) -> list[list[int]]:
    """Split *members*, in order of end, where a call starts only after the previous one has ended."""
    found: list[list[int]] = []
    batch: list[int] = []
    for index in paced(ordered(members, key=lambda i: (calls[i].end_ns, calls[i].start_ns, calls[i].span_id))):
        if batch and calls[index].start_ns >= calls[batch[-1]].end_ns:
            found.append(batch)
            batch = []
        batch.append(index)
    found.append(batch)
    return [batch for batch in found if len(batch) >= least]
