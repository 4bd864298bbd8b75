"""A candidate as a finding: its evidence and its recommendation in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.dependencies.kept_order import limit_of
from otel_parallelism.analysis.schedule.contention import even_step_ns, places_inside
from otel_parallelism.model import Finding, FindingKind
from otel_parallelism.pace import paced, pause
from otel_parallelism.shown_names import shown_text

from .advice import common_place, counted_calls, how_to_know, pair_evidence, remedy, unshared_type, writes_among
from .blocking import blocking_calls, blocking_evidence
from .causes import called_from_own_code
from .repeated_calls import repeat_evidence, repeat_remedy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
    from otel_parallelism.analysis.dependencies.experience import Experience
    from otel_parallelism.model import Call, Caller, Cause, EffectSource

    from .candidates import Candidate

_S = 1e9


def _limit(candidate: Candidate) -> int | None:
    """Return how many calls of *candidate* could run or work at once; None if its cause is not a limit."""
    part, calls = candidate.parts[0], candidate.calls
    if candidate.reported_cause == "contention":
        return places_inside(sorted(calls, key=lambda call: (call.end_ns, call.start_ns, call.span_id))) or 1
    if candidate.reported_cause != "limit":
        return None
    return limit_of(calls[0].switch) or (part.scope.limit.most if part.scope.limit is not None else None)


def _contention_evidence(calls: Sequence[Call], places: int) -> str:
    """Return why *calls* are taken to have waited for one another."""
    if all(call.serial_inside for call in calls):
        return "the spans inside them ran one after another"
    in_order = sorted(calls, key=lambda call: (call.end_ns, call.start_ns, call.span_id))
    if not places_inside(in_order):
        return f"they ended one after another, evenly {even_step_ns(in_order) / _S:.3g} s apart"
    each = "one after another" if places == 1 else f"{places} at a time"
    shortest = min(call.duration_ns for call in calls) / _S
    return f"they ended {each}, {shortest:.3g} s apart, which is as long as the shortest call took"


def _fix(cause: Cause, calls: Sequence[Call], graph: Dependencies | None, members: Sequence[int]) -> Caller | None:
    """
    Return where a finding is fixed: where the program makes the calls, or where the function that blocks is defined.

    Code makes the calls in the function that made all of them, and not in one that it calls.
    """
    if cause == "code" or (cause == "dispatch" and called_from_own_code(calls)):
        shared = None if graph is None else graph.source.place(members)
        return common_place(call.caller for call in paced(calls[1:])) if shared is None else shared
    return common_place(call.defined for call in blocking_calls(calls, cause)) if cause == "blocking" else None


def described_repeat(candidate: Candidate) -> Finding:
    """Return *candidate*, whose calls repeat one another, as a finding."""
    calls = candidate.calls
    return Finding(
        kind="repeated_call",
        cause=candidate.reported_cause,
        advice="potential",
        calls=tuple(call.tool for call in calls),
        span_ids=tuple(call.span_id for call in calls),
        avoidable=candidate.avoidable_ns / _S,
        evidence=(shown_text(repeat_evidence(calls)),),
        recommendation=shown_text(repeat_remedy(calls)),
        location=common_place(call.caller for call in calls[1:]) if candidate.reported_cause == "code" else None,
        scope=candidate.parts[0].scope.scope_id,
    )


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
    pause()
    caller = _fix(cause, calls, graph, part.members)
    pause()
    limit = _limit(candidate)
    kind: FindingKind = "sequential_chain"
    evidence: tuple[str, ...] = ()
    to_know = unshared = ""
    stages: tuple[tuple[int, ...], ...] = ()
    pause()
    blocking = blocking_evidence(calls)
    if cause == "blocking" and part.scope.contended:
        kind = "contention"
        evidence = (blocking,)
    elif cause == "contention":
        kind = "contention"
        evidence = (_contention_evidence(calls, limit or 1),)
    else:
        if limit is not None:
            kind = "limit"
            seen = ("most calls started when another ended", f"no more than {limit} of {len(calls)} calls ran at once")
            set_to = next((call.switch for call in calls if limit_of(call.switch) == limit), "")
            evidence = (f"{set_to} lets no more than {counted_calls(limit)} run at once",) if set_to else seen
        else:
            stages = candidate.stages()
            pause()
            evidence = () if graph is None else pair_evidence(graph, part.members)
            evidence = (blocking, *evidence) if blocking else evidence
        pause()
        to_know = "" if graph is None else how_to_know(graph, part.members)
        unshared = "" if graph is None else unshared_type(graph, part.members)
        if experience is not None and advice != "recommended":
            evidence += _experience_evidence(tools, experience)
    pause()
    return Finding(
        kind=kind,
        cause=cause,
        advice=advice,
        calls=tools,
        span_ids=tuple(call.span_id for call in paced(calls)),
        avoidable=candidate.avoidable_ns / _S,
        evidence=tuple(map(shown_text, evidence)),
        recommendation=shown_text(
            remedy(
                cause,
                advice,
                calls,
                caller,
                limit=limit,
                to_know=to_know,
                writes=graph is not None and writes_among(graph, part.members),
                unshared=unshared,
                stages=stages,
                places=part.scope.places,
            )
        ),
        location=caller,
        scope=part.scope.scope_id,
        limit=limit if cause == "limit" else None,
        longest=candidate.longest,
        stages=stages,
        effect_sources=_effect_sources(candidate),
    )


def _effect_sources(candidate: Candidate) -> tuple[EffectSource, ...]:
    """Return how the effect of each call is known; nothing if no effects were examined."""
    known: dict[str, EffectSource] = {}
    for part in candidate.parts:
        graph = part.scope.graph
        if graph is not None:
            known.update(
                (graph.calls[index].span_id, graph.known.effect_sources[index]) for index in paced(part.members)
            )
    return tuple(known.get(call.span_id, "") for call in paced(candidate.calls)) if known else ()


def with_experience(finding: Finding, experience: Experience) -> Finding:
    """Return *finding*, which was described without it, with what *experience* says, as `described` adds it."""
    found = _experience_evidence(finding.calls, experience) if takes_experience(finding) else ()
    return msgspec.structs.replace(finding, evidence=(*finding.evidence, *found)) if found else finding


def takes_experience(finding: Finding) -> bool:
    """Return whether *finding* mentions the earlier turns in which its calls overlapped."""
    return finding.advice != "recommended" and finding.kind in {"sequential_chain", "limit"}


def experience_sentence(turns: int) -> str:
    """Return the evidence that the calls overlapped in so many earlier *turns*, at least one."""
    times = f"{turns} earlier turn{'s' if turns > 1 else ''}"
    return f"they ran at the same time in {times} without an error"


def _experience_evidence(tools: Sequence[str], experience: Experience) -> tuple[str, ...]:
    turns = experience.turns(tools)
    return (experience_sentence(turns),) if turns else ()
