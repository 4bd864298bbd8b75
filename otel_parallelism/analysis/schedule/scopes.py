"""The scopes of a turn, which are its own calls and the calls inside each call, and the shortest time each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.dependencies.evidence import Evidence, gather_evidence
from otel_parallelism.analysis.turns.across.later_requests import after_missing_calls_ns, asked_again_ns
from otel_parallelism.pace import empty, paced, pause

from .chains import sequential_chains
from .contention import Contention, contention
from .critical_path import longest_path
from .intervals import Totals, totals_of
from .limits import Limit, limit_of_scope
from .loop_waits import without_waits
from .own_time import Timeline, observed_timeline, working_timeline

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from otel_parallelism.analysis.dependencies.contents.reading_budget import TurnBudget
    from otel_parallelism.model import Call, Content, Turn
    from otel_parallelism.settings import Settings
    from otel_parallelism.source.call_stacks import Sources

    from .chains import Chains

_CONTENDED = 0.8
_DOMINANT = 0.9
_DEEPEST = 200
_NO_CONTENTION = Contention({}, ())
_NO_TIMELINE = Timeline((), {})

Relaxed = dict[str, dict[int, int]]
"""By scope id, the positions of calls that need not wait for their observed predecessors, and from when on (ns)."""


class Scope:
    """
    The calls of one turn or of the inside of one call, in order of (start, end, id).

    ``critical_ns`` is T∞ if unknown edges are dependencies, ``best_ns`` if they are not. Without a dependency graph
    both equal the makespan, less what the insides of the calls could save. Both assume that no more than ``places``
    calls can run at once; ``unlimited_ns`` is ``best_ns`` without this assumption, where a limit was seen. The scope is
    the inside of the call ``holder``, whose scope is ``outer``; both are None for the turn's own.
    """

    def __init__(self, scope_id: str, calls: Sequence[Call], depth: int) -> None:
        self.scope_id = scope_id
        self.calls: Sequence[Call] = calls
        self.depth = depth
        self.holder: Call | None = None
        self.outer: Scope | None = None
        self.totals: Totals = totals_of(calls)
        self.inner: dict[int, Scope] = {}
        self.evidence: Evidence | None = None
        self.graph: Dependencies | None = None
        self.hard_edges: Sequence[int] = ()
        self.all_edges: list[int] = []
        self.safe_timeline: Timeline = _NO_TIMELINE
        self.best_timeline: Timeline = _NO_TIMELINE
        self.places: int = 0
        self.contention: Contention = _NO_CONTENTION
        self.contended: bool = False
        self.limit: Limit | None = None
        self.unrequested: Collection[str] = ()
        self.critical_ns: int = self.totals.makespan_ns
        self.best_ns: int = self.totals.makespan_ns
        self.unlimited_ns: int = self.totals.makespan_ns

    def detect_contention(self) -> None:
        """
        Set ``contention``; the scope is contended if its effective work is below 80 % of its work (ρₑ < 0.8 ρ).

        If it is not, calls that held the event loop in turn are taken to have started when the loop was theirs.
        """
        if self.totals.peak > 1:
            self.contention = contention(self.calls)
            if self.contention.baseline_ns:
                effective_ns = self.contention.effective_work_ns(self.calls)
                self.contended = effective_ns < _CONTENDED * self.totals.work_ns
            if self.contention.loop.groups and not self.contended:
                inner = {self.calls[index].span_id: scope for index, scope in self.inner.items()}
                self.calls = without_waits(self.calls, self.contention.loop)
                self.inner = {
                    index: inner[call.span_id] for index, call in enumerate(self.calls) if call.span_id in inner
                }

    def could_save(self, least_ns: float) -> bool:
        """Return whether running all calls at once would save at least *least_ns* nanoseconds."""
        if len(self.calls) < 2:  # noqa: PLR2004 - one call has nothing to run with
            return False
        waits = self.contention.loop.baseline_ns
        longest_ns = self.totals.longest_ns
        if waits:
            longest_ns = max(waits.get(call.span_id, call.duration_ns) for call in paced(self.calls))
        return self.totals.makespan_ns - longest_ns >= least_ns

    def has_dominant_call(self) -> bool:
        """Return whether one call takes at least 90 % of the makespan, or no call has a duration."""
        return self.totals.longest_ns >= _DOMINANT * self.totals.makespan_ns

    def read_contents(self, turn: Turn, settings: Settings, budget: TurnBudget) -> None:
        """Read the contents of the calls, which is expensive; *budget* is what may still be read of the *turn*'s."""
        self.evidence = gather_evidence(self.calls, earlier_contents(turn, self), settings, budget, brief=True)

    def find_dependencies(
        self,
        turn: Turn,
        settings: Settings,
        sources: Sources | None = None,
        *,
        explained: bool,
        measured: bool = True,
    ) -> None:
        """
        Set the dependency graph and the limit; this reads the contents of the calls if they are not read yet.

        Args:
            turn: The turn of the scope.
            settings: Patterns of tools, and bounds on the contents that are read.
            sources: Returns the parsed file of a function that made a call, if any.
            explained: Whether the turn shows what the time between its calls may have gone to; see `shows_pauses`.
            measured: Whether the times were measured, and can show a limit.
        """
        asked_ns, may_be_asked_ns = ((), ()) if self.scope_id else asked_again_ns(self.calls, turn)
        after_missing_ns = () if self.scope_id else after_missing_calls_ns(self.calls, turn)
        said = () if self.evidence is not None else earlier_contents(turn, self)
        steps = () if self.scope_id else turn.steps
        self.graph = Dependencies(
            self.calls,
            said,
            settings,
            sorted((*after_missing_ns, *may_be_asked_ns)),
            sources,
            turn.unrequested,
            evidence=self.evidence,
            hand_offs_ns=() if self.scope_id else turn.hand_offs,
            asked_again_ns=asked_ns,
            steps=steps,
            unkept_since_ns=_unkept_since_ns(turn, self.scope_id),
        )
        self.hard_edges = self.graph.hard
        self.all_edges = [hard | soft for hard, soft in paced(zip(self.graph.hard, self.graph.soft, strict=True))]
        if not self.scope_id:
            self.unrequested = turn.unrequested
        self.limit = limit_of_scope(self.calls) if measured and self.totals.peak > 1 else None
        self.places = max(settings.assumed_limit, self.totals.peak)
        self.safe_timeline = working_timeline(self.calls)
        self.best_timeline = self.safe_timeline if explained else observed_timeline(self.calls)

    def compute_bounds(self) -> None:
        """Set ``critical_ns`` and ``best_ns``; the inner scopes must have theirs."""
        if self.contended:
            return
        critical_ns = self.length_ns(None)
        doubtful = bool(self.inner) or self.graph is None or any(self.graph.soft)
        doubtful = doubtful or self.best_timeline is not self.safe_timeline
        self.best_ns = min(critical_ns, self.length_ns(None, best=True)) if doubtful else critical_ns
        self.unlimited_ns = self.best_ns
        if self.limit is not None or any(scope.unlimited_ns < scope.best_ns for scope in self.inner.values()):
            self.unlimited_ns = min(self.best_ns, self.length_ns(None, best=True, unlimited=True))
        if self.limit is not None:
            least_ns = sum(self.calls[index].duration_ns for index in paced(self.limit.members)) // self.limit.most
            critical_ns = min(self.totals.makespan_ns, max(critical_ns, least_ns))
        self.critical_ns = critical_ns

    def length_ns(
        self,
        relaxed: Mapping[str, Mapping[int, int]] | None,
        *,
        best: bool = False,
        unlimited: bool = False,
        dropped: Mapping[str, Collection[int]] | None = None,
    ) -> int:
        """
        Return how long the scope takes if some calls are relaxed, in nanoseconds.

        Args:
            relaxed: The relaxed calls of each scope; None relaxes every call, here and in inner scopes, and gives T∞.
            best: Whether unknown edges are no dependencies.
            unlimited: Whether any number of calls can run at once, rather than ``places``.
            dropped: The positions of calls of each scope that take no time.
        """
        makespan_ns = self.totals.makespan_ns
        if self.contended or (self.graph is None and not self.inner):
            return makespan_ns
        durations_ns = [call.duration_ns for call in paced(self.calls)]
        for index, scope in paced(self.inner.items()):
            if relaxed is None:
                taken_ns = scope.unlimited_ns if unlimited else scope.best_ns if best else scope.critical_ns
            else:
                taken_ns = scope.length_ns(relaxed, best=best, dropped=dropped)
            durations_ns[index] = max(0, durations_ns[index] - (scope.totals.makespan_ns - taken_ns))
        for index in () if dropped is None else dropped.get(self.scope_id, ()):
            durations_ns[index] = 0
        if self.graph is None:
            if durations_ns == [call.end_ns - call.start_ns for call in paced(self.calls)]:
                return makespan_ns  # as `longest_path` says
            return min(makespan_ns, longest_path(self.calls, (), (), durations_ns=durations_ns, relaxed={}))
        timeline = self.best_timeline if best else self.safe_timeline
        taken_ns = longest_path(
            timeline.calls,
            self.hard_edges if best else self.all_edges,
            self.graph.after_hard if best else self.graph.after_any,
            durations_ns=durations_ns,
            gaps_ns=timeline.gaps_ns,
            keeps_pauses=timeline.keeps_pauses,
            relaxed=None if relaxed is None else relaxed.get(self.scope_id, {}),
        )
        if not unlimited:
            taken_ns = max(taken_ns, -(-sum(durations_ns) // self.places))
        return min(makespan_ns, timeline.own_ns + taken_ns)

    def forget(self) -> None:
        """Forget the dependency graph, with pauses, and the scopes around and inside, which hold this one."""
        self.holder, self.outer, self.inner = None, None, {}
        graph, self.graph, self.evidence = self.graph, None, None
        if graph is not None:
            graph.forget()
            empty(graph.hard, graph.soft, graph.after_hard, graph.after_any, self.all_edges)
        del graph
        pause()
        self.safe_timeline.forget()
        self.best_timeline.forget()

    def chains(self, *, best: bool, leave_out: int = 0) -> Chains | None:
        """
        Return the chains of calls that are safe to run together, or with *best* of calls that may be.

        Args:
            best: Whether unknown edges are no dependencies.
            leave_out: Bits of calls that belong to no chain; calls that a limit delayed belong to none either.

        Returns:
            None if the scope has no dependency graph or is contended.
        """
        if self.graph is None or self.contended:
            return None
        for index in paced(self.limit.members) if self.limit is not None else ():
            leave_out |= 1 << index
        after = self.graph.after_hard if best else self.graph.after_any
        return sequential_chains(self.calls, after, leave_out=leave_out)


def scopes_of(turn: Turn) -> list[Scope]:
    """Return the scopes of *turn* that have calls, the innermost first; the last is the turn's own, even if empty."""
    if {call.scope for call in paced(turn.calls)} <= {""}:
        return [Scope("", turn.calls, 0)]
    members: dict[str, list[Call]] = {"": []}
    by_id = {}
    for call in turn.calls:
        members.setdefault(call.scope, []).append(call)
        by_id[call.span_id] = call
    depths = {"": 0}

    def depth(scope_id: str) -> int:
        path: dict[str, None] = {}
        while scope_id not in depths:
            path[scope_id] = None
            call = by_id.get(scope_id)
            scope_id = call.scope if call is not None and call.scope not in path else ""
        for offset, passed in enumerate(reversed(path), start=1):
            depths[passed] = depths[scope_id] + offset
        return depths[next(iter(path), scope_id)]

    found = {scope_id: Scope(scope_id, calls, depth(scope_id)) for scope_id, calls in members.items()}
    for outer in found.values():
        holder = by_id.get(outer.scope_id)
        if holder is not None:
            outer.holder, outer.outer = holder, found[holder.scope]
        for index, holder in enumerate(outer.calls):
            inner = found.get(holder.span_id)
            # With broken ids a call can be inside itself. Scopes deeper than `_DEEPEST` are not analysed.
            if inner is not None and outer.depth < inner.depth <= _DEEPEST:
                outer.inner[index] = inner
    return sorted(found.values(), key=lambda scope: (-scope.depth, scope.scope_id))


def _unkept_since_ns(turn: Turn, scope_id: str) -> int:
    """Return since when calls of a scope may be missing because of a bound; 0 if none are."""
    past = turn.past_bound
    if past is None:
        return 0
    return past.inner_since_ns if scope_id else past.since_ns


def earlier_contents(turn: Turn, scope: Scope) -> list[Content]:
    """Return what is known before a scope's first call: the user's messages and the enclosing calls' arguments."""
    contents = list(turn.inputs)
    seen = set()
    at: Scope | None = scope
    while at is not None and at.holder is not None and at.scope_id not in seen:
        seen.add(at.scope_id)
        if at.holder.arguments is not None:
            contents.append(at.holder.arguments)
        at = at.outer
    return contents
