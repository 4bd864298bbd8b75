"""Candidates for findings: chains, limits and contention, before it is known how much time each would save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.schedule.chains import MOST_OPEN, Chain
from otel_parallelism.analysis.schedule.loop_waits import (
    FILLED,
    any_overlap,
    saved_ns,
    share_held,
    stalled_ns,
)
from otel_parallelism.analysis.schedule.scopes import Scope
from otel_parallelism.model import Advice, Call, Cause
from otel_parallelism.pace import ordered, paced, pause

from .causes import chain_cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Part(msgspec.Struct):
    """The share of one scope in a candidate: the positions of its calls, in order of start."""

    scope: Scope
    members: list[int]

    @property
    def calls(self) -> list[Call]:
        """The calls at ``members``."""
        return [self.scope.calls[index] for index in paced(self.members)]

    @property
    def start_ns(self) -> int:
        """The start of its first call."""
        return self.scope.calls[self.members[0]].start_ns


class Candidate(msgspec.Struct):
    """
    Calls that might become one finding.

    ``longest`` is the number of calls of its longest chain. Later passes set ``reported_cause`` (the cause that the
    finding states), ``silenced`` and ``avoidable_ns`` (how much relaxing its calls shortens the turn).
    """

    cause: Cause
    advice: Advice
    parts: list[Part]
    longest: int = 0
    reported_cause: Cause = "unknown"
    silenced: bool = False
    avoidable_ns: int = 0

    @property
    def calls(self) -> list[Call]:
        """The calls of all parts, in order of start."""
        calls = [call for part in self.parts for call in part.calls]
        return ordered(calls, key=lambda call: (call.start_ns, call.end_ns, call.span_id))

    @property
    def start_ns(self) -> int:
        """The start of its first call."""
        return min(part.start_ns for part in self.parts)

    @property
    def end_ns(self) -> int:
        """The end of the call that ends last."""
        return max(call.end_ns for part in self.parts for call in paced(part.calls))

    def saves(self, least_ns: float) -> bool:
        """Return whether *least_ns* would be saved, too, if the machine had not stalled while the calls held a loop."""
        calls = self.calls
        lost_ns = stalled_ns(calls)
        if not lost_ns:
            return True
        worked_ns = sum(call.duration_ns for call in paced(calls))
        return self.avoidable_ns * (worked_ns - lost_ns) >= least_ns * worked_ns

    def stages(self) -> tuple[tuple[int, ...], ...]:
        """
        Return the positions in ``calls`` of the calls that can run at once, then of those that need them, and so on.

        The result is empty if all calls can run at once.
        """
        level_of: dict[str, int] = {}
        for part in self.parts:
            graph = part.scope.graph
            if graph is None:
                continue
            after = graph.after_hard if self.advice == "potential" else graph.after_any
            levels: list[int] = []
            for index in paced(part.members):
                level = next((at for at in reversed(range(len(levels))) if after[index] & levels[at]), -1) + 1
                if level == len(levels):
                    levels.append(0)
                levels[level] |= 1 << index
                level_of[part.scope.calls[index].span_id] = level
        pause()
        found: dict[int, list[int]] = {}
        for position, call in paced(enumerate(self.calls)):
            found.setdefault(level_of.get(call.span_id, 0), []).append(position)
        return tuple(tuple(found[level]) for level in sorted(found)) if len(found) > 1 else ()


def contention_candidates(
    scopes: Sequence[Scope], reported: Sequence[Candidate], least_ns: float, notes: list[str]
) -> list[Candidate]:
    """
    Return a candidate for each batch of contending calls if the turn's own scope is contended.

    Calls that held the event loop are known to be able to run at once if their effects allow it, because they were
    started together. If their thread is unknown, they may have held several loops, at once.
    """
    del reported, notes
    own = scopes[-1]
    if not own.contended:
        return []
    found = []
    for group in own.contention.loop.groups:
        # In the rest of their time, the calls may have done work of their own while others held the loop.
        waited = share_held(own.calls, group) >= FILLED and any_overlap(own.calls, group)
        waited = waited and loop_saving_ns(own, group, best=False) >= least_ns
        one_loop = own.calls[group[0]].thread != 0
        known = waited and one_loop and may_run_at_once(own, group)
        found.append(Candidate("blocking", "recommended" if known else "potential", [Part(own, sorted(group))]))
    found += [Candidate("contention", "potential", [Part(own, sorted(batch))]) for batch in own.contention.batches]
    return found


def loop_saving_ns(scope: Scope, group: Sequence[int], *, best: bool) -> int:
    """Return by how much the calls at *group* would end earlier if none held the event loop; see `saved_ns`."""
    return saved_ns(scope.calls, group, scope.contention.loop.baseline_ns, best=best)


def may_run_at_once(scope: Scope, members: Sequence[int]) -> bool:
    """Return whether the effects of the calls at *members* are known not to conflict."""
    graph = scope.graph
    if graph is None:
        return False
    resources = [scope.calls[index].resource for index in members]
    if all(graph.known.effects[index] == "read" for index in paced(members)):
        return True
    return all(resources) and len(set(resources)) == len(resources)


def recommended_candidates(
    scopes: Sequence[Scope], reported: Sequence[Candidate], least_ns: float, notes: list[str]
) -> list[Candidate]:
    """
    Return chains whose calls are known to need nothing from one another.

    Args:
        scopes: All scopes of the turn, its own last.
        reported: Candidates that will be reported already; their calls are left out.
        least_ns: The smallest saving that matters, in nanoseconds.
        notes: Sentences about bounds that cut the search short are added to it.

    Returns:
        An empty list if the turn's own scope is contended, or if all chains together cannot save *least_ns*.
    """
    own = scopes[-1]
    if own.contended or own.totals.makespan_ns - own.critical_ns < max(least_ns, 1):
        return []
    return _joined(scopes, _chains(scopes, reported, notes, best=False), "recommended")


def potential_candidates(
    scopes: Sequence[Scope], reported: Sequence[Candidate], least_ns: float, notes: list[str]
) -> list[Candidate]:
    """Return chains whose calls may need one another, and limits; see `recommended_candidates` for the arguments."""
    own = scopes[-1]
    if own.contended or own.critical_ns - own.unlimited_ns < max(least_ns, 1):
        return []
    found = []
    if own.critical_ns - own.best_ns >= max(least_ns, 1):
        found = _joined(scopes, _chains(scopes, reported, notes, best=True), "potential")
    for scope in scopes:
        if scope.limit is not None and not scope.contended:
            found.append(Candidate("limit", "potential", [Part(scope, list(scope.limit.members))]))
    return found


def _chains(
    scopes: Sequence[Scope], reported: Sequence[Candidate], notes: list[str], *, best: bool
) -> dict[str, tuple[Chain, ...]]:
    """Return the chains of each scope by its id; the calls of candidates that are *reported* are left out."""
    taken: dict[str, int] = {}
    for candidate in reported:
        for part in candidate.parts:
            for index in paced(part.members):
                taken[part.scope.scope_id] = taken.get(part.scope.scope_id, 0) | 1 << index
    chains = {}
    for scope in scopes:
        found = scope.chains(best=best, leave_out=taken.get(scope.scope_id, 0))
        if found is not None:
            chains[scope.scope_id] = found.chains
            if found.bounded:
                notes.append(f"more than {MOST_OPEN} calls ran side by side: the search for chains left some out")
    return chains


def _joined(scopes: Sequence[Scope], chains: Mapping[str, Sequence[Chain]], advice: Advice) -> list[Candidate]:
    """
    Return one candidate for all chains of one scope that have one cause and overlap in time.

    Chains inside several calls of one tool that overlap in time are one candidate too, because one piece of code makes
    them.
    """
    found: list[Candidate] = []
    for scope in scopes:
        of_scope: list[Candidate] = []
        for chain in chains.get(scope.scope_id, ()):
            calls = [scope.calls[index] for index in paced(chain.members)]
            cause = chain_cause(calls, inner=bool(scope.scope_id), unrequested=scope.unrequested)
            members = sorted((*chain.members, *chain.alongside))
            of_scope.append(Candidate(cause, advice, [Part(scope, members)], len(calls)))
        found += _merged(of_scope)
    tool_of = {
        inner.scope_id: (scope.scope_id, scope.calls[index].tool)
        for scope in scopes
        for index, inner in scope.inner.items()
    }
    by_code: dict[tuple[Cause, tuple[str, str]], list[Candidate]] = {}
    result = []
    for candidate in found:
        where = tool_of.get(candidate.parts[0].scope.scope_id)
        if where is None:
            result.append(candidate)
        else:
            by_code.setdefault((candidate.cause, where), []).append(candidate)
    for same_code in by_code.values():
        result += _merged(same_code)
    return sorted(result, key=lambda c: (min(part.scope.depth for part in c.parts), c.start_ns))


def _merged(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Merge candidates that have one cause and overlap in time."""
    merged: list[Candidate] = []
    latest: dict[Cause, Candidate] = {}
    end_ns: dict[Cause, int] = {}
    # By the candidate that takes them in: the members of each scope.
    members: dict[int, dict[str, Part]] = {}
    for candidate in sorted(candidates, key=lambda c: (c.start_ns, c.end_ns)):
        cause = candidate.cause
        last = latest.get(cause)
        if last is not None and candidate.start_ns < end_ns[cause]:
            known = members.setdefault(id(last), {part.scope.scope_id: part for part in last.parts})
            for part in candidate.parts:
                same = known.get(part.scope.scope_id)
                if same is None:
                    known[part.scope.scope_id] = part
                    last.parts.append(part)
                else:
                    same.members += part.members
            last.longest = max(last.longest, candidate.longest)
            end_ns[cause] = max(end_ns[cause], candidate.end_ns)
        else:
            merged.append(candidate)
            latest[cause] = candidate
            end_ns[cause] = candidate.end_ns
    for known in members.values():
        for part in known.values():
            part.members.sort()
    return merged
