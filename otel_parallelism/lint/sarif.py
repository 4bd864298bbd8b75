"""Findings of the lint as SARIF 2.1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.sarif_log import SarifResult, sarif_log

from .lint_findings import LINT_KINDS

if TYPE_CHECKING:
    from .lint_reports import LintReport


def render_sarif(report: LintReport, version: str) -> str:
    """Return *report* as a SARIF log with one run; *version* is that of this package."""
    results = (
        SarifResult(
            rule=one.kind,
            message=one.message,
            path=one.path,
            line=one.line,
            end_line=one.end_line,
            properties={"fixable": one.fixable},
        )
        for one in report.findings
    )
    return sarif_log(LINT_KINDS.items(), results, version=version, page="lint.md")
