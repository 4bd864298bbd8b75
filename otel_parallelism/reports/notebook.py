"""One report as an HTML fragment for a notebook: the timeline, the numbers and the findings of its turn."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from otel_parallelism.shown_names import shown_text

from .parts import summary
from .parts.timeline import turn_extent
from .parts.wording import (
    VERDICTS,
    counted,
    efficiency_range,
    fix_location,
    judged_by_names,
    observation,
    perhaps_costs,
    seconds,
    tool_list,
    two_decimals,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import Call, Finding, Report, Step

MAX_BARS: Final = 60
_MODEL: Final = "#9aa5b1"
_CALL: Final = "#2f9e6e"
_COLOURS: Final = {"recommended": "#d64545", "potential": "#d9a21b"}


def render_fragment(report: Report) -> str:
    """
    Return *report* as an HTML fragment with inline styles, for ``_repr_html_`` methods.

    The fragment holds no script, no link and no arguments or results of calls. All names are escaped. It draws at most
    ``MAX_BARS`` bars and counts the others.
    """
    findings = summary.actionable_findings(report)
    parts = [
        (
            f"<b>{_escaped(summary.turn_title(report))}</b> · "
            f"{report.verdict.replace('_', ' ')}: {VERDICTS[report.verdict]}"
        ),
        " · ".join(_numbers(report)),
        *_timeline(report, findings),
        *(_sentence(finding) for finding in findings),
        *((_escaped(report.recommendation),) if report.recommendation and not findings else ()),
        *map(_escaped, report.notes),
    ]
    lines = "".join(f"<div>{part}</div>" for part in parts)
    return f'<div style="font:13px/1.5 system-ui,sans-serif;max-width:60em">{lines}</div>'


def _numbers(report: Report) -> Iterator[str]:
    yield counted(report.calls, "call") + (f" in {seconds(report.makespan)}" if report.calls else "")
    if report.ratio is not None:
        yield f"ratio {two_decimals(report.ratio)}"
    if report.efficiency is not None:
        yield f"efficiency {efficiency_range(report)}"
    if summary.has_avoidable(report):
        yield f"lost {seconds(report.avoidable)}"
    if summary.may_have_avoidable(report):
        yield f"perhaps lost {seconds(report.avoidable_potential)}"


def _timeline(report: Report, findings: list[Finding]) -> Iterator[str]:
    """Yield one bar for each model request and each call, in order of start."""
    turn = report.turn
    extent = turn_extent(turn)
    colours = {span_id: _COLOURS[finding.advice] for finding in findings for span_id in finding.span_ids}
    bars: list[tuple[Step | Call, str, str]] = [
        *((step, "model", _MODEL) for step in turn.steps),
        *((call, call.tool or "(no name)", colours.get(call.span_id, _CALL)) for call in turn.calls),
    ]
    bars.sort(key=lambda bar: bar[0].start_ns)
    total_ns = extent.duration_ns or 1
    for span, name, colour in bars[:MAX_BARS]:
        duration_ns = max(0, span.end_ns - span.start_ns)
        left = 100 * (span.start_ns - extent.start_ns) / total_ns
        width = max(0.3, 100 * duration_ns / total_ns)
        yield (
            '<span style="display:inline-block;width:25%;overflow:hidden;white-space:nowrap;vertical-align:middle">'
            f"{_escaped(name)}</span>"
            '<span style="display:inline-block;width:60%;vertical-align:middle">'
            '<span style="display:block;height:0.8em;'
            f'margin-left:{min(left, 99.7):.2f}%;width:{width:.2f}%;background:{colour}"></span></span> '
            f"{seconds(duration_ns / 1e9)}"
        )
    if len(bars) > MAX_BARS:
        yield f"and {counted(len(bars) - MAX_BARS, 'more bar')}"


def _sentence(finding: Finding) -> str:
    """Return what the calls of *finding* did, what that costs and what to do."""
    cost = seconds(finding.avoidable)
    certain = finding.advice == "recommended"
    todo, place = finding.recommendation, fix_location(finding)
    if place and place not in todo:
        todo = f"{todo} ({place})"
    happened = f"{tool_list(finding.calls)} {observation(finding)}."
    costs = f"Cost: {cost}." if certain else perhaps_costs(finding, f"Perhaps {cost}")
    return _escaped(" ".join(filter(None, (happened, judged_by_names(finding), costs, todo))))


def _escaped(text: str) -> str:
    return html.escape(shown_text(text))
