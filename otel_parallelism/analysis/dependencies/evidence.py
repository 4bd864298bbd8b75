"""
Finds the call whose result first contained a value that is an argument of a later call, within one scope.

The first call whose result contains a value is its origin, unless the value occurs before in the user's messages, in an
argument or in an earlier result. If it also occurs in the user's messages, or may match by coincidence, the pair of
calls is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.pace import empty, paced, pause

from .contents.contained import first_containing
from .contents.matcher import ValueMatcher
from .contents.outcomes import Outcome
from .contents.reading_budget import TurnBudget, turn_budget
from .contents.values import values_of, values_of_messages
from .contents.wanted import Wanted
from .doubts.reasking import Doubt
from .effects.tool_verbs import words_in_name
from .guards import Guard
from .origins import Origins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Content
    from otel_parallelism.settings import Settings

    from .contents.comparables import Values

_LIST_ERRORS = frozenset({"errors", "exceptions", "failures", "logs", "alerts", "incidents", "warnings"})


class Evidence(msgspec.Struct, frozen=True):
    """
    What the contents of a scope's calls show.

    Attributes:
        edges: For each call, by the position of an earlier call, whether the need of it is proven (else possible), and
            a sentence that says why. Sentences never contain values.
        arguments_whole: For each call whether its arguments were read in full.
        results_whole: For each call whether its result was read in full.
        outcomes: The outcome that each call's result reports.
        explained_from_ns: For each call the time from which on all values of its arguments are known, if they are.
        lacks_origin: For each call whether a number, a date or an identifier of its arguments stands nowhere before.
        has_moment: For each call whether its arguments contain a date or a time.
        clocks: Bits of the calls that tell what time it is.
        guards: For each call the later calls that its result may decide about.
        seen: Bits of the calls whose results were seen, at least in part.
        selected: For each call bits of the calls whose results contain one of its arguments as a complete value.
        chosen: Likewise, but only of results that contain nothing else.
        doubts: For each call why it may have been asked for because of earlier calls, though no value was passed on.
    """

    edges: tuple[dict[int, tuple[bool, str]], ...]
    arguments_whole: tuple[bool, ...]
    results_whole: tuple[bool, ...]
    outcomes: tuple[Outcome, ...]
    explained_from_ns: tuple[int | None, ...]
    lacks_origin: tuple[bool, ...]
    has_moment: tuple[bool, ...]
    clocks: int
    guards: tuple[Guard, ...]
    seen: int
    selected: tuple[int, ...]
    chosen: tuple[int, ...]
    doubts: tuple[list[Doubt], ...]


def gather_evidence(
    calls: Sequence[Call], said: Sequence[Content], settings: Settings, budget: TurnBudget | None = None
) -> Evidence:
    """
    Compare the contents of *calls*.

    Args:
        calls: The calls of one scope in order of start.
        said: The user's messages so far, and for an inner scope the arguments of the enclosing calls.
        settings: ``max_leaves`` and ``max_content_bytes`` bound what is read of each.
        budget: What may be read of the whole turn. Messages and the latest results come first.
    """
    budget = budget or turn_budget(settings)
    leaves, size = settings.max_leaves, settings.max_content_bytes
    known: dict[str | float, Values] = {}
    given = budget.arguments
    arguments = [
        values_of(call.arguments, leaves, size, arguments=True, known=known, budget=given) for call in paced(calls)
    ]
    wanted = Wanted(arguments)
    heard = values_of_messages(said, leaves, size, wanted, budget.results)
    results = [values_of(call.result, leaves, size, wanted, budget=budget.results) for call in paced(calls[::-1])][::-1]
    matcher, origins = ValueMatcher(calls, heard), Origins(calls, arguments, heard)
    events = [(call.end_ns, 0, index) for index, call in enumerate(calls)]
    events += [(call.start_ns, 1, index) for index, call in enumerate(calls)]
    pause()
    for _, is_start, index in paced(sorted(events)):
        if is_start:
            matcher.start(index, arguments[index])
            origins.start(index, arguments[index])
        else:
            origins.end(index, arguments[index], results[index])
            matcher.end(index, arguments[index], results[index])
    for index, producer in first_containing(calls, arguments, results, heard):
        matcher.edge(index, producer, proven=False)
    pause()
    arguments_whole = tuple(values is not None and values.whole for values in arguments)
    results_whole = tuple(values is not None and values.whole for values in results)
    pause()
    evidence = Evidence(
        edges=tuple(matcher.edges),
        arguments_whole=arguments_whole,
        results_whole=results_whole,
        outcomes=tuple(_outcome_of(call.tool, values) for call, values in zip(calls, results, strict=True)),
        explained_from_ns=tuple(origins.explained_from_ns),
        lacks_origin=tuple(origins.lacks_origin),
        has_moment=tuple(one is not None and any(atom.kind == "moment" for atom in one.atoms) for one in arguments),
        clocks=origins.clocks,
        guards=tuple(origins.guards),
        seen=origins.seen,
        selected=tuple(origins.selected),
        chosen=tuple(origins.chosen),
        doubts=tuple(origins.doubts),
    )
    empty(arguments, results, events, known)
    wanted.forget()
    matcher.forget()
    origins.forget()
    pause()
    return evidence


def _outcome_of(tool: str, values: Values | None) -> Outcome:
    """Return what the result of *tool* reports. In a list that a tool for errors returns, errors are data."""
    if values is None:
        return ""
    listed = isinstance(values.value, list) and values.outcome == "failed"
    return "" if listed and not _LIST_ERRORS.isdisjoint(words_in_name(tool)) else values.outcome
