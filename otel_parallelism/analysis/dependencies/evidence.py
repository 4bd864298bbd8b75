"""
Finds the call whose result first contained a value that is an argument of a later call, within one scope.

The first call whose result contains a value is its origin, unless the value occurs before in the user's messages, in an
argument or in an earlier result. If it also occurs in the user's messages, or may match by coincidence, the pair of
calls is unknown.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from otel_parallelism.pace import empty, ordered, paced, pause

from .call_groups import asked_at_once
from .comments.asked_matters import AskedMatters
from .contents.contained import first_containing, first_naming
from .contents.matcher import ValueMatcher, chain_edges
from .contents.reading_budget import TurnBudget, turn_budget
from .contents.user_messages import values_of_messages
from .contents.values import values_of
from .contents.wanted import NOTHING, Wanted
from .effects.tool_verbs import words_in_name
from .handed_values import hand_identifiers_on, may_hand_values_on
from .origins import Origins, OriginSearch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_parallelism.model import Call, Content
    from otel_parallelism.settings import Settings

    from .contents.comparables import Values
    from .contents.outcomes import Outcome

_LIST_ERRORS = frozenset({"errors", "exceptions", "failures", "log", "logs", "alerts", "incidents", "warnings"})


class Evidence:
    """
    What the contents of a scope's calls show.

    Attributes:
        edges: For each call, by the position of an earlier call, whether the need of it is proven (else possible), and
            a sentence that says why. Sentences never contain values.
        arguments_whole: For each call whether its arguments were read in full.
        results_whole: For each call whether its result was read in full.
        outcomes: Whether each call failed, by its span or its result, or found nothing.
        completed: Returns the evidence with all edges, which has read all contents; None if this one has all.
        is_chain: Whether each call is known to need a value of the one before, as in `may_hand_values_on`.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        arguments: list[Values | None],
        results: list[Values | None],
        heard: list[Values],
        edges: list[dict[int, tuple[bool, str]]],
    ) -> None:
        """
        Keep what was read until `forget`.

        Args:
            calls: The calls of one scope in order of start.
            arguments: The values of each call's arguments; empty if contents were not read, and `completed` reads them.
            results: The values of each call's result; likewise.
            heard: The values of the user's messages.
            edges: As above.
        """
        self.completed: Callable[[], Evidence] | None = None
        self.is_chain: bool = False
        self._calls = calls
        self._is_unread = len(arguments) < len(calls)
        self._arguments, self._results, self._heard = arguments, results, heard
        self.edges: list[dict[int, tuple[bool, str]]] = edges

    # The following are found out when they are first needed: many scopes do not need them.

    @cached_property
    def _whole(self) -> Evidence:
        return self if self.completed is None else self.completed()

    @cached_property
    def arguments_whole(self) -> tuple[bool, ...]:  # noqa: D102 - see above
        if self._is_unread:
            return self._whole.arguments_whole
        return tuple([one is not None and one.whole for one in paced(self._arguments)])

    @cached_property
    def results_whole(self) -> tuple[bool, ...]:  # noqa: D102 - see above
        if self._is_unread:
            return self._whole.results_whole
        return tuple([one is not None and one.whole for one in paced(self._results)])

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:  # noqa: D102 - see above
        if self._is_unread:
            return self._whole.outcomes
        read = zip(self._calls, self._results, strict=True)
        return tuple(["failed" if call.error else _outcome_of(call.tool, values) for call, values in paced(read)])

    @cached_property
    def origins(self) -> Origins:
        """Where the calls' arguments come from."""
        if self.completed is not None:
            return self._whole.origins
        arguments, results = self._arguments, self._results
        if not any(paced(arguments)) and not any(paced(results)):
            return Origins(len(self._calls))
        found = OriginSearch(self._calls, arguments, self._heard)
        events = in_time_order(self._calls)
        for is_start, index in paced(events):
            if is_start:
                found.start(index, arguments[index])
            else:
                found.end(index, arguments[index], results[index])
        empty(events)
        found.forget_search()
        return found

    @cached_property
    def matters(self) -> AskedMatters:
        """What the user named."""
        return self._whole.matters if self._is_unread else AskedMatters(self._calls, self._arguments, self._heard)

    def forget(self) -> None:
        """Forget everything, with pauses."""
        if "origins" in vars(self):
            self.origins.forget()
        empty(self._arguments, self._results, self.edges)
        if self.completed is not None and "_whole" in vars(self):
            self._whole.forget()


