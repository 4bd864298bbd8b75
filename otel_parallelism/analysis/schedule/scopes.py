"""One scope of a turn, its own calls or those inside one call: what it measured, and what it could have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.turns.rounds import assign, gaps_ns, unseen_ns

from .chains import Chain, find
from .critical_path import longest_path
from .intervals import Measure, measure
from .waiting import Contention, Limit, contention, limit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from otel_parallelism.model import Call, Content, Turn
    from otel_parallelism.settings import Settings

_CONTENDED = 0.8
_DEEPEST = 200
_NOTHING = Contention({}, ())


class Scope:
    """
    Calls that run side by side inside one turn or call, in order of (start, end, id).

    ``critical_ns`` and ``best_ns`` are T∞ with unknown edges and without. Both equal the makespan where nothing is
    suspected, but for what the insides of the calls could save.
    """

    def __init__(self, scope_id: str, calls: Sequence[Call], depth: int) -> None:
        self.scope_id = scope_id
        self.calls = calls
        self.depth = depth
        self.totals: Measure = measure(calls)
        self.inner: dict[int, Scope] = {}
        self.graph: Dependencies | None = None
        self.hard: Sequence[int] = ()
        self.any: Sequence[int] = ()
        self.gaps_ns: Mapping[int, int] = {}
        self.contention: Contention = _NOTHING
        self.contended: bool = False
        self.limit: Limit | None = None
        self.unasked: Collection[str] = ()
        self.critical_ns: int = self.totals.makespan_ns
        self.best_ns: int = self.totals.makespan_ns

    def observe_waiting(self) -> None:
        """Look for waiting inside calls, which only matters where they overlap. Contended is ρₑ < 0.8 ρ."""
        if self.totals.peak > 1:
            self.contention = contention(self.calls)
            if self.contention.baseline_ns:
                effective_ns = self.contention.effective_work_ns(self.calls)
                self.contended = effective_ns < _CONTENDED * self.totals.work_ns

    def suspected(self, least_ns: float) -> bool:
        """Whether running everything at once would save enough to look at evidence."""
        return len(self.calls) > 1 and self.totals.makespan_ns - self.totals.longest_ns >= least_ns

    def examine(self, said: Sequence[Content], turn: Turn, settings: Settings) -> None:
        """Find out what depends on what; expensive, so only for a suspected scope."""
        unseen = () if self.scope_id else unseen_ns(self.calls, turn)
        self.graph = Dependencies(self.calls, said, settings, unseen)
        self.hard = self.graph.hard
        self.any = [hard | soft for hard, soft in zip(self.graph.hard, self.graph.soft, strict=True)]
        if not self.scope_id:
            self.gaps_ns = gaps_ns(self.calls)
            if turn.steps:
                self.unasked = assign(self.calls, turn.steps, {}).unasked
        self.limit = self._limit()

    def _limit(self) -> Limit | None:
        """
        The limit seen, with all the calls it spaced out.

        Rounds are spaced out by the model, so each is looked at alone; where several show a limit it is one, the
        largest that any shows.
        """
        by_round: dict[int | None, list[int]] = {}
        for index, call in enumerate(self.calls):
            by_round.setdefault(call.round, []).append(index)
        seen = [found for members in by_round.values() if (found := limit(self.calls, members)) is not None]
        if not seen:
            return None
        members = sorted(index for found in seen for index in found.members)
        return Limit(max(found.most for found in seen), tuple(members))

    def settle(self) -> None:
        """Work out T∞ once the inner scopes have theirs."""
        if self.contended:
            return
        self.critical_ns = self.length(None)
        doubtful = bool(self.inner) or self.graph is None or any(self.graph.soft)
        self.best_ns = self.length(None, best=True) if doubtful else self.critical_ns
        if self.limit is not None:
            least_ns = sum(self.calls[index].duration_ns for index in self.limit.members) // self.limit.most
            self.critical_ns = min(self.totals.makespan_ns, max(self.critical_ns, least_ns))

    def length(self, mended: Mapping[str, Mapping[int, int]] | None, *, best: bool = False) -> int:
        """
        How long the scope takes, in nanoseconds, with some calls let go.

        Args:
            mended: For each scope id the indices let go, each with the instant its finding began; None lets every
                call go, here and inside, which gives T∞.
            best: Let unknown edges be none.
        """
        makespan_ns = self.totals.makespan_ns
        if self.contended or (self.graph is None and not self.inner):
            return makespan_ns
        durations_ns = [call.duration_ns for call in self.calls]
        for index, scope in self.inner.items():
            if mended is None:
                taken_ns = scope.best_ns if best else scope.critical_ns
            else:
                taken_ns = scope.length(mended, best=best)
            durations_ns[index] = max(0, durations_ns[index] - (scope.totals.makespan_ns - taken_ns))
        free = None if mended is None else mended.get(self.scope_id, {})
        if self.graph is None:
            return min(makespan_ns, longest_path(self.calls, (), (), durations_ns=durations_ns, free={}))
        taken_ns = longest_path(
            self.calls,
            self.hard if best else self.any,
            self.graph.after_hard if best else self.graph.after_any,
            durations_ns=durations_ns,
            gaps_ns=self.gaps_ns,
            free=free,
        )
        return min(makespan_ns, taken_ns)

    def chains(self, *, best: bool, leave_out: int = 0) -> tuple[tuple[Chain, ...], bool]:
        """Chains that are safe to run together, or, with *best*, that may be; and whether the search was bounded."""
        if self.graph is None or self.contended:
            return (), False
        for index in self.limit.members if self.limit is not None else ():
            leave_out |= 1 << index
        found = find(self.calls, self.graph.after_hard if best else self.graph.after_any, leave_out=leave_out)
        return found.chains, found.bounded


def scopes(turn: Turn) -> list[Scope]:
    """The scopes of *turn* that hold calls, the innermost first, the turn's own last."""
    if not any(call.scope for call in turn.calls):
        return [Scope("", turn.calls, 0)]
    members: dict[str, list[Call]] = {"": []}
    by_id = {}
    for call in turn.calls:
        members.setdefault(call.scope, []).append(call)
        by_id[call.span_id] = call
    depths = {"": 0}

    def depth(scope_id: str) -> int:
        path = []
        while scope_id not in depths:
            path.append(scope_id)
            call = by_id.get(scope_id)
            scope_id = call.scope if call is not None and call.scope not in path else ""
        for offset, passed in enumerate(reversed(path), start=1):
            depths[passed] = depths[scope_id] + offset
        return depths[path[0]] if path else depths[scope_id]

    found = {scope_id: Scope(scope_id, calls, depth(scope_id)) for scope_id, calls in members.items()}
    for around in found.values():
        for index, holder in enumerate(around.calls):
            inner = found.get(holder.span_id)
            # Broken ids may tell of a call inside itself; what runs this deep inside is not looked at.
            if inner is not None and around.depth < inner.depth <= _DEEPEST:
                around.inner[index] = inner
    return sorted(found.values(), key=lambda scope: (-scope.depth, scope.scope_id))
