"""
How much time each candidate would save.

Candidates are relaxed one by one, each on top of those before it, so that their savings add up to the whole. What then
remains of the possible saving is added to the largest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.schedule.intervals import totals_of
from otel_parallelism.pace import paced

from .candidates import Candidate, Part, loop_saving_ns
from .causes import chain_cause, largest_cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.analysis.schedule.scopes import Relaxed, Scope
    from otel_parallelism.model import Cause

MOST_CANDIDATES = 32
"""How many candidates are relaxed one by one; the later ones save 0."""

_ORDER: tuple[Cause, ...] = ("dispatch", "blocking", "limit", "contention", "model", "code", "unknown", "intended")
_WITHIN_A_ROUND: frozenset[Cause] = frozenset({"dispatch", "blocking"})


def relax(relaxed: Relaxed, candidate: Candidate) -> None:
    """Add the calls of *candidate* to *relaxed*, each from the start of its part or from an earlier time it has."""
    for part in candidate.parts:
        start_ns = part.start_ns
        of_scope = relaxed.setdefault(part.scope.scope_id, {})
        for index in paced(part.members):
            of_scope[index] = min(start_ns, of_scope.get(index, start_ns))


def estimate_savings(
    own: Scope, candidates: Sequence[Candidate], reported: Iterable[Candidate], least_ns: float, notes: list[str]
) -> None:
    """
    Set ``avoidable_ns`` of each of *candidates*, relaxing them in their order on top of those *reported*.

    Args:
        own: The turn's own scope.
        candidates: Candidates that all have one kind of advice.
        reported: Candidates that will be reported already.
        least_ns: The smallest saving that matters; smaller ones are added to the largest, in nanoseconds.
        notes: A sentence is added if there are more than `MOST_CANDIDATES`.
    """
    if not candidates:
        return
    if own.contended:
        _estimate_contention(own, candidates)
        return
    best = candidates[0].advice == "potential"
    relaxed: Relaxed = {}
    for candidate in reported:
        relax(relaxed, candidate)
    reached_ns = own.critical_ns if best else own.totals.makespan_ns
    goal_ns = own.best_ns if best else own.critical_ns
    for candidate in candidates[:MOST_CANDIDATES]:
        relax(relaxed, candidate)
        length_ns = max(goal_ns, own.length_ns(relaxed, best=best))
        candidate.avoidable_ns = max(0, reached_ns - length_ns)
        reached_ns = min(reached_ns, length_ns)
    limits = [candidate for candidate in candidates if candidate.cause == "limit"]
    largest = max(candidates, key=lambda c: (c.avoidable_ns, len(c.parts[0].members)))
    # If no candidate shortens anything, none of them is the reason why the turn took longer than needed.
    if largest.avoidable_ns:
        largest.avoidable_ns += reached_ns - goal_ns
    largest = max(candidates, key=lambda c: c.avoidable_ns)
    for candidate in candidates:
        if candidate is not largest and candidate.avoidable_ns < max(least_ns, 1):
            largest.avoidable_ns += candidate.avoidable_ns
            candidate.avoidable_ns = 0
    if limits and not any(limit.avoidable_ns for limit in limits):
        # As many calls ran at once as can surely run at once. Whether more can is for the user to know.
        largest = max(limits, key=lambda c: len(c.parts[0].members))
        largest.avoidable_ns = own.best_ns - own.unlimited_ns
    if len(candidates) > MOST_CANDIDATES:
        notes.append(f"more than {MOST_CANDIDATES} findings: the savings of the later ones were not estimated")


def _estimate_contention(own: Scope, candidates: Iterable[Candidate]) -> None:
    """Set what each batch of contending calls would save if it took only as long as its baseline."""
    for candidate in candidates:
        calls = candidate.calls
        if candidate.cause == "blocking":
            best = candidate.advice == "potential"
            candidate.avoidable_ns = loop_saving_ns(own, candidate.parts[0].members, best=best)
            continue
        longest_ns = max(own.contention.baseline_ns[call.span_id] for call in calls)
        candidate.avoidable_ns = max(0, totals_of(calls).makespan_ns - longest_ns)


def set_reported_causes(own: Scope, candidates: Sequence[Candidate]) -> None:
    """
    Set the cause that each of *candidates* states.

    A recommended candidate that spans rounds may also have calls that run one by one within a round. It states the
    cause that has the larger share of what relaxing it alone would save.
    """
    for position, candidate in enumerate(candidates):
        candidate.reported_cause = candidate.cause
        across_rounds = candidate.cause == "model" and candidate.advice == "recommended"
        # Candidates after the first `MOST_CANDIDATES` save 0 and are not reported.
        if across_rounds and position < MOST_CANDIDATES and _within_rounds(candidate) is not None:
            candidate.reported_cause = largest_cause(_shares_ns(own, [candidate]), "model")


def savings_by_cause(own: Scope, candidates: Iterable[Candidate]) -> dict[Cause, int]:
    """
    Split the saving of the recommended ones of *candidates* by cause, in nanoseconds.

    The parts add up to the sum of ``avoidable_ns``: the largest part gets the difference to what the steps save.
    """
    recommended = [candidate for candidate in candidates if candidate.advice == "recommended"]
    if not recommended:
        return {}
    parts = _shares_ns(own, recommended)
    total_ns = sum(candidate.avoidable_ns for candidate in recommended)
    largest = largest_cause(parts, recommended[0].cause)
    parts[largest] = parts.get(largest, 0) + total_ns - sum(parts.values())
    return {cause: part_ns for cause, part_ns in parts.items() if part_ns > 0}


def _shares_ns(own: Scope, recommended: Sequence[Candidate]) -> dict[Cause, int]:
    """Return what each cause costs: first within rounds, then between rounds, then inside calls."""
    steps: dict[Cause, list[Candidate]] = {}
    for candidate in recommended:
        if candidate.cause == "model":
            within = _within_rounds(candidate)
            if within is not None:
                steps.setdefault(within.cause, []).append(within)
        steps.setdefault(candidate.cause, []).append(candidate)
    relaxed: Relaxed = {}
    shares: dict[Cause, int] = {}
    reached_ns = own.totals.makespan_ns
    for cause in _ORDER:
        if cause not in steps:
            continue
        for candidate in steps[cause]:
            _relax_by_round(relaxed, candidate)
        length_ns = max(own.critical_ns, own.length_ns(relaxed))
        if reached_ns > length_ns:
            shares[cause] = reached_ns - length_ns
            reached_ns = length_ns
    return shares


def _relax_by_round(relaxed: Relaxed, candidate: Candidate) -> None:
    """Relax *candidate*; calls whose cause lies within their round are relaxed from the start of that round only."""
    if candidate.cause not in _WITHIN_A_ROUND:
        relax(relaxed, candidate)
        return
    for part in candidate.parts:
        starts_ns: dict[int | None, int] = {}
        for call in paced(part.calls):
            starts_ns.setdefault(call.round, call.start_ns)
        for index in paced(part.members):
            relaxed.setdefault(part.scope.scope_id, {})[index] = starts_ns[part.scope.calls[index].round]


def _within_rounds(candidate: Candidate) -> Candidate | None:
    """Return the calls of *candidate* that share their round with others of it, as a candidate of their own, if any."""
    parts = []
    cause: Cause = "dispatch"
    for part in candidate.parts:
        by_round: dict[int | None, list[int]] = {}
        for index in paced(part.members):
            by_round.setdefault(part.scope.calls[index].round, []).append(index)
        members = [index for some in by_round.values() if len(some) > 1 for index in some]
        for some in paced(by_round.values()):
            if len(some) > 1:
                cause = chain_cause(
                    [part.scope.calls[i] for i in some], inner=False, unrequested=part.scope.unrequested
                )
        if members:
            parts.append(Part(part.scope, sorted(members)))
    if not parts:
        return None
    return Candidate(cause if cause in _WITHIN_A_ROUND else "dispatch", candidate.advice, parts)
