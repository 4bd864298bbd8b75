"""Findings with a place as SARIF 2.1.0, so that code scanning shows them at the line where the fix goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism.sarif_log import SarifResult, sarif_log
from otel_parallelism.shown_names import shown_name, shown_text

from .parts.faults import faults_of
from .parts.wording import counted, observation, seconds, tool_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_parallelism.model import Analysis, FindingKind, Report

    from .parts.faults import Fault

FINDING_RULES: Final[Mapping[FindingKind, str]] = {
    "sequential_chain": "Calls of an agent's tools ran one after another although none needs another.",
    "limit": "A limit lets fewer calls of an agent's tools run at once than could.",
    "contention": "Calls of an agent's tools overlap, yet wait for one another.",
    "repeated_call": "An agent called a tool again with the same arguments.",
    "over_parallel": "So many calls of an agent's tools ran at once that it did harm.",
}
"""One sentence on each kind of finding."""


def render_findings_sarif(analysis: Analysis, version: str, base: str = "") -> str:
    """
    Return the findings of *analysis* as a SARIF log with one run.

    Findings of the same calls at the same place in several turns are one result, with their number. A recommended
    finding is a warning, a potential one a note. Findings without a place are left out.

    Args:
        analysis: What to report on.
        version: The version of this package.
        base: A folder; files in it are named relative to it.
    """
    return sarif_log(
        FINDING_RULES.items(), _results(analysis.reports), version=version, page="reference/report.md", base=base
    )


def _results(reports: Sequence[Report]) -> Iterator[SarifResult]:
    for fault in faults_of(reports):
        finding = fault.finding
        location = finding.location
        if location is None or location.line_number < 1:
            continue
        yield SarifResult(
            rule=finding.kind,
            message=_message(fault),
            path=location.file_path,
            line=location.line_number,
            end_line=location.line_number,
            level="warning" if finding.advice == "recommended" else "note",
            count=fault.count,
            properties={
                "id": fault.name,
                "agent": shown_name(fault.agent),
                "cause": finding.cause,
                "advice": finding.advice,
                "avoidable": fault.avoidable,
                "turns": len(fault.turns),
            },
        )


def _message(fault: Fault) -> str:
    finding = fault.finding
    inside = f" inside {shown_name(fault.around)}" if fault.around else ""
    happened = f"{shown_name(fault.agent)}: {tool_list(finding.calls)}{inside} {observation(finding)}"
    price = "Cost:" if finding.advice == "recommended" else "Perhaps"
    cost = f"{price} {seconds(fault.avoidable)} in {counted(len(fault.turns), 'turn')}" if fault.avoidable else ""
    sentences = (happened, cost, shown_text(finding.recommendation))
    return " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)
