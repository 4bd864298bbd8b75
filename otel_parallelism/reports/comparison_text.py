"""A comparison as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from .parts.comparison_rows import (
    agent_heading,
    agents_to_show,
    change_line,
    changes_by_fate,
    comparison_headline,
    comparison_remarks,
    dated_line,
    difference_columns,
    prediction_line,
)
from .parts.layout import fitted_table, printed, to_ascii, wrapped_lines
from .parts.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from otel_parallelism.model.comparison_types import Comparison

_MIN_WIDTH: Final = 40
_LISTED: Final = 10


def render_comparison_text(
    comparison: Comparison, *, width: int, colour: bool = False, ascii_only: bool = False
) -> str:
    """
    Return *comparison* as text that ends with a newline.

    Args:
        comparison: Two inputs, before and after a change, or one.
        width: Cells of a line; at least 40 are used.
        colour: Whether to add ANSI colours.
        ascii_only: Whether to use only ASCII characters.
    """
    width = max(width, _MIN_WIDTH)
    text = printed(_document(comparison, width), width, colour=colour)
    return to_ascii(text) if ascii_only else text


def _document(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    style = "bold red" if comparison.worse else "bold"
    yield from wrapped_lines(Text(comparison_headline(comparison), style=style), width)
    yield from _agents(comparison, width)
    for heading, changes in changes_by_fate(comparison):
        yield Text()
        yield Text(heading, style="bold")
        for change in changes[:_LISTED]:
            yield from wrapped_lines(Text(f"  {change_line(change)}"), width, 4)
        if len(changes) > _LISTED:
            yield Text(f"  and {counted(len(changes) - _LISTED, 'more pattern')}", style="dim")
    if comparison.dated:
        yield Text()
        yield Text("Since when", style="bold")
        for pattern in comparison.dated:
            yield from wrapped_lines(Text(f"  {dated_line(pattern)}"), width, 4)
    remarks = list(comparison_remarks(comparison))
    if remarks:
        yield Text()
    for remark in remarks:
        yield from wrapped_lines(Text(remark, style="dim"), width)


def _agents(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    shown, others = agents_to_show(comparison)
    for one in shown:
        yield Text()
        yield Text(agent_heading(one), style="bold")
        yield fitted_table(difference_columns(one.differences), width, ("interval", "before"))
        if one.prediction is not None:
            yield from wrapped_lines(Text(f" {prediction_line(one.prediction)}"), width, 1)
    if others:
        yield from wrapped_lines(Text(f"and {counted(others, 'more agent')} without a sure difference"), width)
