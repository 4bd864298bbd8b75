"""Reports as text for a terminal: the avoidable time, where it is lost, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from otel_parallelism.analysis.findings.fault_keys import FaultKey, fault_key, finding_id, tool_around
from otel_parallelism.shown_names import shown_name, shown_text, without_middle

from .parts import summary
from .parts.fault_table import fault_table
from .parts.faults import Fault, faults_of, turns_to_show
from .parts.layout import printed, to_ascii, unbreakable, wrapped_lines
from .parts.timeline import ASCII, BLOCKS, timeline_rows, turn_extent
from .parts.wording import (
    VERDICTS,
    counted,
    efficiency_range,
    fix_location,
    judged_by_names,
    observation,
    perhaps_costs,
    relative,
    seconds,
    tool_list,
    two_decimals,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from otel_parallelism.model import Analysis, Finding, Report

    from .parts.timeline import Row

MANY_TURNS: Final = 10
RANKED_FAULTS: Final = 10
DETAILED_TURNS: Final = 3
MIN_WIDTH: Final = 40
_MAX_LABEL: Final = 30
_LEGENDS: Final = {"+": "(digits: calls at once, +: ten or more)"} | dict.fromkeys(
    "23456789", "(digits: calls at once)"
)
_NEARLY: Final = 0.005
_STYLES: Final = {
    "sequential": "bold red",
    "partly_sequential": "bold yellow",
    "contended": "bold yellow",
    "possibly_sequential": "bold yellow",
    "unseen": "bold yellow",
    "negligible": "bold",
    "accepted": "bold",
    "recommended": "red",
    "potential": "yellow",
}
_FINE: Final = "green"
_MODEL: Final = "cyan"
_QUIET: Final = "dim"


class View(msgspec.Struct, frozen=True):
    """
    How a report is laid out.

    Attributes:
        width: Cells of a line.
        ascii_only: Whether to use only ASCII characters.
        base: The folder that file names are relative to.
        show_silenced: Whether silenced findings are listed.
    """

    width: int
    ascii_only: bool
    base: str
    show_silenced: bool = False

    def relative(self, text: str) -> str:
        """Return *text* with its file names made relative to the base."""
        return relative(text, self.base)


def render_text(
    analysis: Analysis,
    *,
    width: int,
    colour: bool = False,
    ascii_only: bool = False,
    base: str = "",
    show_silenced: bool = False,
) -> str:
    """
    Return *analysis* as text that ends with a newline.

    The first line says how much time could be saved, the second where to start. Each turn follows, in order of start,
    with its timeline, its numbers and its findings. Findings of the same calls at the same place over several turns are
    described once, in one of these turns. Of more than ``MANY_TURNS`` turns, only those with the findings that lose
    most time in all are shown. The text contains no arguments and no results of calls.

    Args:
        analysis: The reports to show.
        width: Cells of a line; at least ``MIN_WIDTH`` are used.
        colour: Whether to add ANSI colours.
        ascii_only: Whether to use only ASCII characters.
        base: A folder; names of files in it are shown relative to it.
        show_silenced: Whether silenced findings are listed; they are always counted.
    """
    view = View(max(width, MIN_WIDTH), ascii_only, base.rstrip("/"), show_silenced)
    text = printed(_document(analysis, view), view.width, colour=colour)
    return to_ascii(text) if ascii_only else text


def _document(analysis: Analysis, view: View) -> Iterator[RenderableType]:
    reports = analysis.reports
    fine = bool(reports) and all(summary.is_fine(report) for report in reports)
    yield from wrapped_lines(
        Text(summary.summary_line(analysis), style=f"bold {_FINE}" if fine else "bold"), view.width
    )
    faults = faults_of(reports)
    yield from wrapped_lines(Text(view.relative(summary.starting_point(analysis, faults))), view.width)
    if len(reports) > MANY_TURNS and len(faults) > DETAILED_TURNS:
        yield Text()
        yield fault_table(faults[:RANKED_FAULTS], view.width, _STYLES)
        if len(faults) > RANKED_FAULTS:
            yield Text(f"and {counted(len(faults) - RANKED_FAULTS, 'more finding')}", style=_QUIET)
    shown = faults[:DETAILED_TURNS] if len(reports) > MANY_TURNS else faults
    told = _Told({fault.key: fault for fault in faults}, turns_to_show(shown))
    numbers = _numbers_to_show(reports, told)
    for number in numbers:
        yield Text()
        yield from _turn(number, reports[number - 1], view, told)
    if left_out := summary.left_out(reports, set(numbers), told.hosts):
        yield Text()
        yield from wrapped_lines(Text(left_out, style=_QUIET), view.width)
    remarks = list(summary.input_remarks(analysis))
    if remarks:
        yield Text()
    for remark in remarks:
        yield from wrapped_lines(Text(remark, style=_STYLES["potential"]), view.width)


class _Told(msgspec.Struct, frozen=True):
    """The faults by their key, and the number of the turn that describes each."""

    faults: dict[FaultKey, Fault]
    hosts: dict[FaultKey, int]


def _numbers_to_show(reports: Sequence[Report], told: _Told) -> list[int]:
    """Return the numbers of the turns to describe, in order: those that host a fault, and a few without any."""
    shown = set(told.hosts.values())
    if len(reports) <= MANY_TURNS:
        shown |= {number for number, report in enumerate(reports, 1) if not summary.actionable_findings(report)}
        return sorted(shown)
    return list(dict.fromkeys(told.hosts.values()))


def _turn(number: int, report: Report, view: View, told: _Told) -> Iterator[Text]:
    findings = summary.actionable_findings(report)
    heading = Text.assemble(
        (f"Turn {number} · {summary.turn_title(report)} · ", "bold"),
        (_words(report.verdict), _STYLES.get(report.verdict, f"bold {_FINE}")),
        f": {VERDICTS[report.verdict]}",
    )
    yield from wrapped_lines(heading, view.width, 2)
    numbers = " · ".join(unbreakable(phrase) for phrase in _numbers(report))
    yield from wrapped_lines(Text(f"  {numbers}"), view.width, 2)
    if report.turn.calls:
        yield from _timeline(report, findings, view)
    described: dict[FaultKey, str] = {}
    for position, finding in enumerate(findings, 1):
        key = fault_key(report, finding)
        host = told.hosts.get(key, number)
        like = described.get(key, "") if host == number else f"turn {host:,}"
        if not like:
            described[key] = f"[{position}]"
            yield from _finding(position, finding, report, view, told.faults.get(key))
        else:
            cost = ("" if finding.advice == "recommended" else "perhaps ") + seconds(finding.avoidable)
            text = f"  [{position}] {tool_list(finding.calls)}{f': {cost}' if finding.avoidable else ''}, as in {like}."
            yield from wrapped_lines(Text(text, style=_STYLES[finding.advice]), view.width, 6)
    if report.recommendation and not findings:
        yield from wrapped_lines(Text(f"  → {view.relative(shown_text(report.recommendation))}"), view.width, 4)
    if report.silenced:
        lost = seconds(sum(finding.avoidable for finding in report.silenced))
        yield Text(f"  {counted(len(report.silenced), 'finding')} of {lost} silenced", style=_QUIET)
        for finding in report.silenced if view.show_silenced else ():
            yield from _finding("silenced", finding, report, view)
    for note in report.notes:
        yield from wrapped_lines(Text(f"  {shown_text(note)}", style=_QUIET), view.width, 2)


def _numbers(report: Report) -> Iterator[str]:
    """Yield the main numbers of a turn, each as one phrase."""
    yield counted(report.calls, "call") + (f" in {seconds(report.makespan)}" if report.calls else "")
    if report.ratio is not None:
        achievable = report.achievable_ratio
        more = achievable is not None and achievable - report.ratio > _NEARLY
        yield f"ratio {two_decimals(report.ratio)}" + (f" of {two_decimals(achievable)} achievable" if more else "")
        effective = report.effective_ratio
        if effective is not None and report.ratio - effective > _NEARLY:
            yield f"effective {two_decimals(effective)}"
    if report.efficiency is not None:
        yield f"efficiency {efficiency_range(report)}"
    if summary.has_avoidable(report):
        yield f"lost {seconds(report.avoidable)}"
    if summary.may_have_avoidable(report):
        yield f"perhaps lost {seconds(report.avoidable_potential)}"
    if report.steps:
        yield f"model {seconds(report.think)} in {counted(report.steps, 'step')}"
    if report.coverage < 1:
        yield f"coverage {two_decimals(report.coverage)}"


def _timeline(report: Report, findings: Sequence[Finding], view: View) -> Iterator[Text]:
    """Yield rows of finding number, name, bar and duration, and an axis below them."""
    numbers = {span_id: at for at, finding in enumerate(findings, 1) for span_id in finding.span_ids}
    styles = {at: _STYLES[finding.advice] for at, finding in enumerate(findings, 1)}
    glyphs = ASCII if view.ascii_only else BLOCKS
    draft = timeline_rows(report, numbers, 1, glyphs)
    label = min(max(cell_len(row.label + row.suffix) for row in draft if row.bar), _MAX_LABEL, view.width // 3)
    note = max(cell_len(row.note) for row in draft)
    mark = max(len(_mark(row)) for row in draft)
    before = 2 + mark + bool(mark) + label + 1
    cells = max(view.width - before - 1 - note, 8)
    drawn = timeline_rows(report, numbers, cells, glyphs)
    for row in drawn:
        if not row.bar:
            yield Text("  " + row.label, style=_QUIET)
            continue
        start = f"  {_mark(row):<{mark}}{' ' * bool(mark)}{_fitted(row, label)} "
        style = _MODEL if row.kind == "model" else styles[row.findings[0]] if row.findings else _FINE
        yield Text.assemble(start, (row.bar, style), f" {row.note:>{note}}")
    end = seconds(turn_extent(report.turn).duration_ns / 1e9)
    between = cells - 1 - len(end)
    signs = {sign for row in drawn for sign in row.bar}
    legend = next((text for sign, text in _LEGENDS.items() if sign in signs), "")
    yield Text(" " * before + "0" + (legend if len(legend) < between else "").center(between) + end, style=_QUIET)


def _fitted(row: Row, cells: int) -> str:
    if cell_len(row.label + row.suffix) <= cells:
        return set_cell_size(row.label + row.suffix, cells)
    room = cells - cell_len(row.suffix)
    short = without_middle(row.label, room - 1)
    shown = short if cell_len(short) <= room else set_cell_size(row.label, room - 1) + "…"
    return set_cell_size(shown, room) + row.suffix


def _mark(row: Row) -> str:
    """Return the number of the row's first finding in brackets, and ``+`` if the row has more."""
    return "".join(f"[{number}]" for number in row.findings[:1]) + ("+" if len(row.findings) > 1 else "")


