"""
The dependency graph of one scope: which calls must, may have to, or need not wait for which earlier ones.

Calls are not compared pair by pair. They fall into a few groups of equal effect and resource, one decision holds for
all calls of a group, and a set of calls is an integer with one bit per call.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING

from otel_parallelism.pace import empty, paced
from otel_parallelism.shown_names import pair_names

from .call_groups import EffectGroups, RoundGroups, ended_before, on_other_resources, ran_in_order, reached_calls
from .effects import effects_edge
from .effects.intended_order import started_before
from .effects.known_effects import ScopeEffects
from .evidence import Evidence, gather_evidence
from .grounds import Grounds
from .kept_order import KeptOrder, kept_order
from .objects.shared_objects import SharedObjects
from .particular_edges import Pair, cautious_edges, have_different_resources, in_same_proved_round, particular_edges
from .repeats import Repeats, repeats_of
from .source_evidence import SourceEvidence

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from otel_parallelism.model import Call, Content, Step
    from otel_parallelism.settings import Settings
    from otel_parallelism.source.call_stacks import Sources

    from .effects import Edge
    from .particular_edges import PairVerdict, ParticularEdges


class Dependencies:
    """
    The edges between the calls of one scope.

    A call that needs one call of an earlier round waits for the whole round, because the model is called again only
    then: certainly if both rounds are proved, possibly if they are inferred.

    Attributes:
        calls: The calls in order of (start, end, id).
        evidence: What the contents of the calls show.
        shared: The objects that calls were handed, and that they share.
        source: What the source of the functions that made the calls shows.
        known: The effects of the calls.
        repeats: The calls that repeat a tool with equal arguments; each waits for the ones before.
        hard: Bit ``a`` of ``hard[b]`` is set if call ``b`` must not start before call ``a`` has ended. If each call is
            proven to need the one before, these edges stand for all.
        soft: Bit ``a`` of ``soft[b]`` is set if that is unknown. Hard edges that lead there anyway may stand for it.
        same_round_hard: Edges in ``hard`` that exist only because a call waits for the whole earlier round.
        same_round_soft: Edges in ``soft`` that exist only for this reason.
        after_hard: ``hard``, with the calls that are reached through other calls.
        after_any: ``hard`` and ``soft``, with the calls that are reached through other calls.
    """

    def __init__(  # noqa: PLR0917 - what is known of a scope
        self,
        calls: Sequence[Call],
        said: Sequence[Content],
        settings: Settings,
        after_missing_ns: Sequence[int] = (),
        sources: Sources | None = None,
        unrequested: Collection[str] = (),
        *,
        evidence: Evidence | None = None,
        hand_offs_ns: Sequence[int] = (),
        asked_again_ns: Sequence[int] = (),
        steps: Sequence[Step] = (),
        unkept_since_ns: int = 0,
    ) -> None:
        """
        Find the edges between *calls*.

        Args:
            calls: The calls of one scope in order of (start, end, id).
            said: The user's messages, and for an inner scope the arguments of the enclosing calls.
            settings: Patterns of tools, and bounds on the contents that are read.
            after_missing_ns: Start times, in order, of model requests after a call without a span, or after a message,
                on which later calls may depend.
            sources: Returns the parsed file of a function that made a call, if any.
            unrequested: The span ids of calls that code made, whatever round their time suggests.
            evidence: What the contents of the calls show, if it is known.
            hand_offs_ns: Start times, in order, of hand-offs. The order of calls before and after one is intended.
            asked_again_ns: Start times, in order, of the first model request after another message of the user.
            steps: The turn's model requests.
            unkept_since_ns: Since when calls of the scope are missing because of a bound; 0 if none are.
        """
        self.calls = calls
        self._after_missing_ns, self._unkept_since_ns = after_missing_ns, unkept_since_ns
        self._sources, self._unrequested = sources, unrequested
        self._starts_ns: list[int] = [call.start_ns for call in paced(calls)]
        self.evidence: Evidence = evidence or gather_evidence(calls, said, settings, brief=True)
        self.known: ScopeEffects = ScopeEffects(calls, settings, sources, hand_offs_ns, asked_again_ns)
        self.shared: SharedObjects = SharedObjects(calls, lambda: self.known.declared_reads)
        self.repeats: tuple[Repeats, ...] = repeats_of(
            calls, lambda: self.known.effects, lambda: self.evidence.outcomes
        )
        self._repeats_of: dict[int, int] = {
            index: repeats.mask for repeats in self.repeats for index in repeats.positions
        }
        self._rounds = RoundGroups(calls, proved=False)
        self._proved_rounds = RoundGroups(calls, proved=True)
        self.hard: list[int] = []
        self.soft: list[int] = []
        self.same_round_hard: list[int] = []
        self.same_round_soft: list[int] = []
        self.after_hard: list[int] = []
        self.after_any: list[int] = []
        self._ended = ended_before(calls)
        is_chain = self.evidence.is_chain and not self.repeats
        self.kept: KeptOrder = kept_order(calls, steps, self._ended, None if is_chain else self.evidence)
        if is_chain:
            # Further edges change no schedule, since these lead from each call to all later ones.
            for index, call in paced(enumerate(calls)):
                self._add(call, self._ended[index], hard=(1 << index) >> 1, soft=0)
        else:
            self._find_edges()

    @cached_property
    def source(self) -> SourceEvidence:  # noqa: D102 - see above
        return SourceEvidence(
            self.calls, self._sources, self.known.effects, self.known.effect_sources, self._unrequested
        )

    @cached_property
    def _particular(self) -> list[ParticularEdges]:
        return particular_edges(self.calls, self.evidence.outcomes, self.evidence.edges)

    @cached_property
    def _cautious(self) -> dict[int, tuple[int, str]]:
        return cautious_edges(self.calls, self.evidence.outcomes)

    @cached_property
    def _grounds(self) -> Grounds:
        return Grounds(self.calls, self.evidence, self._unrequested, self.repeats)

    def forget(self) -> None:
        """Forget what the edges follow from, with pauses; after that, pairs have no evidence."""
        if "source" in vars(self):
            self.source.forget()
        if "_grounds" in vars(self):
            self._grounds.forget()
        self.evidence.forget()
        self.known.forget()
        empty(self._ended, *([self._particular] if "_particular" in vars(self) else ()))

    def pair(self, earlier: int, later: int) -> Pair:
        """Return the relation of ``calls[earlier]``, which ended before ``calls[later]`` started, to the latter."""
        a, b = pair_names(self.calls[earlier].tool, self.calls[later].tool)
        if self.same_round_hard[later] >> earlier & 1:
            why = f"the model asked for {a} together with what {b} had to wait for"
            return Pair(self._data_verdict(earlier, later)[0], "hard", why)
        if self.same_round_soft[later] >> earlier & 1:
            why = f"perhaps the model had to see what {a} returned before it asked for {b}"
            return Pair(self._data_verdict(earlier, later)[0], "unknown", why)
        verdict, why = self._data_verdict(earlier, later)
        edge, because = self._effects_edge(earlier, later)
        if verdict == "dependent" or edge == "hard":
            return Pair(verdict, "hard", why if verdict == "dependent" else because)
        if verdict == "unknown" and not self.shared.is_for_one(earlier, later):
            writes = edge == "unknown" and "write" in {self.known.effects[earlier], self.known.effects[later]}
            return Pair(verdict, "unknown", f"{why}; {because}" if writes else why)
        return Pair(verdict, edge, because if edge == "unknown" else f"{why}; {because}")

    def _data_verdict(self, earlier: int, later: int) -> tuple[PairVerdict, str]:  # noqa: PLR0911 - one return a row
        """Return whether ``calls[later]`` needs data of ``calls[earlier]``, and why; highest precedence first."""
        a, b = self.calls[earlier], self.calls[later]
        first, then = pair_names(a.tool, b.tool)
        proven, why = self._particular[later].get(earlier, (None, ""))
        if not proven and self._repeated(later) >> earlier & 1:
            proven, why = True, f"{b.tool} was called again with equal arguments"
        elif b.depends_on is not None or a.span_id in b.links:
            return ("dependent", why) if proven else ("independent", f"{then} is declared not to need {first}")
        if have_different_resources(a, b):
            return "independent", "they are declared to use different resources"
        if in_same_proved_round(a, b):
            return "independent", "the model asked for both in one response"
        if proven is False and self._grounds.running_when_called(later) >> earlier & 1:
            proven = None  # its arguments were there before the result was
        shown = None if proven else self._shown_by_source(earlier, later)
        if shown is not None or proven is not None:
            return shown or ("dependent" if proven else "unknown", why)
        if self._share_doubtful(later) >> earlier & 1:
            return "unknown", self.shared.sentence(earlier, later)
        if self._follows_unkept(b):
            return "unknown", f"not all calls between {first} and {then} are known"
        if self._before_missing_call(b) >> earlier & 1:
            return "unknown", f"between {first} and {then} the user wrote, the model answered, or a call was not seen"
        independent = self._grounds.independent_of(later) >> earlier & 1
        return "independent" if independent else "unknown", self._grounds.sentence(earlier, later)

    def _share_doubtful(self, index: int) -> int:
        """Return the bits of earlier calls that share an object with a call, unless both are declared to read."""
        reads = self.known.declared_reads
        return self.shared.doubtful[index] & ~(reads if reads >> index & 1 else 0)

    def _shown_by_source(self, earlier: int, later: int) -> tuple[PairVerdict, str] | None:
        """Return what the source shows. It shows no independence where an object is shared that is not safe."""
        shown = self.source.judge(earlier, later)
        doubtful = shown is not None and shown[0] == "independent" and self._share_doubtful(later) >> earlier & 1
        return None if doubtful else shown

    def _repeated(self, later: int) -> int:
        """Return the bits of the calls that ``calls[later]`` repeats; the model did not request them with it."""
        mask = self._repeats_of.get(later, 0)
        return mask & ~self._proved_rounds.proved_round(self.calls[later]) if mask else 0

    def _before_missing_call(self, call: Call) -> int:
        """Return the bits of the calls that are separated from *call* by a call without a span, or one not kept."""
        if self._follows_unkept(call):
            return (1 << bisect_left(self._starts_ns, call.start_ns)) - 1
        return started_before(self._starts_ns, self._after_missing_ns, call.start_ns)

    def _follows_unkept(self, call: Call) -> bool:
        return 0 < self._unkept_since_ns <= call.start_ns

    def _effects_edge(self, earlier: int, later: int) -> tuple[Edge, str]:  # noqa: PLR0911 - one return for each row
        """Return the edge that follows from effects, resources and caution, and a sentence that says why."""
        a, b = self.calls[earlier], self.calls[later]
        edge = effects_edge(self.known.effects[earlier], a.resource, self.known.effects[later], b.resource)
        kept = self.kept.between(earlier, later) or self.known.left_between(earlier, later)
        if kept is not None and (kept[0] == "hard" or edge == "none"):
            return kept
        if edge != "hard" and self.known.intended.before(later) >> earlier & 1:
            return "hard", self.known.intended.sentence(earlier, later)
        shares = self.shared.unsafe[later] >> earlier & 1 and not have_different_resources(a, b)
        if edge != "hard" and (shares or self._cautious.get(later, (-1, ""))[0] == earlier):
            return "unknown", self.shared.sentence(earlier, later) if shares else self._cautious[later][1]
        if edge == "hard":
            return edge, "both write" if not a.resource or a.resource != b.resource else f"both use {a.resource}"
        if edge == "unknown":
            unknown = [self.calls[i].tool for i in (earlier, later) if self.known.effects[i] == "unknown"]
            writes = pair_names(a.tool, b.tool)[self.known.effects[later] == "write"]
            return edge, f"whether {unknown[0]} only reads is not known" if unknown else f"{writes} writes"
        if a.resource and a.resource != b.resource:
            return edge, "their resources are declared to differ"
        assumed = "assumed" in {self.known.effect_sources[earlier], self.known.effect_sources[later]}
        return edge, "both only read" + (", judging by their names" if assumed else "")

    def _find_edges(self) -> None:
        groups, ended, kept = EffectGroups(self.calls, self.known.effects), self._ended, self.kept
        in_order = ran_in_order(self.calls, ended)
        for index, call in paced(enumerate(self.calls)):
            before = ended[index]
            hard, soft = 0, 1 << self._cautious[index][0] if index in self._cautious else 0
            if before:
                hard |= before & self.known.intended.before(index) | kept.hard.get(index, 0)
                soft |= kept.soft.get(index, 0)
                independent = before if call.depends_on is not None else self._proved_rounds.proved_round(call)
                needed, doubted, free = self.source.masks(index, before & ~independent)
                hard |= needed & ~on_other_resources(self.calls, needed, call)
                missing = (self._before_missing_call(call) | self._share_doubtful(index)) & ~independent
                missing |= self.shared.unsafe[index] | doubted | self.known.left_before(index)
                soft |= missing & ~on_other_resources(self.calls, missing, call)
                hard |= self._repeated(index)
                for group in groups.related(call.resource):
                    edge = effects_edge(group.effect, group.resource, self.known.effects[index], call.resource)
                    if edge == "hard":
                        hard |= group.mask
                    elif edge == "unknown":
                        soft |= group.mask
                made_before = self._grounds.running_when_called(index) if call.called_ns else 0
                for earlier, (proven, _) in self._particular[index].items():
                    if proven:
                        hard |= 1 << earlier
                    else:
                        soft |= 1 << earlier & ~(free | made_before)
                undecided = before & ~(independent | free | hard | soft)
                if in_order:
                    undecided &= ~reached_calls(hard & before, self.after_hard) | self._rounds.in_groups
                if undecided:
                    elsewhere = on_other_resources(self.calls, undecided, call)
                    soft |= undecided & ~(elsewhere | self._grounds.independent_of(index))
            self._add(call, before, hard & before, soft & before & ~hard)

    def _add(self, call: Call, before: int, hard: int, soft: int) -> None:
        """Append the edges of *call*, the next call, and the edges to the rest of the rounds that it follows."""
        reach_hard, reach_any = reached_calls(hard, self.after_hard), reached_calls(hard | soft, self.after_any)
        round_hard = round_soft = 0
        if call.proved:
            round_hard = self._proved_rounds.same_round(reach_hard, call, self.after_hard) & before & ~hard
            reach_hard |= reached_calls(round_hard, self.after_hard)
            reach_any |= reached_calls(round_hard, self.after_any)
        if call.round is not None and call.depends_on is None:
            round_soft = self._rounds.same_round(reach_any, call, self.after_any)
            round_soft &= before & ~(hard | round_hard | soft | on_other_resources(self.calls, round_soft, call))
            reach_any |= reached_calls(round_soft, self.after_any)
        self.same_round_hard.append(round_hard)
        self.same_round_soft.append(round_soft)
        self.hard.append(hard | round_hard)
        self.soft.append((soft | round_soft) & ~round_hard)
        self.after_hard.append(reach_hard)
        self.after_any.append(reach_any)
