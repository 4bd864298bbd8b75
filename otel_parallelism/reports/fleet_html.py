"""A fleet's report as one self-contained HTML file without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parts.fleet_rows import (
    COLUMNS,
    HEADINGS,
    calls_not_counted,
    fleet_headline,
    fleet_next_step,
    group_columns,
    pattern_line,
    pattern_remarks,
    response_line,
)
from .parts.static_page import html_heading, html_list, html_remark, html_table, static_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model.fleet_types import FleetReport


def render_fleet_html(report: FleetReport, *, base: str = "") -> str:
    """
    Return *report* as an HTML page that ends with a newline.

    Args:
        report: The sums of many turns.
        base: A folder; names of files in it are shown relative to it.
    """
    paragraphs = (
        fleet_next_step(report.top),
        response_line(report.total),
        calls_not_counted(report),
        *report.notes,
    )
    return static_page(fleet_headline(report), paragraphs, _sections(report, base.rstrip("/")))


def _sections(report: FleetReport, base: str) -> Iterator[str]:
    if report.patterns:
        yield html_heading("Patterns")
        yield html_list((pattern_line(pattern), pattern_remarks(pattern, base)) for pattern in report.patterns)
    for grouping, groups in report.groups.items():
        if groups:
            yield html_heading(HEADINGS[grouping])
            yield html_table(group_columns(groups, grouping, base))
    if any(report.groups.values()):
        yield html_remark(COLUMNS)