def gather_evidence(
    calls: Sequence[Call],
    said: Sequence[Content],
    settings: Settings,
    budget: TurnBudget | None = None,
    *,
    brief: bool = False,
) -> Evidence:
    """
    Compare the contents of *calls*.

    Args:
        calls: The calls of one scope in order of start.
        said: The user's messages so far, and for an inner scope the arguments of the enclosing calls.
        settings: ``max_leaves`` and ``max_content_bytes`` bound what is read of each.
        budget: What may be read of the whole turn. Messages and the latest results come first.
        brief: Whether edges are left out that change nothing: between calls that were asked for at once, and beside a
            chain of all calls in which each has a value of the one before.
    """
    if not said and all(call.arguments is call.result is None for call in paced(calls)):
        nothing: list[Values | None] = [None] * len(calls)
        return Evidence(calls, nothing, nothing, [], [{} for _ in paced(calls)])
    budget = budget or turn_budget(settings)
    if brief and (asked_at_once(calls) or may_hand_values_on(calls)):
        before = budget.copy()
        found = _briefly_compared(calls, said, settings, budget)
        if found is not None:
            found.completed = partial(_compared, calls, said, settings, before)
            return found
        budget.reset(before)
    return _compared(calls, said, settings, budget)


def _briefly_compared(
    calls: Sequence[Call], said: Sequence[Content], settings: Settings, budget: TurnBudget
) -> Evidence | None:
    """Return evidence with the edges that matter, if the calls were asked for at once or are a proven chain."""
    if asked_at_once(calls):
        arguments, heard, results = _read(calls, said, settings, budget, NOTHING)
        return Evidence(calls, arguments, results, heard, [{} for _ in paced(calls)])
    if hand_identifiers_on(calls, said, settings.max_leaves, settings.max_content_bytes):
        unread = Evidence(calls, [], [], [], chain_edges(calls))
        unread.is_chain = True
        return unread
    chain = _compared(calls, said, settings, budget, brief=True)
    chain.is_chain = all(edges.get(index - 1, (False,))[0] for index, edges in paced(enumerate(chain.edges)) if index)
    if chain.is_chain:
        return chain
    chain.forget()
    return None


def _compared(
    calls: Sequence[Call], said: Sequence[Content], settings: Settings, budget: TurnBudget, *, brief: bool = False
) -> Evidence:
    arguments, heard, results = _read(calls, said, settings, budget, brief=brief)
    matcher = ValueMatcher(calls, heard)
    pause()
    events = in_time_order(calls)
    for is_start, index in paced(events):
        if is_start:
            matcher.start(index, arguments[index])
        else:
            matcher.end(index, arguments[index], results[index])
    empty(events)
    for first in () if brief else (first_containing, first_naming):
        for index, producer in first(calls, arguments, results, heard):
            matcher.edge(index, producer, proven=False)
    pause()
    evidence = Evidence(calls, arguments, results, heard, matcher.edges)
    matcher.forget()
    pause()
    return evidence


def _read(
    calls: Sequence[Call],
    said: Sequence[Content],
    settings: Settings,
    budget: TurnBudget,
    wanted: Wanted | None = None,
    *,
    brief: bool = False,
) -> tuple[list[Values | None], list[Values], list[Values | None]]:
    """Return the values of the arguments, messages and results; only those *wanted*, by default of the arguments."""
    leaves, size = settings.max_leaves, settings.max_content_bytes
    known: dict[str | float, Values] = {}
    given = budget.arguments
    arguments = [
        values_of(call.arguments, leaves, size, wanted, arguments=True, brief=brief, known=known, budget=given)
        for call in paced(calls)
    ]
    own = Wanted(arguments) if wanted is None else wanted
    heard = values_of_messages(said, leaves, size, own, budget.results)
    # No call can have a value from a result that was returned after the last start.
    last_ns = max((call.start_ns for call in paced(calls)), default=0)
    results = [
        values_of(call.result, leaves, size, own if call.end_ns <= last_ns else NOTHING, budget=budget.results)
        for call in paced(calls[::-1])
    ][::-1]
    pause()
    empty(known)
    if wanted is None:
        own.forget()
    return arguments, heard, results


def in_time_order(calls: Sequence[Call]) -> list[tuple[bool, int]]:
    """Return starts and ends of *calls* up to the last start: whether each is a start, and the call's position."""
    events = [(call.end_ns, False, index) for index, call in paced(enumerate(calls))]
    events += [(call.start_ns, True, index) for index, call in paced(enumerate(calls))]
    events = ordered(events)
    while events and not events[-1][1]:
        events.pop()
    found = [(is_start, index) for _, is_start, index in paced(events)]
    empty(events)
    return found


def _outcome_of(tool: str, values: Values | None) -> Outcome:
    """Return what the result of *tool* reports. In a list that a tool for errors returns, errors are data."""
    if values is None:
        return ""
    listed = isinstance(values.value, list) and values.outcome == "failed"
    return "" if listed and not _LIST_ERRORS.isdisjoint(words_in_name(tool)) else values.outcome
