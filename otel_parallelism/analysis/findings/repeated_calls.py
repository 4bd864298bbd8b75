"""Findings about calls that repeat an earlier one and return the same: the first result could have been kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .advice import listing
from .candidates import Candidate, Part
from .causes import chain_cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope
    from otel_parallelism.model import Call


MOST_REPEATED = 32
"""How many candidates are estimated, those first whose later calls took longest; each takes a pass over the turn."""


def repeated_candidates(scopes: Sequence[Scope], least_ns: float, notes: list[str]) -> list[Candidate]:
    """
    Return a candidate for each tool that was called again with equal arguments and returned the same.

    Its saving is what the turn would be shorter without the later calls, while all else keeps its observed order.

    Args:
        scopes: All scopes of the turn, its own last, with their bounds computed.
        least_ns: The smallest saving that matters, in nanoseconds; candidates that cannot save as much are left out.
        notes: A sentence is added if there are more than `MOST_REPEATED`.
    """
    repeated = [
        (scope, repeats.positions)
        for scope in scopes
        if scope.graph is not None and not scope.contended
        for repeats in scope.graph.repeats
        if repeats.kind == "equal"
    ]
    if not repeated:
        return []
    own = scopes[-1]
    unexplained_ns = own.totals.makespan_ns - own.length_ns({})
    # Without the later calls, the turn is shorter by their durations at most.
    most_ns = [
        sum(scope.calls[index].duration_ns for index in positions[1:]) + unexplained_ns for scope, positions in repeated
    ]
    mattering = [place for place, saving_ns in enumerate(most_ns) if saving_ns >= max(least_ns, 1)]
    if len(mattering) > MOST_REPEATED:
        notes.append(f"more than {MOST_REPEATED} calls were repeated: the shorter ones are left out")
        mattering = sorted(sorted(mattering, key=lambda place: -most_ns[place])[:MOST_REPEATED])
    return [_candidate(own, *repeated[place]) for place in mattering]


def _candidate(own: Scope, scope: Scope, positions: Sequence[int]) -> Candidate:
    """Return the candidate of the calls of *scope* at *positions*, with its saving."""
    calls = [scope.calls[index] for index in positions]
    cause = chain_cause(calls, inner=bool(scope.scope_id), unrequested=scope.unrequested)
    candidate = Candidate(cause, "potential", [Part(scope, list(positions))], len(calls))
    candidate.reported_cause = cause
    later = {scope.scope_id: frozenset(positions[1:])}
    candidate.avoidable_ns = own.totals.makespan_ns - own.length_ns({}, dropped=later)
    return candidate


def repeat_evidence(calls: Sequence[Call]) -> str:
    """Return a sentence that says what *calls*, the calls of a repeated candidate, have in common."""
    return f"{listing([call.tool for call in calls])} had equal arguments and returned the same"


def repeat_remedy(calls: Sequence[Call]) -> str:
    """Return one sentence that says what to do about *calls*, the calls of a repeated candidate."""
    return f"If nothing changes in between, keep the first result of {calls[0].tool or 'the tool'} and use it again."
