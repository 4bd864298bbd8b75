"""
Which call of a scope needs which earlier one, must follow it, or may: the verdict and the edge of every pair.

Pairs are not compared one by one. Calls fall into a few classes (effect, resource, what of them was seen), a class
decides for all its members at once, and sets of calls are bits of one integer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from .effects import effect
from .evidence import Evidence, gather

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_parallelism.model import Call, Content, Effect, EffectSource
    from otel_parallelism.settings import Settings

PairVerdict: TypeAlias = Literal["dependent", "independent", "unknown"]
Edge: TypeAlias = Literal["hard", "unknown", "none"]
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
    """

    def __init__(self, calls: Sequence[Call], said: Sequence[Content], settings: Settings) -> None:
        self.calls = calls
        self.evidence: Evidence = gather(calls, said, settings)
        judged = [effect(call, settings) for call in calls]
        self.effects: list[Effect] = [found for found, _ in judged]
        self.effect_sources: list[EffectSource] = [source for _, source in judged]
        self.explicit = self._explicit()
        self.hard: list[int] = []
        self.soft: list[int] = []
        self._relate()
        self.after_hard = _closure(self.hard)
        self.after_any = _closure([hard | soft for hard, soft in zip(self.hard, self.soft, strict=True)])

    def pair(self, earlier: int, later: int) -> Pair:
        """The verdict on ``calls[earlier]``, which ended before ``calls[later]`` began."""
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
        declared = b.depends_on is not None
        if declared:
            return ("dependent", why) if proven else ("independent", f"{b.tool} is declared to need no {a.tool}")
        if a.span_id in b.links:
            return "dependent", why
        if a.resource and b.resource and a.resource != b.resource:
            return "independent", "they are declared to use different resources"
        if _same_proved_round(a, b):
            return "independent", "the model asked for both in one response"
        if proven is not None:
            return ("dependent" if proven else "unknown"), why
        if self._seen(earlier, later):
            return "independent", f"no value that {a.tool} returned is an argument of {b.tool}"
        return "unknown", f"what {a.tool} returned or what {b.tool} was given was not seen in full"

    def _seen(self, earlier: int, later: int) -> bool:
        return self.evidence.results_whole[earlier] and self.evidence.arguments_whole[later]

    def _effect_edge(self, earlier: int, later: int) -> tuple[Edge, str]:
        a, b = self.calls[earlier], self.calls[later]
        kind = _effects_edge(self.effects[earlier], a.resource, self.effects[later], b.resource)
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

    def _explicit(self) -> list[dict[int, tuple[bool, str]]]:
        """Edges between particular calls: declared, linked, a retry, a value or an object handed on."""
        edges: list[dict[int, tuple[bool, str]]] = []
        by_tool: dict[str, list[int]] = {}
        by_id = {call.span_id: index for index, call in enumerate(self.calls)}
        failed: dict[str, list[int]] = {}
        reactions = self._reactions()
        by_end = sorted(range(len(self.calls)), key=lambda i: (self.calls[i].end_ns, i))
        ended = 0
        for index, call in enumerate(self.calls):
            while ended < len(by_end) and self.calls[by_end[ended]].end_ns <= call.start_ns:
                done = self.calls[by_end[ended]]
                if by_end[ended] != index:
                    by_tool.setdefault(done.tool, []).append(by_end[ended])
                    if self._failed(by_end[ended]):
                        failed.setdefault(done.tool, []).append(by_end[ended])
                    else:
                        failed.pop(done.tool, None)
                ended += 1
            if call.depends_on is not None:
                named = {}
                for tool in call.depends_on:
                    for earlier in by_tool.get(tool, ())[-_MOST_NAMED:]:
                        named[earlier] = (True, f"{call.tool} is declared to need {tool}")
                edges.append(named)
                continue
            found = {
                earlier: edge
                for earlier, edge in self.evidence.edges[index].items()
                if not _same_proved_round(self.calls[earlier], call) and not _disjoint(self.calls[earlier], call)
            }
            for earlier, why in reactions.get(index, ()):
                found.setdefault(earlier, (False, why))
            for earlier in failed.get(call.tool, ())[-_MOST_NAMED:]:
                if not _same_proved_round(self.calls[earlier], call) and not _disjoint(self.calls[earlier], call):
                    found[earlier] = (True, f"{call.tool} was tried again after it failed")
            for link in call.links:
                if link in by_id and self.calls[by_id[link]].end_ns <= call.start_ns:
                    found[by_id[link]] = (True, f"{call.tool} links to {self.calls[by_id[link]].tool}")
            edges.append(found)
        return edges

    def _failed(self, index: int) -> bool:
        return self.calls[index].error or self.evidence.outcomes[index] == "failed"

    def _reactions(self) -> dict[int, list[tuple[int, str]]]:
        """What was called, or asked for, right after a call that failed or found nothing: perhaps because of that."""
        found: dict[int, list[tuple[int, str]]] = {}
        starts = [call.start_ns for call in self.calls]
        for earlier, before in enumerate(self.calls):
            if self._failed(earlier):
                what = "failed"
            elif self.evidence.outcomes[earlier] == "empty":
                what = "found nothing"
            else:
                continue
            next_round: int | None = None
            first = bisect_left(starts, before.end_ns)
            for later in range(first, min(first + _MOST_NAMED, len(self.calls))):
                call = self.calls[later]
                if later == earlier or _same_proved_round(before, call) or _disjoint(before, call):
                    continue
                if next_round is not None and call.round != next_round:
                    break
                why = f"{call.tool} came right after {before.tool} {what}, perhaps because of that"
                found.setdefault(later, []).append((earlier, why))
                next_round = call.round
                if next_round is None or next_round == before.round:
                    break
        return found

    def _relate(self) -> None:
        rounds: dict[int, int] = {}
        classes: dict[tuple[Effect, str, bool], int] = {}
        for index, call in enumerate(self.calls):
            bit = 1 << index
            key = (self.effects[index], call.resource, self.evidence.results_whole[index])
            classes[key] = classes.get(key, 0) | bit
            if call.proved and call.round is not None:
                rounds[call.round] = rounds.get(call.round, 0) | bit
        by_resource: dict[str, list[tuple[Effect, bool, int]]] = {}
        overall: dict[tuple[Effect, bool], int] = {}
        for (found, resource, seen), mask in classes.items():
            by_resource.setdefault(resource, []).append((found, seen, mask))
            overall[found, seen] = overall.get((found, seen), 0) | mask
        everything = [(found, seen, mask) for (found, seen), mask in overall.items()]

        by_end = sorted(range(len(self.calls)), key=lambda i: (self.calls[i].end_ns, i))
        ends = [self.calls[i].end_ns for i in by_end]
        prefix = [0]
        for index in by_end:
            prefix.append(prefix[-1] | 1 << index)
        for index, call in enumerate(self.calls):
            before = prefix[bisect_right(ends, call.start_ns)] & ~(1 << index)
            hard = soft = 0
            if before:
                same_round = rounds.get(call.round, 0) if call.proved and call.round is not None else 0
                args_seen = self.evidence.arguments_whole[index] or call.depends_on is not None
                if call.resource:
                    groups = [(*group, True) for group in by_resource.get(call.resource, ())]
                    groups += [(*group, False) for group in by_resource.get("", ())]
                else:
                    groups = [(*group, False) for group in everything]
                for found, seen, mask, shared in groups:
                    ended = mask & before
                    if not ended:
                        continue
                    kind = _edge_of_effects(found, self.effects[index], shared=shared)
                    if kind == "hard":
                        hard |= ended
                    elif kind == "unknown":
                        soft |= ended
                    elif call.depends_on is None and not (seen and args_seen):
                        soft |= ended & ~same_round
                for earlier, (proven, _) in self.explicit[index].items():
                    if proven:
                        hard |= 1 << earlier
                    else:
                        soft |= 1 << earlier
            self.hard.append(hard & before)
            self.soft.append(soft & before & ~hard)


