"""Every form in which the package shows an analysis: tests search them for what must not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.execution.prompt import prompt
from otel_parallelism.reports.html import render_html
from otel_parallelism.reports.json import render_json
from otel_parallelism.reports.notebook import render_fragment
from otel_parallelism.reports.text import render_text
from otel_parallelism.reports.trace_event import render_trace_event

if TYPE_CHECKING:
    from otel_parallelism.model import Analysis


def shown(analysis: Analysis) -> dict[str, str]:
    """Return the texts of every report format, the prompt and the findings' own ``repr``, by name."""
    return {
        "json": render_json(analysis),
        "text": render_text(analysis, width=200, show_silenced=True),
        "page": render_html(analysis, prompt=prompt),
        "trace events": render_trace_event(analysis),
        "prompt": prompt(finding for report in analysis.reports for finding in report.findings),
        "fragments": "".join(render_fragment(report) for report in analysis.reports),
        "findings": repr([(report.findings, report.notes) for report in analysis.reports]),
    }
