"""The report on coding agents' sessions as text: what was asked for one at a time, and which lines would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from otel_parallelism.shown_names import shown_name, shown_text

from .parts.fleet_rows import long_time, pattern_line
from .parts.layout import printed, to_ascii, wrapped_lines
from .parts.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from otel_parallelism.model.session_types import InstructionLine, OrderedTool, SessionsReport

_MIN_WIDTH: Final = 40
_MOST_NAMED: Final = 5


def render_sessions_text(report: SessionsReport, *, width: int, colour: bool = False, ascii_only: bool = False) -> str:
    """
    Return *report* as text that ends with a newline.

    Args:
        report: The sums over the turns of coding agents.
        width: Cells of a line; at least 40 are used.
        colour: Whether to add ANSI colours.
        ascii_only: Whether to use only ASCII characters.
    """
    width = max(width, _MIN_WIDTH)
    text = printed(_document(report, width), width, colour=colour)
    return to_ascii(text) if ascii_only else text


def _document(report: SessionsReport, width: int) -> Iterator[RenderableType]:
    if not report.turns:
        yield from wrapped_lines(Text("No turn of a coding agent with a response was found.", style="bold"), width)
        yield from _places(report, width)
        yield from _left_out(report, width)
        return
    yield from wrapped_lines(Text(_headline(report), style="bold"), width)
    for sentence in _summary(report):
        yield from wrapped_lines(Text(sentence), width)
    for number, pattern in enumerate(report.fleet.patterns, 1):
        if number == 1:
            yield Text()
            yield Text("Asked for one at a time", style="bold")
        style = "red" if pattern.advice == "recommended" else "yellow"
        text = f"{number:>3} {pattern_line(pattern)} · {shown_name(pattern.agent)}"
        yield from wrapped_lines(Text(text, style=style), width, 6)
    if report.lines:
        yield Text()
        yield Text("Lines for CLAUDE.md or AGENTS.md", style="bold")
        for line in report.lines:
            yield from wrapped_lines(Text(f"- {line.text}"), width, 2)
            yield from wrapped_lines(Text(f"  ({_worth(line)})", style="dim"), width, 2)
    if report.kept_order:
        yield Text()
        kept = ", ".join(f"{shown_name(each.tool)} ({_kept(each)})" for each in report.kept_order)
        yield from wrapped_lines(Text(f"Their order was kept, since they write or may write: {kept}."), width)
    yield Text()
    yield from _places(report, width)
    yield from _left_out(report, width)


def _kept(each: OrderedTool) -> str:
    """Return how many calls of a tool write, and of how many that is unknown."""
    numbers = ((each.writes, "write"), (each.unknown, "unknown"))
    return ", ".join(f"{number:,} {what}" for number, what in numbers if number)


def _headline(report: SessionsReport) -> str:
    cost = f"{long_time(report.lost)} lost" if report.lost else "nothing known to be lost"
    if report.steps:
        cost += f" and {counted(report.steps, 'model request')}"
    if report.tokens:
        cached = f", {report.cached_tokens:,} of them cached" if report.cached_tokens else ""
        cost += f" with {counted(report.tokens, 'input token')}{cached}"
    perhaps = f", perhaps {long_time(report.perhaps)}{' more' if report.lost else ''}" if report.perhaps else ""
    turns = f"{counted(report.turns, 'turn')} of {counted(report.sessions, 'session')}"
    return f"{turns} · {counted(report.calls, 'call')} · {cost}{perhaps}"


def _summary(report: SessionsReport) -> Iterator[str]:
    if report.responses:
        yield f"{report.alone:,} of {counted(report.responses, 'response')} with calls asked for one call only."
    if report.waited:
        yield f"Waiting for the person: {long_time(report.waited)}. It is in no other number."
    if report.batches:
        yield (
            f"Cancelled together: {counted(report.cancelled, 'call')} in {counted(report.batches, 'response')}, the "
            f"widest of {counted(report.widest, 'call')}, because another call of the response failed."
        )


def _worth(line: InstructionLine) -> str:
    turns = counted(line.turns, "turn")
    if line.cancelled:
        return f"{counted(line.cancelled, 'call')} cancelled in {counted(line.turns, 'response')}"
    parts = [long_time(line.lost), turns]
    if line.steps:
        parts.insert(1, counted(line.steps, "model request"))
    if line.tokens:
        parts.append(counted(line.tokens, "input token"))
    return " · ".join(parts)


def _places(report: SessionsReport, width: int) -> Iterator[RenderableType]:
    yield Text("Looked in" if not report.turns else "Read", style="bold")
    for place in report.places:
        if report.turns and not place.files:
            continue
        found = counted(place.files, "file") if place.exists else "no such folder"
        yield from wrapped_lines(Text(f"  {place.agent}: {shown_text(place.folder)} ({found})"), width, 4)


def _left_out(report: SessionsReport, width: int) -> Iterator[RenderableType]:
    if report.broken:
        yield from wrapped_lines(Text(f"Not read: {counted(report.broken, 'broken line')}.", style="yellow"), width)
    if report.untimed:
        yield from wrapped_lines(
            Text(f"Not read: {counted(report.untimed, 'record')} without a time.", style="yellow"), width
        )
    if report.unknown:
        named = sorted(report.unknown.items(), key=lambda item: (-item[1], item[0]))
        kinds = ", ".join(f"{shown_text(kind)} ({number:,})" for kind, number in named[:_MOST_NAMED])
        more = f" and {counted(len(named) - _MOST_NAMED, 'more kind')}" if len(named) > _MOST_NAMED else ""
        unknown = counted(sum(report.unknown.values()), "record")
        text = f"Not read: {unknown} of unknown kinds: {kinds}{more}."
        yield from wrapped_lines(Text(text, style="yellow"), width)
    for reason in report.unreadable[:_MOST_NAMED]:
        yield from wrapped_lines(Text(f"Not read: {shown_text(reason)}", style="yellow"), width)
    if len(report.unreadable) > _MOST_NAMED:
        more_files = counted(len(report.unreadable) - _MOST_NAMED, "more file")
        yield Text(f"Not read: {more_files}.", style="yellow")
