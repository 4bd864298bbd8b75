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


def repeated_candidates(scopes: Sequence[Scope]) -> list[Candidate]:
    """
    Return a candidate for each tool that was called again with equal arguments and returned the same.

    Its saving is what the turn would be shorter without the later calls, while all else keeps its observed order.

    Args:
        scopes: All scopes of the turn, its own last, with their bounds computed.
    """
    own = scopes[-1]
    found = []
    for scope in scopes:
        for repeats in () if scope.graph is None or scope.contended else scope.graph.repeats:
            if repeats.kind != "equal":
                continue
            calls = [scope.calls[index] for index in repeats.positions]
            cause = chain_cause(calls, inner=bool(scope.scope_id), unrequested=scope.unrequested)
            later = {scope.scope_id: frozenset(repeats.positions[1:])}
            candidate = Candidate(cause, "potential", [Part(scope, list(repeats.positions))], len(calls))
            candidate.reported_cause = cause
            candidate.avoidable_ns = own.totals.makespan_ns - own.length_ns({}, dropped=later)
            found.append(candidate)
    return found


def repeat_evidence(calls: Sequence[Call]) -> str:
    """Return a sentence that says what *calls*, the calls of a repeated candidate, have in common."""
    return f"{listing([call.tool for call in calls])} had equal arguments and returned the same"


def repeat_remedy(calls: Sequence[Call]) -> str:
    """Return one sentence that says what to do about *calls*, the calls of a repeated candidate."""
    return f"If nothing changes in between, keep the first result of {calls[0].tool or 'the tool'} and use it again."
