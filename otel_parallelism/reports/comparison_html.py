"""A comparison as one self-contained HTML file without a script, with the same turn before and after side by side."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from otel_parallelism.shown_names import shown_name

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
from .parts.static_page import html_heading, html_list, html_table, static_page
from .parts.wording import counted, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model.comparison_types import Comparison, TurnPair, TurnPicture

_LEFT: Final = 150
_WIDTH: Final = 380
_ROW: Final = 18
_TOP: Final = 4
_LONGEST_LABEL: Final = 22


def render_comparison_html(comparison: Comparison) -> str:
    """Return *comparison* as an HTML page that ends with a newline. It has no arguments and no results of calls."""
    return static_page(comparison_headline(comparison), comparison_remarks(comparison), _sections(comparison))


def _sections(comparison: Comparison) -> Iterator[str]:
    shown, others = agents_to_show(comparison)
    for one in shown:
        yield html_heading(agent_heading(one))
        yield html_table(difference_columns(one.differences))
        if one.prediction is not None:
            yield f"<p>{html.escape(prediction_line(one.prediction))}</p>\n"
    if others:
        yield f"<p>and {counted(others, 'more agent')} without a sure difference</p>\n"
    for heading, changes in changes_by_fate(comparison):
        yield html_heading(heading)
        yield html_list((change_line(change), ()) for change in changes)
    if comparison.dated:
        yield html_heading("Since when")
        yield html_list((dated_line(pattern), ()) for pattern in comparison.dated)
    for pair in comparison.pairs:
        yield html_heading(f"One turn of {shown_name(pair.agent)}, before and after")
        yield _side_by_side(pair)


def _side_by_side(pair: TurnPair) -> str:
    length = max(pair.before.duration, pair.after.duration) or 1.0
    same = "The user asked for the same." if pair.same_request else "Both turns call the same tools."
    sides = "".join(
        f"<figure><figcaption>{html.escape(_caption(name, turn))}</figcaption>\n"
        f"{_timeline(name, turn, length)}</figure>\n"
        for name, turn in (("Before", pair.before), ("After", pair.after))
    )
    return f'<p class="quiet">{same}</p>\n<div class="sides">\n{sides}</div>\n'


def _caption(name: str, turn: TurnPicture) -> str:
    lost = f", {seconds(turn.lost)} of it lost" if turn.lost else ""
    return f"{name}: {seconds(turn.duration)}{lost} (trace {shown_name(turn.trace_id)})"


def _timeline(name: str, turn: TurnPicture, length: float) -> str:
    """Return an SVG with a row for the model's requests and one for each call, on a scale that both sides share."""
    scale = (_WIDTH - 10) / (length * 1e6)
    rows: list[str] = []
    at = _TOP
    if turn.steps:
        bars = "".join(_bar("step", at, times, scale, "model request") for times in turn.steps)
        rows.append(_label("model", at) + bars)
        at += _ROW
    for tool, start, duration, failed in turn.calls:
        label = shown_name(tool or "(no name)")
        rows.append(_label(label, at) + _bar("failed" if failed else "call", at, (start, duration), scale, label))
        at += _ROW
    if turn.calls_left_out:
        rows.append(_label(f"and {turn.calls_left_out:,} more", at))
        at += _ROW
    told = html.escape(f"{name}: {counted(len(turn.calls), 'call')} in {seconds(turn.duration)}")
    return (
        f'<svg viewBox="0 0 {_LEFT + _WIDTH} {at + _TOP}" width="{_LEFT + _WIDTH}" role="img" aria-label="{told}">\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def _label(text: str, at: int) -> str:
    short = text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"
    return f'<text x="0" y="{at + 12}">{html.escape(short)}</text>'


def _bar(kind: str, at: int, times: tuple[int, int], scale: float, label: str) -> str:
    start, duration = times
    left = _LEFT + max(0.0, min(start * scale, _WIDTH - 2.0))
    width = max(1.5, min(duration * scale, _LEFT + _WIDTH - left))
    told = html.escape(f"{label}: {seconds(duration / 1e6)}")
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{at + 2}" width="{width:.1f}" height="12" rx="2">'
        f"<title>{told}</title></rect>"
    )
