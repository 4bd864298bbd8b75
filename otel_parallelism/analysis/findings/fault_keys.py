"""What findings of one fault have in common: the same calls, at the same place, of the same agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from otel_parallelism.model import Finding, Report

FaultKey: TypeAlias = tuple[object, ...]


def fault_key(report: Report, finding: Finding) -> FaultKey:
    """Return what *finding*, of *report*, has in common with other findings of the same fault."""
    return (
        finding.advice == "recommended",
        finding.kind,
        finding.cause,
        tuple(sorted(set(finding.calls))),
        report.turn.agent or report.turn.name,
        tool_around(report, finding),
        finding.location,
    )


def tool_around(report: Report, finding: Finding) -> str:
    """Return the tool inside which the calls of *finding* run; an empty string for calls of the turn itself."""
    if not finding.scope:
        return ""
    return next((call.tool for call in report.turn.calls if finding.scope == call.span_id), "")
