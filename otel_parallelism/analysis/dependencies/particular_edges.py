"""
The relation of two calls, and the edges between particular calls.

These follow from declared needs, span links, retries, values passed on, and possible reactions.
The other edges of the graph follow from effects alone and are found for groups of calls at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from otel_parallelism.pace import ordered, paced, pause

from .effects import Edge
from .reactions import cautious_repeats, possible_reactions
from .repeats import arguments_form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_parallelism.model import Call

    from .contents.outcomes import Outcome

PairVerdict: TypeAlias = Literal["dependent", "independent", "unknown"]


class Pair(msgspec.Struct, frozen=True):
    """
    The relation of two calls, where the first ended before the second started.

    ``verdict`` considers data only. ``edge`` considers data and effects: the order is ``hard`` (must be kept),
    ``unknown`` (may have to be kept) or ``none`` (is free). ``evidence`` is a sentence that says why.
    """

    verdict: PairVerdict
    edge: Edge
    evidence: str


ParticularEdges: TypeAlias = dict[int, tuple[bool, str]]
"""By the position of an earlier call: whether the later call is proven to need it, and a sentence that says why."""

_MAX_NAMED = 256


def particular_edges(
    calls: Sequence[Call], outcomes: Sequence[Outcome], values: Sequence[Mapping[int, tuple[bool, str]]]
) -> list[ParticularEdges]:
    """
    Return the edges of each of *calls* to earlier ones.

    Args:
        calls: The calls of one scope in order of (start, end, id).
        outcomes: The outcome of each call.
        values: The edges that the contents of the calls show. They do not count for a call that declares its needs.
    """
    edges: list[ParticularEdges] = []
    past = _EndedCalls(calls)
    pause()
    by_id = {call.span_id: index for index, call in enumerate(calls)}
    pause()
    reactions = possible_reactions(calls, outcomes)
    by_end = ordered(range(len(calls)), key=lambda index: calls[index].end_ns)
    ended = 0
    for index, call in paced(enumerate(calls)):
        while by_end[ended] < index and calls[by_end[ended]].end_ns <= call.start_ns:
            past.add(by_end[ended], failed=outcomes[by_end[ended]] == "failed")
            ended += 1
        if call.depends_on is None:
            found = past.observed(call, values[index], reactions.get(index, ()))
        else:
            found = past.declared(call.tool, call.depends_on)
        for link in call.links:
            earlier = by_id.get(link, index)
            if earlier < index and calls[earlier].end_ns <= call.start_ns:
                found[earlier] = (True, f"{call.tool} links to {calls[earlier].tool}")
        edges.append(found)
    return edges


def cautious_edges(calls: Sequence[Call], outcomes: Sequence[Outcome]) -> dict[int, tuple[int, str]]:
    """Return `cautious_repeats`, without calls that declare their needs, or other resources than the call before."""
    return {
        later: (earlier, why)
        for later, (earlier, why) in cautious_repeats(calls, outcomes).items()
        if calls[later].depends_on is None and not have_different_resources(calls[earlier], calls[later])
    }


class _EndedCalls:
    """The calls that have ended so far, by tool and by request."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._by_tool: dict[str, list[int]] = {}
        self._failed: dict[str, list[tuple[int, int]]] = {}
        self._corrected: dict[str, list[int]] = {}
        self._by_request: dict[tuple[int, str] | None, list[tuple[int, bool]]] = {}

    def add(self, index: int, *, failed: bool) -> None:
        call = self._calls[index]
        self._by_tool.setdefault(call.tool, []).append(index)
        request = _request(call)
        if request is not None:
            self._by_request.setdefault(request, []).append((index, failed))
        if failed:
            self._failed.setdefault(call.tool, []).append((call.end_ns, index))
        elif call.tool in self._failed:
            # A successful call is the retry of the calls that had failed when it started, and ends the retries. It is
            # no retry of calls that the model requested together with it.
            kept, own = [], arguments_form(call.arguments)
            for end_ns, before in paced(self._failed[call.tool]):
                if end_ns > call.start_ns or in_same_proved_round(self._calls[before], call):
                    kept.append((end_ns, before))
                elif own != arguments_form(self._calls[before].arguments):
                    self._corrected.setdefault(call.tool, []).append(before)
            self._failed[call.tool] = kept

    def declared(self, tool: str, needs: Sequence[str]) -> ParticularEdges:
        """Return the edges of a call of *tool* that declares that it *needs* the results of these tools."""
        return {
            earlier: (True, f"{tool} is declared to need {needed}")
            for needed in needs
            for earlier in self._by_tool.get(needed, ())[-_MAX_NAMED:]
        }

    def observed(
        self, call: Call, values: Mapping[int, tuple[bool, str]], reactions: Sequence[tuple[int, str]]
    ) -> ParticularEdges:
        """Return the edges of a call that declares nothing: values, reactions, and retries."""
        found = dict(values)
        for earlier, why in reactions:
            found.setdefault(earlier, (False, why))
        for _, earlier in self._failed.get(call.tool, ())[-_MAX_NAMED:]:
            found[earlier] = (True, f"{call.tool} was tried again after it failed")
        # What helped the first time may be why the next call is made in the same way.
        for earlier in self._corrected.get(call.tool, ())[-_MAX_NAMED:]:
            found.setdefault(earlier, (False, f"{call.tool} failed, and was called in another way since"))
        for earlier, failed in self._by_request.get(_request(call), ())[-_MAX_NAMED:]:
            # Without ids from the provider, some clients use the tool's name: two requests may then have one id.
            how = "ran again" if failed else "may have run again"
            found.setdefault(earlier, (failed, f"{call.tool} {how} for what the model asked for once"))
        return {
            earlier: edge
            for earlier, edge in found.items()
            if not in_same_proved_round(self._calls[earlier], call)
            and not have_different_resources(self._calls[earlier], call)
        }


def in_same_proved_round(a: Call, b: Call) -> bool:
    """Return whether the model requested both calls in one response, and *b* is no further attempt at *a*."""
    together = a.proved and b.proved and a.round is not None and a.round == b.round
    return together and not (a.call_id and a.call_id == b.call_id)


def have_different_resources(a: Call, b: Call) -> bool:
    """Return whether both calls declare a resource and the resources differ."""
    return bool(a.resource and b.resource and a.resource != b.resource)


def _request(call: Call) -> tuple[int, str] | None:
    """Return the key of the model's request for *call*: calls with one id in one proved round are attempts at it."""
    return (call.round, call.call_id) if call.proved and call.round is not None and call.call_id else None
