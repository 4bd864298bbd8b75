"""A fleet's report as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

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
from .parts.layout import fitted_table, printed, to_ascii, wrapped_lines
from .parts.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from otel_parallelism.model.fleet_types import FleetReport

_MIN_WIDTH: Final = 40
_LEFT_OUT_FIRST: Final = ("several calls", "calls/response", "worst tenth", "ratio", "perhaps", "efficiency")


def render_fleet_text(
    report: FleetReport, *, width: int, colour: bool = False, ascii_only: bool = False, base: str = ""
) -> str:
    """
    Return *report* as text that ends with a newline: the patterns that lose most, then a table for each grouping.

    Args:
        report: The sums of many turns.
        width: Cells of a line; at least 40 are used.
        colour: Whether to add ANSI colours.
        ascii_only: Whether to use only ASCII characters.
        base: A folder; names of files in it are shown relative to it.
    """
    width = max(width, _MIN_WIDTH)
    text = printed(_document(report, width, base.rstrip("/")), width, colour=colour)
    return to_ascii(text) if ascii_only else text


def _document(report: FleetReport, width: int, base: str) -> Iterator[RenderableType]:
    yield from wrapped_lines(Text(fleet_headline(report), style="bold"), width)
    for line in (fleet_next_step(report.top), response_line(report.total)):
        yield from wrapped_lines(Text(line), width) if line else ()
    yield from _patterns(report, width, base)
    yield from _groups(report, width, base)
    for remark in _remarks(report):
        yield from wrapped_lines(Text(remark, style="yellow"), width)


def _patterns(report: FleetReport, width: int, base: str) -> Iterator[RenderableType]:
    for number, pattern in enumerate(report.patterns, 1):
        style = "red" if pattern.advice == "recommended" else "yellow"
        if number == 1:
            yield Text()
        yield from wrapped_lines(Text(f"{number:>3} {pattern_line(pattern)}", style=style), width, 6)
        for remark in pattern_remarks(pattern, base):
            yield from wrapped_lines(Text(f"    {remark}"), width, 6)
    if report.patterns_left_out:
        yield Text(f"    and {counted(report.patterns_left_out, 'more pattern')}", style="dim")


def _groups(report: FleetReport, width: int, base: str) -> Iterator[RenderableType]:
    """Yield a table for each grouping, and what its columns mean."""
    for grouping, groups in report.groups.items():
        if groups:
            yield Text()
            yield Text(HEADINGS[grouping], style="bold")
            yield fitted_table(group_columns(groups, grouping, base), width, _LEFT_OUT_FIRST)
            if more := report.groups_left_out.get(grouping):
                yield Text(f" and {more:,} more", style="dim")
    if any(report.groups.values()):
        yield Text()
        yield from wrapped_lines(Text(COLUMNS, style="dim"), width)


def _remarks(report: FleetReport) -> Iterator[str]:
    if not_counted := calls_not_counted(report):
        yield not_counted
    for note in report.notes:
        yield f"{note[:1].upper()}{note[1:]}."