def _finding(
    number: int | str, finding: Finding, report: Report, view: View, fault: Fault | None = None
) -> Iterator[Text]:
    """Yield a sentence with the observation and its cost, then one with the advice and the place."""
    style = _STYLES[finding.advice]
    cost = f"{seconds(finding.avoidable)} of {seconds(report.makespan)}"
    around = tool_around(report, finding)
    inside = f"inside {shown_name(around)}: " if around else ""
    known = finding.advice == "recommended"
    by_names = judged_by_names(finding)
    sentence = Text.assemble(
        (f"  [{number}]", style),
        f" {inside}{tool_list(finding.calls)} {observation(finding)}. ",
        (f"{by_names} " if by_names else ""),
        (unbreakable(f"Cost: {cost}.") if known else perhaps_costs(finding, unbreakable(f"Perhaps {cost}")), style),
        (f" {summary.repetition(fault)}" if fault is not None and fault.count > 1 else "", style),
    )
    yield from wrapped_lines(sentence, view.width, 6)
    todo, at = view.relative(shown_text(finding.recommendation)), view.relative(fix_location(finding))
    if at and at not in todo:
        todo = f"{todo.rstrip('.')} ({at})." if todo else f"See {at}."
    if todo:
        advice = Text.assemble(f"    → {todo}", " ", (unbreakable(f"[fix {finding_id(report, finding)}]"), _QUIET))
        yield from wrapped_lines(advice, view.width, 6)


def _words(name: str) -> str:
    return name.replace("_", " ")
