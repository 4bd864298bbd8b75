"""
Which call of a scope needs which earlier one, must follow it, or may: the verdict and the edge of every pair.

Pairs are not compared one by one. Calls fall into a few classes (effect, resource, what of them was seen), a class
decides for all its members at once, and sets of calls are bits of one integer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from .classes import Classes, Edge, edge_of_effects, ended_before
from .effects import effect
from .evidence import Evidence, gather
from .reactions import careful, reactions
from .responses import Responses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Content, Effect, EffectSource
    from otel_parallelism.settings import Settings

    from .outcomes import Outcome

PairVerdict: TypeAlias = Literal["dependent", "independent", "unknown"]
_MOST_NAMED = 256


class Pair(msgspec.Struct, frozen=True):
    """
    What is known of two calls of which the first ended before the second began.

    ``verdict`` is about data alone, ``edge`` about data and effects together: hard (must keep its order), unknown
    (may have to), none (need not). ``evidence`` says how it is known.
    """

    verdict: PairVerdict
    edge: Edge
    evidence: str


class Dependencies:
    """
    The edges between *calls*, one scope's in order of (start, end, id).

    Bit ``a`` of ``hard[b]`` is set where b must not start before a has ended; of ``soft[b]`` where that is not
    known. ``after_hard[b]`` and ``after_any[b]`` add what follows through other calls.

    A model is asked again only when all that it asked for has been answered. So a call that needs one of an earlier
    round waits for all of that round, surely where both rounds are proved and perhaps where they are inferred:
    ``beside_hard`` and ``beside_soft`` are those bits of ``hard`` and ``soft`` that are there for nothing else. Rounds
    further up, which are followed through others anyway, are left out.

    ``unseen_ns`` are instants, in order, at which the model had been told of something that no call tells of. What it
    asked for from then on may come of that, or be another agent's.
    """

    def __init__(
        self, calls: Sequence[Call], said: Sequence[Content], settings: Settings, unseen_ns: Sequence[int] = ()
    ) -> None:
        self.calls = calls
        self._unseen_ns = unseen_ns
        self._starts_ns: list[int] = [call.start_ns for call in calls]
        self.evidence: Evidence = gather(calls, said, settings)
        judged = [effect(call, settings) for call in calls]
        self.effects: list[Effect] = [found for found, _ in judged]
        self.effect_sources: list[EffectSource] = [source for _, source in judged]
        outcomes: list[Outcome] = [self._outcome(index) for index in range(len(calls))]
        self.careful: dict[int, tuple[int, str]] = self._careful(outcomes)
        self.explicit: list[dict[int, tuple[bool, str]]] = self._explicit(outcomes)
        self._rounds = Responses(calls, proved=False)
        self._proved = Responses(calls, proved=True)
        self.hard: list[int] = []
        self.soft: list[int] = []
        self.beside_hard: list[int] = []
        self.beside_soft: list[int] = []
        self.after_hard: list[int] = []
        self.after_any: list[int] = []
        self._relate()

    def pair(self, earlier: int, later: int) -> Pair:
        """The verdict on ``calls[earlier]``, which ended before ``calls[later]`` began."""
        a, b = self.calls[earlier].tool, self.calls[later].tool
        if self.beside_hard[later] >> earlier & 1:
            why = f"the model asked for {a} together with what {b} had to wait for"
            return Pair(self._data(earlier, later)[0], "hard", why)
        if self.beside_soft[later] >> earlier & 1:
            why = f"perhaps the model had to see what {a} returned before it asked for {b}"
            return Pair(self._data(earlier, later)[0], "unknown", why)
        verdict, why = self._data(earlier, later)
        kind, because = self._effect_edge(earlier, later)
        if verdict == "dependent":
            return Pair(verdict, "hard", why)
        if kind == "hard":
            return Pair(verdict, "hard", because)
        if verdict == "unknown":
            return Pair(verdict, "unknown", why)
        return Pair(verdict, kind, because if kind == "unknown" else f"{why}; {because}")

    def _data(self, earlier: int, later: int) -> tuple[PairVerdict, str]:
        a, b = self.calls[earlier], self.calls[later]
        proven, why = self.explicit[later].get(earlier, (None, ""))
        if b.depends_on is not None or a.span_id in b.links:
            return ("dependent", why) if proven else ("independent", f"{b.tool} is declared to need no {a.tool}")
        if a.resource and b.resource and a.resource != b.resource:
            return "independent", "they are declared to use different resources"
        if _same_proved_round(a, b):
            return "independent", "the model asked for both in one response"
        if proven is not None:
            return ("dependent" if proven else "unknown"), why
        unseen = self._before_unseen(b) >> earlier & 1
        if self._seen(earlier, later) and not unseen:
            return "independent", f"no value that {a.tool} returned is an argument of {b.tool}"
        if unseen:
            why = f"between {a.tool} and {b.tool} the model asked for something that was not seen to run"
        else:
            why = f"what {a.tool} returned or what {b.tool} was given was not seen in full"
        return "unknown", why

    def _seen(self, earlier: int, later: int) -> bool:
        return self.evidence.results_whole[earlier] and self.evidence.arguments_whole[later]

    def _before_unseen(self, call: Call) -> int:
        """Bits of the calls between which and *call* the model asked for what is not seen."""
        last = bisect_right(self._unseen_ns, call.start_ns) - 1
        return (1 << bisect_left(self._starts_ns, self._unseen_ns[last])) - 1 if last >= 0 else 0

    def _effect_edge(self, earlier: int, later: int) -> tuple[Edge, str]:
        a, b = self.calls[earlier], self.calls[later]
        kind = _effects_edge(self.effects[earlier], a.resource, self.effects[later], b.resource)
        if kind != "hard" and self.careful.get(later, (-1, ""))[0] == earlier:
            return "unknown", self.careful[later][1]
        if kind == "hard":
            return kind, "both write" if not a.resource or a.resource != b.resource else f"both use {a.resource}"
        if kind == "unknown":
            unknown = [self.calls[i].tool for i in (earlier, later) if self.effects[i] == "unknown"]
            if unknown:
                return kind, f"whether {unknown[0]} only reads is not known"
            return kind, f"one of {a.tool} and {b.tool} writes"
        if a.resource and a.resource != b.resource:
            return kind, "their resources are declared to differ"
        assumed = "assumed" in {self.effect_sources[earlier], self.effect_sources[later]}
        return kind, "both only read" + (" (assumed from their names)" if assumed else "")

    def _careful(self, outcomes: Sequence[Outcome]) -> dict[int, tuple[int, str]]:
        """Edges that even calls of one response keep, unless something is declared about them."""
        return {
            later: (earlier, why)
            for later, (earlier, why) in careful(self.calls, outcomes).items()
            if self.calls[later].depends_on is None and not _disjoint(self.calls[earlier], self.calls[later])
        }

    def _explicit(self, outcomes: Sequence[Outcome]) -> list[dict[int, tuple[bool, str]]]:
        """Edges between particular calls: declared, linked, a retry, a value or an object handed on."""
        edges: list[dict[int, tuple[bool, str]]] = []
        past = _Past(self.calls)
        by_id = {call.span_id: index for index, call in enumerate(self.calls)}
        reacting = reactions(self.calls, outcomes)
        by_end = sorted(range(len(self.calls)), key=lambda i: (self.calls[i].end_ns, i))
        ended = 0
        for index, call in enumerate(self.calls):
            while by_end[ended] < index and self.calls[by_end[ended]].end_ns <= call.start_ns:
                past.add(by_end[ended], self.calls[by_end[ended]], failed=outcomes[by_end[ended]] == "failed")
                ended += 1
            if call.depends_on is None:
                found = self._observed(index, reacting.get(index, ()), past)
            else:
                found = past.declared(call.tool, call.depends_on)
            for link in call.links:
                earlier = by_id.get(link, index)
                if earlier < index and self.calls[earlier].end_ns <= call.start_ns:
                    found[earlier] = (True, f"{call.tool} links to {self.calls[earlier].tool}")
            edges.append(found)
        return edges

    def _observed(self, index: int, reacting: Sequence[tuple[int, str]], past: _Past) -> dict[int, tuple[bool, str]]:
        """What was seen between a call that declares nothing and earlier ones."""
        call = self.calls[index]
        found = dict(self.evidence.edges[index])
        for earlier, why in reacting:
            found.setdefault(earlier, (False, why))
        for _, earlier in past.failed.get(call.tool, ())[-_MOST_NAMED:]:
            found[earlier] = (True, f"{call.tool} was tried again after it failed")
        for earlier, failed in past.requests.get(_request(call), ())[-_MOST_NAMED:]:
            # Where a provider gives no ids, some clients take the tool's name: two requests may have the same.
            how = "ran again" if failed else "may have run again"
            found.setdefault(earlier, (failed, f"{call.tool} {how} for what the model asked for once"))
        return {
            earlier: edge
            for earlier, edge in found.items()
            if not _same_proved_round(self.calls[earlier], call) and not _disjoint(self.calls[earlier], call)
        }

    def _outcome(self, index: int) -> Outcome:
        return "failed" if self.calls[index].error else self.evidence.outcomes[index]

    def _cautious(self, index: int) -> int:
        return 1 << self.careful[index][0] if index in self.careful else 0

    def _relate(self) -> None:
        classes = Classes(self.calls, self.effects, self.evidence.results_whole)
        ended = ended_before(self.calls)
        for index, call in enumerate(self.calls):
            before = ended[index]
            hard, soft = 0, self._cautious(index)
            if before:
                excused = self._proved.asked_with(call)
                if call.depends_on is not None:
                    excused = before
                unseen = self._before_unseen(call) & ~excused
                soft |= unseen & ~self._elsewhere(unseen, call)
                for found, seen, mask, shared in classes.around(call.resource):
                    kind = edge_of_effects(found, self.effects[index], shared=shared)
                    if kind == "hard":
                        hard |= mask
                    elif kind == "unknown":
                        soft |= mask
                    elif not (seen and self.evidence.arguments_whole[index]):
                        soft |= mask & ~excused
                for earlier, (proven, _) in self.explicit[index].items():
                    if proven:
                        hard |= 1 << earlier
                    else:
                        soft |= 1 << earlier
            self._add(call, before, hard & before, soft & before & ~hard)

    def _add(self, call: Call, before: int, hard: int, soft: int) -> None:
        """Add the edges of *call*, the next."""
        reach_hard, reach_any = _reach(hard, self.after_hard), _reach(hard | soft, self.after_any)
        beside_hard = beside_soft = 0
        if call.proved:
            beside_hard = self._proved.beside(reach_hard, call, self.after_hard) & before & ~hard
            reach_hard |= _reach(beside_hard, self.after_hard)
            reach_any |= _reach(beside_hard, self.after_any)
        if call.round is not None and call.depends_on is None:
            beside_soft = self._rounds.beside(reach_any, call, self.after_any)
            beside_soft &= before & ~(hard | beside_hard | soft | self._elsewhere(beside_soft, call))
            reach_any |= _reach(beside_soft, self.after_any)
        self.beside_hard.append(beside_hard)
        self.beside_soft.append(beside_soft)
        self.hard.append(hard | beside_hard)
        self.soft.append((soft | beside_soft) & ~beside_hard)
        self.after_hard.append(reach_hard)
        self.after_any.append(reach_any)

    def _elsewhere(self, mask: int, call: Call) -> int:
        """Those of *mask* that are declared to use another resource than *call*."""
        found = 0
        while mask and call.resource:
            index = mask.bit_length() - 1
            found |= _disjoint(self.calls[index], call) << index
            mask ^= 1 << index
        return found


class _Past:
    """The calls that have ended so far, by tool."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self.by_tool: dict[str, list[int]] = {}
        self.failed: dict[str, list[tuple[int, int]]] = {}
        self.requests: dict[tuple[int, str] | None, list[tuple[int, bool]]] = {}

    def add(self, index: int, call: Call, *, failed: bool) -> None:
        self.by_tool.setdefault(call.tool, []).append(index)
        request = _request(call)
        if request is not None:
            self.requests.setdefault(request, []).append((index, failed))
        if failed:
            self.failed.setdefault(call.tool, []).append((call.end_ns, index))
        elif call.tool in self.failed:
            # A call that succeeds is the retry of those that had failed when it began, unless asked for with them.
            self.failed[call.tool] = [
                (end_ns, before)
                for end_ns, before in self.failed[call.tool]
                if end_ns > call.start_ns or _same_proved_round(self.calls[before], call)
            ]

    def declared(self, tool: str, needs: Sequence[str]) -> dict[int, tuple[bool, str]]:
        return {
            earlier: (True, f"{tool} is declared to need {needed}")
            for needed in needs
            for earlier in self.by_tool.get(needed, ())[-_MOST_NAMED:]
        }


def _same_proved_round(a: Call, b: Call) -> bool:
    """Whether the model asked for both in one response, and not for one of which the other is another attempt."""
    together = a.proved and b.proved and a.round is not None and a.round == b.round
    return together and not (a.call_id and a.call_id == b.call_id)


def _request(call: Call) -> tuple[int, str] | None:
    """Return which request of the model's *call* is an attempt at: several with one id in one round are one request."""
    return (call.round, call.call_id) if call.proved and call.round is not None and call.call_id else None


def _disjoint(a: Call, b: Call) -> bool:
    return bool(a.resource and b.resource and a.resource != b.resource)


def _effects_edge(a: Effect, a_resource: str, b: Effect, b_resource: str) -> Edge:
    if a_resource and b_resource and a_resource != b_resource:
        return "none"
    return edge_of_effects(a, b, shared=bool(a_resource) and a_resource == b_resource)


def _reach(direct: int, after: Sequence[int]) -> int:
    """All that a call follows, directly or through others, whose edges are *direct*; *after* is that of those."""
    total = rest = direct
    while rest:
        index = rest.bit_length() - 1
        total |= after[index]
        rest &= ~(after[index] | 1 << index)
    return total
