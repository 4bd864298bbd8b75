"""What findings of one fault have in common: the same calls, at the same place, of the same agent."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from otel_parallelism.model import Finding, Report

FaultKey: TypeAlias = tuple[object, ...]

_ID_DIGITS: Final = 8


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


def finding_id(report: Report, finding: Finding) -> str:
    """
    Return a short name for the fault that *finding*, of *report*, shows: eight hexadecimal digits.

    It follows from kind, cause, tools, agent, enclosing tool, and the file's own name and line. So it is the same in
    every report on the same program, in whatever folder that is, until the line changes.
    """
    place = finding.location
    where = "" if place is None else f"{place.file_path.replace(chr(92), '/').rpartition('/')[2]}:{place.line_number}"
    agent = report.turn.agent or report.turn.name
    parts = (finding.kind, finding.cause, *sorted(set(finding.calls)), agent, tool_around(report, finding), where)
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:_ID_DIGITS]


def tool_around(report: Report, finding: Finding) -> str:
    """Return the tool inside which the calls of *finding* run; an empty string for calls of the turn itself."""
    if not finding.scope:
        return ""
    return next((call.tool for call in report.turn.calls if finding.scope == call.span_id), "")
