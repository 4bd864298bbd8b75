"""A candidate as a finding: its evidence and its recommendation in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.model import Finding, FindingKind

from .advice import common_caller, how_to_know, pair_evidence, remedy
from .candidates import Candidate, first_to_end

if TYPE_CHECKING:
    from otel_parallelism.analysis.dependencies.experience import Experience

_S = 1e9


def described(candidate: Candidate, experience: Experience | None) -> Finding:
    """
    Return *candidate* as a finding.

    Args:
        candidate: With its savings estimated and its reported cause set.
        experience: What earlier turns showed, if there were any; a potential finding mentions it.
    """
    calls, cause, advice = candidate.calls, candidate.reported_cause, candidate.advice
    tools = tuple(call.tool for call in calls)
    part = candidate.parts[0]
    graph = part.scope.graph
    caller = common_caller(calls[1:]) if cause == "code" else None
    limit = part.scope.limit.most if cause == "limit" and part.scope.limit is not None else None
    kind: FindingKind = "sequential_chain"
    evidence: tuple[str, ...] = ()
    to_know = ""
    stages: tuple[tuple[int, ...], ...] = ()
    if cause == "contention":
        kind = "contention"
        shortest = part.scope.contention.baseline_ns[first_to_end(calls).span_id] / _S
        evidence = (f"{len(calls)} calls overlap, but their ends are {shortest:.3g} s apart, the shortest duration",)
    else:
        if limit is not None:
            kind = "limit"
            evidence = (f"no more than {limit} of {len(calls)} calls ran at once, and most started when another ended",)
        else:
            stages = candidate.stages()
            evidence = () if graph is None else pair_evidence(graph, part.members)
        to_know = "" if graph is None else how_to_know(graph, part.members)
        turns = 0 if experience is None or advice == "recommended" else experience.turns(tools)
        if turns:
            times = f"{turns} earlier turn{'s' if turns > 1 else ''}"
            evidence += (f"they ran at the same time in {times} without an error",)
    return Finding(
        kind=kind,
        cause=cause,
        advice=advice,
        calls=tools,
        span_ids=tuple(call.span_id for call in calls),
        avoidable=candidate.avoidable_ns / _S,
        evidence=evidence,
        recommendation=remedy(cause, advice, calls, caller, limit=limit, to_know=to_know, stages=stages),
        location=caller,
        scope=part.scope.scope_id,
        limit=limit,
        longest=candidate.longest,
        stages=stages,
    )
