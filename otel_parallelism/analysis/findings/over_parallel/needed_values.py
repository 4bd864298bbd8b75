"""Calls of one batch that needed each other: one lacked a value that another of the batch returned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.dependencies.evidence import gather_evidence
from otel_parallelism.analysis.findings.advice import listing
from otel_parallelism.analysis.schedule.scopes import earlier_contents
from otel_parallelism.model import Content
from otel_parallelism.pace import paced
from otel_parallelism.patterns import LazyPattern

from .excess import Excess, overlap, seen_failure, seen_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope
    from otel_parallelism.model import Call, Turn
    from otel_parallelism.settings import Settings

_MOST_REPEATS = 64
_MOST_CALLS = 256
_MOST_BESIDE = 32
_PLACEHOLDER = LazyPattern(
    r"<[^<>]{1,80}>|\{\{?[^{}]{1,80}\}?\}|\$\{?[A-Za-z_][\w.\[\]]*\}?|\$\d[\w.\[\]]*|\[[A-Za-z][\w ]{1,60}\]"
    r"|__\w+__|placeholder\w*|to be (?:determined|filled(?: in)?)",
    re.IGNORECASE,
)


def needed_values(scope: Scope, turn: Turn, settings: Settings) -> Iterator[Excess]:
    """
    Yield each call that was made again with a value that another call of its batch had returned.

    There are two cases. A placeholder, or a missing argument with which the call failed, was filled with the value. Or
    the model requested both at once, the thing that the arguments name did not exist yet, and after the other call had
    returned it, the same arguments had success.

    Args:
        scope: The calls.
        turn: The turn. The value must stand in nothing that the user said.
        settings: Bounds on the contents that are read.
    """
    said = earlier_contents(turn, scope)
    if not said:
        return
    calls = scope.calls
    for first, again in _repeated_tools(calls):
        if first.arguments is None or again.arguments is None:
            continue
        beside = _batch_of(calls, first, again)
        needed = _needed(first, again) if beside else None
        source = None if needed is None else _source(calls, said, settings, first, again, needed, beside)
        if source is None:
            continue
        others_ns = max(one.end_ns for one in beside)
        asked = source.round is not None and again.round is not None and again.round != source.round
        yield Excess(
            calls=tuple(sorted((source, first, again), key=lambda one: (one.start_ns, one.end_ns, one.span_id))),
            evidence=f"{first.tool} ran beside {source.tool}, and had to run again with a value that {source.tool} "
            "returned",
            advice=(
                f"Have the model ask for {listing([first.tool])} only after {listing([source.tool])} has returned "
                "(say so in the system prompt)."
                if asked
                else f"Await {listing([source.tool])} before {listing([first.tool])}."
            ),
            scope_id=scope.scope_id,
            lost_ns=first.duration_ns,
            avoidable_ns=max(0, min(first.duration_ns, first.end_ns - others_ns)),
        )


def _repeated_tools(calls: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    """Yield each call with the next one of its tool that began after its end, for the first `_MOST_REPEATS`."""
    waiting: dict[str, list[Call]] = {}
    first_end_ns: dict[str, int] = {}
    found = 0
    for call in paced(calls):
        if not call.tool:
            continue
        open_calls = waiting.setdefault(call.tool, [])
        # Thousands of calls may be open: they are looked through only where one has ended.
        if open_calls and first_end_ns[call.tool] <= call.start_ns:
            ended = next(one for one in open_calls if one.end_ns <= call.start_ns)
            found += 1
            yield ended, call
            open_calls.remove(ended)
            first_end_ns[call.tool] = min((one.end_ns for one in open_calls), default=call.end_ns)
        open_calls.append(call)
        first_end_ns[call.tool] = min(first_end_ns.get(call.tool, call.end_ns), call.end_ns)
        if found >= _MOST_REPEATS:
            return


def _batch_of(calls: Sequence[Call], first: Call, again: Call) -> list[Call]:
    """Return the calls of other tools that ran beside *first* and had ended, without an error, before *again*."""
    found = [
        call
        for call in calls
        if call.tool != first.tool and call.end_ns <= again.start_ns and not call.error and overlap(call, first)
    ]
    return found[:_MOST_BESIDE]


def _needed(first: Call, again: Call) -> dict[object, object] | None:
    """Return the part of the arguments of *again* that *first* lacked; None if it is not certain that it did."""
    given, repeated = _parts(first), _parts(again)
    if given is None or not repeated or seen_failure(again):
        return None
    failure = seen_failure(first)
    if given == repeated:
        proved = first.proved and again.proved and first.round != again.round
        return repeated if proved and failure == "missing" else None
    filled = {key: value for key, value in repeated.items() if key not in given or given[key] != value}
    if set(given) - set(repeated) or not filled:
        return None
    before = [given.get(key) for key in filled]
    if all(isinstance(value, str) and _PLACEHOLDER.fullmatch(value.strip()) for value in before):
        return filled
    lacked = all(value is None or value == "" for value in before)
    return filled if lacked and failure in {"failed", "missing"} else None


def _parts(call: Call) -> dict[object, object] | None:
    """Return the arguments of *call* by name, or by position; None if they were not seen whole."""
    value = seen_value(call.arguments)
    if isinstance(value, list):
        return dict(enumerate(value))
    return value if isinstance(value, dict) else None


def _source(  # noqa: PLR0917 - what is known of the two calls
    calls: Sequence[Call],
    said: Sequence[Content],
    settings: Settings,
    first: Call,
    again: Call,
    needed: Mapping[object, object],
    beside: Sequence[Call],
) -> Call | None:
    """Return the call of the batch whose result brought what *again* *needed* into the turn; None if none did."""
    if given_alike(first, again) and not any(one.proved and one.round == first.round for one in beside):
        return None
    known = [call for call in calls if call is not first and call.end_ns <= again.start_ns]
    if len(known) >= _MOST_CALLS:
        return None
    last = msgspec.structs.replace(again, arguments=Content(_as_given(needed)))
    evidence = gather_evidence([*known, last], said, settings)
    proven = {at for at, (sure, _) in evidence.edges[-1].items() if sure}
    sources = [known[at] for at in proven]
    return sources[0] if len(sources) == 1 and sources[0] in beside else None


def _as_given(parts: Mapping[object, object]) -> object:
    """Return arguments by name or by position as an instrumentation records them."""
    return dict(parts) if all(type(key) is str for key in parts) else list(parts.values())


def given_alike(a: Call, b: Call) -> bool:
    """Return whether two calls were seen to have equal arguments."""
    one, other = seen_value(a.arguments), seen_value(b.arguments)
    return one is not None and type(one) is type(other) and one == other
