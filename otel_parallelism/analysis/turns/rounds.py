"""
Assigns calls to rounds: the calls that one model request requested.

A round is proved if the output of the request lists the id of the call, else inferred from the order of starts.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from typing import TYPE_CHECKING, Protocol

import msgspec

from otel_parallelism.model import Call, Interval, Step
from otel_parallelism.pace import ordered, paced

from .asked_calls import match_asked_calls, merged_responses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HELD_OPEN_NS = 5_000_000
_HELD_OPEN_SHARE = 0.05


class Rounds(msgspec.Struct, frozen=True):
    """
    The rounds of a turn's own calls.

    Attributes:
        calls: The calls with ``round``, ``proved``, ``bound`` and ``streamed`` set.
        steps: The model requests. A request whose span stayed open while its tools ran ends when its first call starts.
        unrequested: The span ids of calls that no recorded model request requested; the agent's code made them.
    """

    calls: tuple[Call, ...]
    steps: tuple[Step, ...] = ()
    unrequested: frozenset[str] = frozenset()


def assign_rounds(calls: Sequence[Call], steps: Sequence[Step], cycles: Mapping[str, Interval]) -> Rounds:
    """
    Assign a round to each of a turn's own *calls*, from *steps* if there are any, else from *cycles*.

    Args:
        calls: The turn's own calls in order of start.
        steps: The turn's model requests in order of start.
        cycles: The interval of a call's step-like parent, by the call's span id.

    Returns:
        The calls with their rounds, numbered from 0 in order of the requests.
    """
    if steps and calls:
        return _by_steps(*match_asked_calls(calls, steps))
    if cycles:
        return Rounds(calls=_by_cycles(calls, cycles), steps=tuple(steps))
    return Rounds(calls=tuple(calls), steps=tuple(steps))


def _by_steps(calls: Sequence[Call], steps: Sequence[Step]) -> Rounds:
    starts = [step.start_ns for step in paced(steps)]
    requesters: dict[str, list[int]] = {}
    for index, step in paced(enumerate(steps)):
        for call_id in step.requested or ():
            requesters.setdefault(call_id, []).append(index)
    requesting = [index for index, step in paced(enumerate(steps)) if step.requested != ()]
    requesting_starts_ns = [starts[index] for index in requesting]

    step_of: list[int | None] = []
    proved: list[bool] = []
    inferred: dict[int, list[str]] = {}
    proved_count: dict[int, int] = {}
    unrequested: set[str] = set()
    for call in paced(calls):
        candidates = requesters.get(call.call_id, ()) if call.call_id else ()
        before = bisect_right(candidates, call.start_ns, key=starts.__getitem__)
        if before:
            requester = candidates[before - 1]
            step_of.append(requester)
            proved.append(True)
            proved_count[requester] = proved_count.get(requester, 0) + 1
            continue
        proved.append(False)
        latest = bisect_right(requesting_starts_ns, call.start_ns) - 1
        last = bisect_right(starts, call.start_ns) - 1
        index = requesting[latest] if latest >= 0 else last
        step_of.append(index if index >= 0 else None)
        if index >= 0:
            inferred.setdefault(index, []).append(call.span_id)
            if call.call_id and steps[index].requested is not None:
                unrequested.add(call.span_id)
    for index, ids in paced(inferred.items()):
        requested = steps[index].requested
        # More calls follow than the request requested, so which of them it requested is unknown.
        if requested is not None and len(ids) + proved_count.get(index, 0) > len(requested):
            unrequested.update(ids)

    each = list(range(len(steps)))
    several = len(proved_count) > 1  # else there is nothing to merge
    asked_by = [at if sure else None for at, sure in paced(zip(step_of, proved, strict=True))] if several else []
    whole = merged_responses(steps, asked_by, [call.start_ns for call in paced(calls)]) if several else each
    if whole != each:
        steps, step_of = _joined_steps(steps, whole), [None if at is None else whole[at] for at in step_of]
    placed, answered = _numbered(calls, steps, step_of, proved)
    kept = tuple([answered[at] for at in each if whole[at] == at])
    return Rounds(calls=placed, steps=kept, unrequested=frozenset(unrequested))


def _joined_steps(steps: Sequence[Step], whole: Sequence[int]) -> list[Step]:
    """Return *steps*, each first step of a response with what the other spans of the response tell."""
    joined = list(steps)
    for at, first in paced(enumerate(whole)):
        if first != at:
            one, other = joined[first], steps[at]
            tokens = [step.input_tokens for step in (one, other) if step.input_tokens is not None]
            joined[first] = msgspec.structs.replace(
                one,
                end_ns=max(one.end_ns, other.end_ns),
                requested=tuple(dict.fromkeys((*(one.requested or ()), *(other.requested or ())))),
                input_tokens=max(tokens, default=None),
                messages=one.messages or other.messages,
            )
    return joined


def _numbered(
    calls: Sequence[Call], steps: Sequence[Step], step_of: Sequence[int | None], proved: Sequence[bool]
) -> tuple[tuple[Call, ...], list[Step]]:
    last_end: dict[int, int] = {}
    for call, at in paced(zip(calls, step_of, strict=True)):
        if at is not None:
            last_end[at] = max(last_end.get(at, 0), call.end_ns)
    number = {at: n for n, at in enumerate(sorted(last_end))}
    placed = []
    answered = list(steps)
    for call, at, sure in paced(zip(calls, step_of, proved, strict=True)):
        if at is None:
            placed.append(call)
            continue
        step = steps[at]
        during = step.start_ns <= call.start_ns < step.end_ns
        early = during and _before_response_ended(step, last_end[at])
        asked = sure or step.streams
        placed.append(
            msgspec.structs.replace(
                call, round=number[at], proved=sure, bound=early and not asked, streamed=early and asked
            )
        )
        if not early and during and call.start_ns < answered[at].end_ns:
            answered[at] = msgspec.structs.replace(step, end_ns=call.start_ns)
    return tuple(placed), answered


def _before_response_ended(step: Step, last_end_ns: int) -> bool:
    """
    Return whether a call that started during *step* did so while the model was still streaming its answer.

    Some frameworks keep the span of a request open until its tools are done. Such a span ends just after the last call
    and does not show when the answer was complete. Those that start calls early do not.
    """
    if step.streams:
        return True
    slack_ns = max(_HELD_OPEN_NS, int(_HELD_OPEN_SHARE * (step.end_ns - step.start_ns)))
    return not 0 <= step.end_ns - last_end_ns <= slack_ns


def _by_cycles(calls: Sequence[Call], cycles: Mapping[str, Interval]) -> tuple[Call, ...]:
    """Number the step-like parents; those that overlap in time, such as one node per call, are one round."""
    spans = sorted({(cycle.start_ns, cycle.end_ns) for cycle in cycles.values()})
    starts: list[int] = []
    reached_ns = 0
    for start_ns, end_ns in paced(spans):
        if not starts or start_ns >= reached_ns:
            starts.append(start_ns)
        reached_ns = max(reached_ns, end_ns)
    placed = []
    for call in paced(calls):
        cycle = cycles.get(call.span_id)
        if cycle is None:
            placed.append(call)
        else:
            placed.append(msgspec.structs.replace(call, round=bisect_right(starts, cycle.start_ns) - 1))
    return tuple(placed)


class InRound(Protocol):
    """A call, or what the schedule needs of one: when it ran, and its round."""

    @property
    def start_ns(self) -> int:
        """The start, inclusive."""
        ...

    @property
    def end_ns(self) -> int:
        """The end, exclusive."""
        ...

    @property
    def round(self) -> int | None:
        """The number of the round; None if it is unknown."""
        ...


def gaps_ns(calls: Sequence[InRound]) -> dict[int, int]:
    """
    Return for each round the time since the end of the round before it, in nanoseconds: the model's time.

    Args:
        calls: The turn's own calls in order of start.
    """
    numbers, first, last = _extents(calls)
    return {after: max(0, first[after] - last[before]) for before, after in paced(itertools.pairwise(numbers))}


def pauses_between_rounds(calls: Sequence[InRound]) -> list[Interval]:
    """Return the intervals from the end of one round to the start of the next; *calls* are those of `gaps_ns`."""
    numbers, first, last = _extents(calls)
    return [
        Interval(last[before], first[after])
        for before, after in paced(itertools.pairwise(numbers))
        if first[after] > last[before]
    ]


def _extents(calls: Sequence[InRound]) -> tuple[list[int], dict[int, int], dict[int, int]]:
    """Return the numbers of the known rounds in order, and the first start and the last end of each."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for call in paced(calls):
        if call.round is not None and call.end_ns > call.start_ns:
            first[call.round] = min(first.get(call.round, call.start_ns), call.start_ns)
            last[call.round] = max(last.get(call.round, call.end_ns), call.end_ns)
    return ordered(first), first, last
