"""Which calls one model request asked for: proved by ids in its output, else inferred from what started before."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Interval, Step, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HELD_OPEN_NS = 5_000_000
_HELD_OPEN_SHARE = 0.05


class Rounds(msgspec.Struct, frozen=True):
    """
    The rounds of one turn's own calls.

    ``calls`` are the same calls with ``round``, ``proved`` and ``bound`` filled in; ``steps`` the same model requests,
    each over when its first call began if its span was only held open. ``unasked`` are the span ids of calls that no
    visible model request asked for: code made them.
    """

    calls: tuple[Call, ...]
    steps: tuple[Step, ...] = ()
    unasked: frozenset[str] = frozenset()


def assign(calls: Sequence[Call], steps: Sequence[Step], cycles: Mapping[str, Interval]) -> Rounds:
    """
    Give each of a turn's own *calls* its round.

    Args:
        calls: The turn's own calls in order of start.
        steps: The turn's model requests in order of start.
        cycles: For calls that have one, the interval of their step-like parent, by the call's span id.

    Returns:
        The calls with their rounds, numbered from 0 in order of their steps.
    """
    if steps and calls:
        return _by_steps(calls, steps)
    if cycles:
        return Rounds(calls=_by_cycles(calls, cycles), steps=tuple(steps))
    return Rounds(calls=tuple(calls), steps=tuple(steps))


def _by_steps(calls: Sequence[Call], steps: Sequence[Step]) -> Rounds:
    starts = [step.start_ns for step in steps]
    asked_by: dict[str, list[int]] = {}
    for index, step in enumerate(steps):
        for call_id in step.requested or ():
            asked_by.setdefault(call_id, []).append(index)
    asking = [index for index, step in enumerate(steps) if step.requested != ()]
    asking_starts = [starts[index] for index in asking]

    step_of: list[int | None] = []
    proved: list[bool] = []
    inferred: dict[int, list[str]] = {}
    proved_count: dict[int, int] = {}
    unasked: set[str] = set()
    for call in calls:
        candidates = asked_by.get(call.call_id, ()) if call.call_id else ()
        before = [index for index in candidates if starts[index] <= call.start_ns]
        if before:
            step_of.append(before[-1])
            proved.append(True)
            proved_count[before[-1]] = proved_count.get(before[-1], 0) + 1
            continue
        proved.append(False)
        latest = bisect_right(asking_starts, call.start_ns) - 1
        last = bisect_right(starts, call.start_ns) - 1
        index = asking[latest] if latest >= 0 else last
        step_of.append(index if index >= 0 else None)
        if index >= 0:
            inferred.setdefault(index, []).append(call.span_id)
            if call.call_id and steps[index].requested is not None:
                unasked.add(call.span_id)
    for index, ids in inferred.items():
        requested = steps[index].requested
        # A request that asked for two tools cannot have asked for the three that follow it.
        if requested is not None and len(ids) + proved_count.get(index, 0) > len(requested):
            unasked.update(ids)

    placed, answered = _numbered(calls, steps, step_of, proved)
    return Rounds(calls=placed, steps=answered, unasked=frozenset(unasked))


def _numbered(
    calls: Sequence[Call], steps: Sequence[Step], step_of: Sequence[int | None], proved: Sequence[bool]
) -> tuple[tuple[Call, ...], tuple[Step, ...]]:
    number = {index: n for n, index in enumerate(sorted({i for i in step_of if i is not None}))}
    last_end: dict[int, int] = {}
    for call, at in zip(calls, step_of, strict=True):
        if at is not None:
            last_end[at] = max(last_end.get(at, 0), call.end_ns)
    placed = []
    answered = list(steps)
    for call, at, sure in zip(calls, step_of, proved, strict=True):
        if at is None:
            placed.append(call)
            continue
        streamed = _streamed(call, steps[at], last_end[at])
        placed.append(msgspec.structs.replace(call, round=number[at], proved=sure, bound=streamed))
        if not streamed and steps[at].start_ns <= call.start_ns < answered[at].end_ns:
            answered[at] = msgspec.structs.replace(steps[at], end_ns=call.start_ns)
    return tuple(placed), tuple(answered)


def _streamed(call: Call, step: Step, last_end_ns: int) -> bool:
    """
    Whether *call* started while its request was still being answered.

    A span that some frameworks hold open until their tools are done ends just after the last of them, which says
    nothing about the answer.
    """
    if not step.start_ns <= call.start_ns < step.end_ns:
        return False
    slack_ns = max(_HELD_OPEN_NS, int(_HELD_OPEN_SHARE * (step.end_ns - step.start_ns)))
    return not 0 <= step.end_ns - last_end_ns <= slack_ns


def _by_cycles(calls: Sequence[Call], cycles: Mapping[str, Interval]) -> tuple[Call, ...]:
    """Number the step-like parents; ones that overlap in time (a node per call, say) are one round."""
    spans = sorted({(cycle.start_ns, cycle.end_ns) for cycle in cycles.values()})
    starts: list[int] = []
    reached_ns = 0
    for start_ns, end_ns in spans:
        if not starts or start_ns >= reached_ns:
            starts.append(start_ns)
        reached_ns = max(reached_ns, end_ns)
    placed = []
    for call in calls:
        cycle = cycles.get(call.span_id)
        if cycle is None:
            placed.append(call)
        else:
            placed.append(msgspec.structs.replace(call, round=bisect_right(starts, cycle.start_ns) - 1))
    return tuple(placed)


def gaps_ns(calls: Sequence[Call]) -> dict[int, int]:
    """
    The time between each round and the one before it, in nanoseconds: what the model took to ask for it.

    Args:
        calls: Own calls in order of start, of any rounds.
    """
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for call in calls:
        if call.round is not None and call.end_ns > call.start_ns:
            first.setdefault(call.round, call.start_ns)
            first[call.round] = min(first[call.round], call.start_ns)
            last[call.round] = max(last.get(call.round, call.end_ns), call.end_ns)
    numbers = sorted(first)
    return {after: max(0, first[after] - last[before]) for before, after in itertools.pairwise(numbers)}


def unseen_ns(calls: Sequence[Call], turn: Turn) -> tuple[int, ...]:
    """
    When the model was asked again after it had asked for what no call tells of: a hand-off to another agent, say.

    Args:
        calls: The turn's own; where one of them is not proved, nothing is told, for ids may not be the same ones.
        turn: With its steps in order of start, and the calls of all scopes.
    """
    if not all(call.proved for call in calls):
        return ()
    seen = {call.call_id for call in turn.calls}
    return tuple(
        after.start_ns for step, after in itertools.pairwise(turn.steps) if not seen.issuperset(step.requested or ())
    )
