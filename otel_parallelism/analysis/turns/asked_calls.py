"""
Matches calls without ids with the calls that the model asked for, by tool and arguments.

Some instrumentations record no call ids, and some models give none. A model's answer still names tools and arguments:
the first call of that tool with those arguments, between this answer and the next, is the call that it asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from otel_parallelism.long_numbers import text_of
from otel_parallelism.model import AskedCall, Call, Step
from otel_parallelism.pace import paced

from .counterparts import same_tool

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_ASKED = 256
"""How many calls of one answer are matched."""


class Matched(NamedTuple):
    """Calls and model requests after the matching, in the given order."""

    calls: tuple[Call, ...]
    steps: tuple[Step, ...]


def match_asked_calls(calls: Sequence[Call], steps: Sequence[Step]) -> Matched:
    """
    Give each of *calls* that an answer asked for the id by which the answer asked for it.

    Calls that are listed by their id already stay as they are. An answer without ids gets ids of its own. A call
    without known arguments is matched by its tool only where the answer asks for just as many calls of the tool.

    Args:
        calls: A turn's own calls, in order of start.
        steps: Its model requests, in order of start.
    """
    if all(step.answer is None for step in paced(steps)):
        return Matched(tuple(calls), tuple(steps))
    listed = {call_id for step in paced(steps) for call_id in step.requested or ()}
    open_calls = [call for call in paced(calls) if not call.call_id or call.call_id not in listed]
    if not open_calls:
        return Matched(tuple(calls), tuple(steps))
    known = {call.call_id for call in paced(calls) if call.call_id in listed}
    asking_ns = [step.start_ns for step in paced(steps) if step.requested != ()]
    starts_ns = [call.start_ns for call in paced(open_calls)]
    ids: dict[str, str] = {}
    matched_steps: list[Step] = []
    for step in paced(steps):
        asked = [] if step.requested == () else asked_by(step)
        waiting = {place: call for place, call in enumerate(asked) if not call.call_id or call.call_id not in known}
        if waiting:
            following = bisect_left(asking_ns, step.start_ns + 1)
            first = bisect_left(starts_ns, step.start_ns)
            last = bisect_left(starts_ns, asking_ns[following]) if following < len(asking_ns) else len(starts_ns)
            candidates = [call for call in open_calls[first:last] if call.span_id not in ids]
            for place, call in _pairs(waiting, candidates):
                ids[call.span_id] = asked[place].call_id or call.call_id or f"{step.span_id}#{place}"
                asked[place] = msgspec.structs.replace(asked[place], call_id=ids[call.span_id])
        matched_steps.append(_with_ids(step, asked))
    if not ids:
        return Matched(tuple(calls), tuple(steps))
    named = tuple(
        msgspec.structs.replace(call, call_id=ids[call.span_id]) if call.span_id in ids else call
        for call in paced(calls)
    )
    return Matched(named, tuple(matched_steps))


def asked_by(step: Step) -> list[AskedCall]:
    """Return the calls that the answer of *step* asks for, in order; empty if it was not captured whole."""
    answer = step.answer
    if answer is None or answer.parse is None or not answer.whole:
        return []
    found = answer.parse(answer.value)
    calls = [call for call in found if isinstance(call, AskedCall)] if isinstance(found, Sequence) else []
    return calls if len(calls) <= _MAX_ASKED else []


def _with_ids(step: Step, asked: Sequence[AskedCall]) -> Step:
    """Return *step* with the ids of *asked*; those that no call was matched with get an id that no call has."""
    if not asked or step.requested is not None:
        return step
    ids = (call.call_id or f"{step.span_id}#{place}" for place, call in enumerate(asked))
    return msgspec.structs.replace(step, requested=tuple(dict.fromkeys(ids)))


def _pairs(asked: Mapping[int, AskedCall], candidates: Sequence[Call]) -> list[tuple[int, Call]]:
    """Return the places of *asked* calls, each with its call among *candidates*."""
    pairs: list[tuple[int, Call]] = []
    left = list(candidates)
    unmatched: dict[int, AskedCall] = {}
    given: dict[str, object] = {}
    for place, wanted in asked.items():
        found = next((at for at, call in enumerate(left) if _is_asked(wanted, call, given)), None)
        if found is None:
            unmatched[place] = wanted
        else:
            pairs.append((place, left.pop(found)))
    return pairs + _pairs_by_tool(unmatched, left)


def _pairs_by_tool(asked: Mapping[int, AskedCall], calls: Sequence[Call]) -> list[tuple[int, Call]]:
    """Return pairs of *asked* and *calls* whose arguments cannot be compared, where a tool has as many of both."""
    pairs: list[tuple[int, Call]] = []
    for tool in dict.fromkeys(wanted.tool for wanted in asked.values()):
        places = [place for place, wanted in asked.items() if wanted.tool == tool]
        same = [call for call in calls if same_tool(call.tool, tool) and _may_be(asked[places[0]], call)]
        unclear = all(asked[place].arguments is None for place in places) or all(
            call.arguments is None or not call.arguments.whole for call in same
        )
        if len(places) == len(same) and unclear:
            pairs += zip(places, same, strict=True)
    return pairs


def _is_asked(wanted: AskedCall, call: Call, given: dict[str, object]) -> bool:
    """Return whether *call* has the tool and the arguments of *wanted*; *given* caches plain arguments."""
    if not same_tool(wanted.tool, call.tool) or not _may_be(wanted, call) or wanted.arguments is None:
        return False
    if call.arguments is None or not call.arguments.whole:
        return False
    if call.span_id not in given:
        given[call.span_id] = call.arguments.data()
    return _equal_arguments(wanted.arguments, given[call.span_id])


def _may_be(wanted: AskedCall, call: Call) -> bool:
    return not (wanted.call_id and call.call_id and wanted.call_id != call.call_id)


def _equal_arguments(wanted: object, given: object) -> bool:
    """Return whether *given* are the *wanted* arguments; a framework may have added defaults to them."""
    if isinstance(wanted, Mapping) and isinstance(given, Mapping):
        return all(name in given and _equal(value, given[name]) for name, value in wanted.items()) and (
            bool(wanted) or not given
        )
    return _equal(wanted, given)


def _equal(one: object, other: object) -> bool:
    return one == other or text_of(one) == text_of(other) != ""


def merged_responses(steps: Sequence[Step], step_of: Sequence[int | None], starts_ns: Iterable[int]) -> list[int]:
    """
    Return for each of *steps* the first step of the response that it belongs to, as positions.

    The model is asked again only when all that it asked for has been answered. So requests that are over before the
    first call that they asked for starts are one response, told in several spans.

    Args:
        steps: The model requests in order of start.
        step_of: The position of the request that asked for each call; None if it is not proved.
        starts_ns: The start of each call.
    """
    first_call_ns: dict[int, int] = {}
    for at, start_ns in paced(zip(step_of, starts_ns, strict=True)):
        if at is not None:
            first_call_ns[at] = min(first_call_ns.get(at, start_ns), start_ns)
    whole = list(range(len(steps)))
    last: int | None = None
    for at in paced(sorted(first_call_ns)):
        if last is not None and steps[at].end_ns <= first_call_ns[last]:
            whole[at] = whole[last]
            first_call_ns[at] = min(first_call_ns[at], first_call_ns[last])
        last = at
    return whole