def _same_proved_round(a: Call, b: Call) -> bool:
    return a.proved and b.proved and a.round is not None and a.round == b.round


def _disjoint(a: Call, b: Call) -> bool:
    return bool(a.resource and b.resource and a.resource != b.resource)


def _effects_edge(a: Effect, a_resource: str, b: Effect, b_resource: str) -> Edge:
    if a_resource and b_resource and a_resource != b_resource:
        return "none"
    return _edge_of_effects(a, b, shared=bool(a_resource) and a_resource == b_resource)


def _edge_of_effects(a: Effect, b: Effect, *, shared: bool) -> Edge:
    if a == "read" and b == "read":
        return "none"
    if "unknown" in {a, b}:
        return "unknown"
    return "hard" if shared or a == b else "unknown"


def bits(mask: int) -> Iterator[int]:
    """
    The indices of the set bits of *mask*, highest first.

    >>> list(bits(0b1010))
    [3, 1]
    """
    while mask:
        index = mask.bit_length() - 1
        yield index
        mask ^= 1 << index


def _closure(direct: Sequence[int]) -> list[int]:
    """For each call the set of all it follows directly or through others; *direct* points to earlier calls only."""
    reach: list[int] = []
    for mask in direct:
        total = mask
        rest = mask
        while rest:
            index = rest.bit_length() - 1
            total |= reach[index]
            rest &= ~(reach[index] | 1 << index)
        reach.append(total)
    return reach
