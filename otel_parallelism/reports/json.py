"""Reports as one JSON document for programs, such as gates and notebooks."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.analysis.findings.advice import common_setting, framework_of
from otel_parallelism.analysis.findings.fault_keys import finding_id

from .parts.encoding import encoded
from .parts.faults import faults_of
from .parts.json_documents import (
    AnalysisDocument,
    CallDocument,
    CoverageDocument,
    FaultDocument,
    FindingDocument,
    Location,
    TotalsDocument,
    TurnDocument,
    WorstTurn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_parallelism.model import Analysis, Call, Finding, Report, Turn

    from .parts.faults import Fault

SCHEMA_VERSION: Final = 1
"""Raised by one when a key is removed or changes its meaning; new keys leave it as it is."""
SLOWEST_CALLS: Final = 5
_NO_TURNS: Final = '\n  "turns": []'


def render_json(analysis: Analysis) -> str:
    """
    Return *analysis* as indented JSON that ends with a newline.

    Its structure is :class:`AnalysisDocument`. It contains no arguments and no results of calls.
    """
    return "".join(json_parts(analysis))


def json_parts(analysis: Analysis) -> Iterator[str]:
    """Yield the text of `render_json` in parts, so that one turn at a time is in memory."""
    coverage = analysis.coverage
    document = AnalysisDocument(
        schema_version=SCHEMA_VERSION,
        totals=_totals(analysis.reports),
        findings=tuple(_fault(fault, analysis.reports) for fault in faults_of(analysis.reports)),
        turns=(),
        coverage=CoverageDocument(
            calls=coverage.calls,
            calls_without_turn=coverage.calls_without_turn,
            spans=coverage.spans,
            anomalies=coverage.anomalies,
        ),
    )
    before, after = _indented(encoded(document)).split(_NO_TURNS, 1)
    yield before + _NO_TURNS.removesuffix("]")
    ending = ""
    for number, report in enumerate(analysis.reports):
        nested = _indented(b"[[%b]]" % turn_json(report))  # as deep as in the document, after five characters
        yield ("," if number else "") + nested[5:-6]
        ending = "\n  "
    yield f"{ending}]{after}\n"


def _indented(document: bytes) -> str:
    return msgspec.json.format(document, indent=2).decode()


def turn_json(report: Report) -> bytes:
    """Return the turn of *report* as JSON in one line: an item of ``turns`` in the document of `render_json`."""
    return encoded(_turn(report))


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document that `render_json` writes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of otel-parallelism",
        **msgspec.json.schema(AnalysisDocument),
    }


def _totals(reports: Sequence[Report]) -> TotalsDocument:
    calls = findings = silenced = steps = 0
    work, makespan, avoidable, potential = (array("d") for _ in range(4))
    tokens: list[int] = []
    cached: list[int] = []
    for report in reports:  # once: a report may have to be read from a file
        calls += report.calls
        findings += len(report.findings)
        silenced += len(report.silenced)
        steps += report.avoidable_steps
        work.append(report.work)
        makespan.append(report.makespan)
        avoidable.append(report.avoidable)
        potential.append(report.avoidable_potential)
        if report.avoidable_tokens is not None:
            tokens.append(report.avoidable_tokens)
        if report.avoidable_cached_tokens is not None:
            cached.append(report.avoidable_cached_tokens)
    return TotalsDocument(
        turns=len(reports),
        calls=calls,
        findings=findings,
        silenced=silenced,
        work=sum(work),
        makespan=sum(makespan),
        avoidable=sum(avoidable),
        avoidable_potential=sum(potential),
        avoidable_steps=steps,
        avoidable_tokens=sum(tokens) if tokens else None,
        avoidable_cached_tokens=sum(cached) if cached else None,
    )


def _turn(report: Report) -> TurnDocument:
    turn = report.turn
    return TurnDocument(
        trace_id=turn.trace_id,
        span_id=turn.span_id,
        name=turn.name,
        agent=turn.agent or None,
        start=turn.start_ns / 1e9,
        duration=max(0, turn.end_ns - turn.start_ns) / 1e9,
        calls=report.calls,
        ratio=report.ratio,
        efficiency=report.efficiency,
        efficiency_floor=report.efficiency_floor,
        achievable_ratio=report.achievable_ratio,
        effective_ratio=report.effective_ratio,
        work=report.work,
        makespan=report.makespan,
        busy=report.busy,
        peak_concurrency=report.peak_concurrency,
        calls_per_step=report.calls_per_step,
        verdict=report.verdict,
        cause=report.cause,
        recommendation=report.recommendation or None,
        avoidable=report.avoidable,
        avoidable_potential=report.avoidable_potential,
        avoidable_by_cause=dict(report.avoidable_by_cause),
        avoidable_steps=report.avoidable_steps,
        avoidable_tokens=report.avoidable_tokens,
        avoidable_cached_tokens=report.avoidable_cached_tokens,
        chains=report.chains,
        coverage=report.coverage,
        slowest_calls=_slowest(turn),
        findings=tuple(_finding(finding, report) for finding in report.findings),
        silenced=tuple(_finding(finding, report) for finding in report.silenced),
        notes=report.notes,
    )


def _slowest(turn: Turn) -> tuple[CallDocument, ...]:
    """Return the turn's longest calls, without calls made inside others: the longest first, then the earliest."""
    own = (call for call in turn.calls if not call.scope)
    ranked = sorted(own, key=_slowness)[:SLOWEST_CALLS]
    return tuple(
        CallDocument(
            tool=call.tool,
            span_id=call.span_id,
            start=(call.start_ns - turn.start_ns) / 1e9,
            duration=call.duration_ns / 1e9,
        )
        for call in ranked
    )


def _slowness(call: Call) -> tuple[int, int, str]:
    return (-call.duration_ns, call.start_ns, call.span_id)


def _finding(finding: Finding, report: Report) -> FindingDocument:
    location = finding.location
    members = set(finding.span_ids)
    calls = [call for call in report.turn.calls if call.span_id in members]
    return FindingDocument(
        id=finding_id(report, finding),
        kind=finding.kind,
        cause=finding.cause,
        advice=finding.advice,
        calls=finding.calls,
        span_ids=finding.span_ids,
        avoidable=finding.avoidable,
        evidence=finding.evidence,
        location=None if location is None else Location(location.file_path, location.line_number),
        stages=finding.stages,
        effect_sources=finding.effect_sources,
        framework=framework_of(calls) or None,
        setting=common_setting(calls) or None,
    )


def _fault(fault: Fault, reports: Sequence[Report]) -> FaultDocument:
    finding, turn = fault.finding, reports[fault.worst - 1].turn
    location = finding.location
    return FaultDocument(
        id=fault.name,
        kind=finding.kind,
        cause=finding.cause,
        advice=finding.advice,
        agent=fault.agent or None,
        calls=finding.calls,
        count=fault.count,
        turns=len(fault.turns),
        avoidable=fault.avoidable,
        worst=WorstTurn(fault.worst - 1, turn.trace_id, turn.span_id, finding.avoidable),
        recommendation=finding.recommendation or None,
        location=None if location is None else Location(location.file_path, location.line_number),
    )
