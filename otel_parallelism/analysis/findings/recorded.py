"""Shows a turn's result as it was recorded on its span when the turn ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Cause, Finding, RecordedFinding, RecordedResult, Report

from .advice import remedy

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALIKE_S = 1e-6


def with_recorded_result(report: Report, recorded: RecordedResult) -> Report:
    """
    Return *report* with the *recorded* verdict, numbers and findings.

    While the turn ran, more was known than its spans tell: arguments, declarations, callers. So the recorded result is
    believed. Numbers that are not recorded stay as they are, as far as they fit. A note says where the two differ. A
    result of fewer calls was recorded before the others were made, and is not shown.

    Args:
        report: The report on the turn, worked out from its spans.
        recorded: What the span of the turn says.
    """
    if not is_complete(recorded, report):
        return report
    findings = _findings(report, recorded)
    same_avoidable = abs(recorded.avoidable - report.avoidable) < _ALIKE_S
    makespan = report.makespan if recorded.makespan is None else recorded.makespan
    work = report.work if recorded.work is None else recorded.work
    busy = report.busy if recorded.busy is None else recorded.busy
    tokens = [step.input_tokens for step in report.turn.steps if step.input_tokens is not None]
    named = {finding.calls for finding in findings}
    return msgspec.structs.replace(
        report,
        verdict=recorded.verdict,
        calls=report.calls if recorded.calls is None else recorded.calls,
        coverage=report.coverage if recorded.coverage is None else recorded.coverage,
        work=work,
        makespan=makespan,
        busy=busy,
        ratio=recorded.ratio,
        concurrency=work / busy if busy else None,
        effective_ratio=recorded.effective_ratio,
        peak_concurrency=report.peak_concurrency if recorded.peak_concurrency is None else recorded.peak_concurrency,
        critical_path=None if recorded.efficiency is None else recorded.efficiency * makespan,
        achievable_ratio=recorded.achievable_ratio,
        efficiency=recorded.efficiency,
        efficiency_floor=recorded.efficiency_floor,
        avoidable=recorded.avoidable,
        avoidable_potential=recorded.avoidable_potential,
        avoidable_by_cause=report.avoidable_by_cause if same_avoidable else _by_cause(findings),
        avoidable_steps=recorded.avoidable_steps,
        avoidable_tokens=round(recorded.avoidable_steps * sum(tokens) / len(tokens)) if tokens else None,
        chains=recorded.chains,
        max_chain_length=recorded.max_chain_length,
        cause=recorded.cause,
        recommendation=recorded.recommendation,
        findings=findings,
        silenced=tuple(finding for finding in report.silenced if finding.calls not in named),
        notes=(*report.notes, *_differences(report, recorded)),
        schedule=report.schedule if same_avoidable else (),
    )


def is_complete(recorded: RecordedResult, report: Report) -> bool:
    """Return whether *recorded* is about no fewer calls than *report* has, so that it is shown instead."""
    return recorded.calls is None or recorded.calls >= report.calls


def _by_cause(findings: Sequence[Finding]) -> dict[Cause, float]:
    sums: dict[Cause, float] = {}
    for finding in findings:
        if finding.advice == "recommended":
            sums[finding.cause] = sums.get(finding.cause, 0.0) + finding.avoidable
    return sums


def _differences(report: Report, recorded: RecordedResult) -> list[str]:
    """Return sentences on what the spans alone would tell otherwise."""
    found = []
    if recorded.calls is not None and recorded.calls != report.calls:
        found.append(f"{recorded.calls:,} calls were recorded; this input has {report.calls:,} of them")
    if recorded.verdict != report.verdict:
        verdict = report.verdict.replace("_", " ")
        found.append(f"shown as recorded when it ended; from its spans alone (--recompute) it would be {verdict}")
    return found


def _findings(report: Report, recorded: RecordedResult) -> tuple[Finding, ...]:
    """Return the recorded findings with the calls that they name; the same findings of *report* tell which."""
    left = [finding for finding in report.findings if finding.advice != "intended"]
    taken: set[str] = set()
    matched: list[Finding | None] = []
    for one in recorded.findings:
        same = next((f for f in left if (f.kind, f.calls) == (one.kind, one.tools)), None)
        if same is not None:
            left.remove(same)
            taken.update(same.span_ids)
        matched.append(same)
    top = max(recorded.findings, key=lambda one: (one.advice == "recommended", one.avoidable), default=None)
    return tuple(
        _finding(report, one, same, taken, text=recorded.recommendation if one is top else "")
        for one, same in zip(recorded.findings, matched, strict=True)
    )


def _finding(report: Report, one: RecordedFinding, same: Finding | None, taken: set[str], *, text: str) -> Finding:
    """Return *one* as a finding; *same* is the finding of *report* on the same calls, *text* its recommendation."""
    if same is None:
        calls = _named(report.turn.calls, one.tools, taken)
        taken.update(call.span_id for call in calls)
        same = Finding(
            kind=one.kind,
            cause=one.cause,
            advice=one.advice,
            calls=one.tools,
            span_ids=tuple(call.span_id for call in calls),
            avoidable=one.avoidable,
            longest=len(one.tools),
            scope=calls[0].scope if calls else "",
        )
    changed = (same.cause, same.advice, same.location) != (one.cause, one.advice, one.location)
    if not text:
        by_id = {call.span_id: call for call in report.turn.calls}
        calls = [by_id[span_id] for span_id in same.span_ids if span_id in by_id]
        rewritten = changed or not same.recommendation
        text = remedy(one.cause, one.advice, calls, one.location) if rewritten and calls else same.recommendation
    return msgspec.structs.replace(
        same,
        cause=one.cause,
        advice=one.advice,
        avoidable=one.avoidable,
        evidence=one.evidence,
        location=one.location,
        recommendation=text,
    )


def _named(calls: Sequence[Call], tools: Sequence[str], taken: set[str]) -> list[Call]:
    """Return the first of *calls*, in order of start, that *tools* name and that are not *taken*, all of one scope."""
    wanted = Counter(tools)
    for scope in dict.fromkeys(call.scope for call in calls):
        left = wanted.copy()
        found = []
        for call in calls:
            if call.scope == scope and call.span_id not in taken and left[call.tool] > 0:
                left[call.tool] -= 1
                found.append(call)
        if len(found) == len(tools):
            return found
    return []
