"""A turn as rows of bars made of characters: its model steps and its calls, to scale."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from otel_parallelism.analysis.schedule.intervals import concurrency
from otel_parallelism.model import Interval
from otel_parallelism.shown_names import shown_name

from .wording import counted, multiplicity, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from otel_parallelism.model import Call, Report, Step, Turn

MAX_CALL_ROWS: Final = 20
MAX_TOOL_ROWS: Final = 20
_MAX_INDENT: Final = 4
_LARGEST_DIGIT: Final = 9


class Row(msgspec.Struct, frozen=True):
    """
    One line of a timeline.

    A ``more`` row has no bar; its label counts the calls without a row. ``suffix`` follows the label and is kept where
    the label is cut. ``findings`` are the numbers, from 1, of the findings that its calls belong to.
    """

    kind: Literal["model", "call", "more"]
    label: str
    suffix: str = ""
    bar: str = ""
    note: str = ""
    findings: tuple[int, ...] = ()


class Glyphs(msgspec.Struct, frozen=True):
    """The characters of a bar. If the halves equal the full cell, bars end on whole cells."""

    full: str
    left: str
    right: str
    model: str

    @property
    def per_cell(self) -> int:
        """The number of parts of a cell that can be filled separately."""
        return 1 if self.left == self.full else 2


BLOCKS: Final = Glyphs(full="█", left="▌", right="▐", model="░")
ASCII: Final = Glyphs(full="#", left="#", right="#", model=".")


class Scale(msgspec.Struct, frozen=True):
    """Maps the time interval *extent* to *cells* characters."""

    extent: Interval
    cells: int

    def bar(self, spans: Sequence[Interval], glyphs: Glyphs) -> str:
        """Return *spans* as one bar. A digit is the number of spans open at once; the shortest span gets one part."""
        levels = [0] * (self.cells * glyphs.per_cell)
        for start, end, level in _levels(spans):
            for part in range(*self._parts(start, end, len(levels))):
                levels[part] = max(levels[part], level)
        cells = (levels[at : at + glyphs.per_cell] for at in range(0, len(levels), glyphs.per_cell))
        return "".join(_cell(parts, glyphs) for parts in cells)

    def _parts(self, start_ns: int, end_ns: int, available: int) -> tuple[int, int]:
        length = self.extent.duration_ns or 1
        first, last = (round((at - self.extent.start_ns) * available / length) for at in (start_ns, end_ns))
        first = min(max(first, 0), available - 1)
        return first, min(max(last, first + 1), available)


def turn_extent(turn: Turn) -> Interval:
    """Return the interval of the turn's steps and calls; the turn's own interval if it has none."""
    spans = [*_spans(turn.steps), *_spans(turn.calls)] or [Interval(turn.start_ns, turn.end_ns)]
    return Interval(min(span.start_ns for span in spans), max(span.end_ns for span in spans))


def timeline_rows(report: Report, findings: Mapping[str, int], cells: int, glyphs: Glyphs) -> tuple[Row, ...]:
    """
    Return the lines of *report*'s timeline, bars *cells* wide: model steps first, then the calls.

    Up to ``MAX_CALL_ROWS`` calls have a row each, and calls made inside a call are indented below it. If there are
    more, the calls of one tool share a row.

    Args:
        report: The report of the turn.
        findings: By span id of a call, the number of the finding that it belongs to.
        cells: Characters of a bar.
        glyphs: The characters to draw with.
    """
    turn = report.turn
    scale = Scale(turn_extent(turn), cells)
    made = _call_rows if len(turn.calls) <= MAX_CALL_ROWS else _tool_rows
    calls = tuple(made(turn, findings, scale, glyphs))
    if not turn.steps:
        return calls
    bar = scale.bar(_spans(turn.steps), glyphs).translate(dict.fromkeys(map(ord, _solid(glyphs)), glyphs.model))
    return (Row("model", "model", bar=bar, note=seconds(report.think)), *calls)


def _call_rows(turn: Turn, findings: Mapping[str, int], scale: Scale, glyphs: Glyphs) -> Iterator[Row]:
    for depth, call in _nested(turn):
        number = findings.get(call.span_id)
        yield Row(
            "call",
            "  " * min(depth, _MAX_INDENT) + shown_name(call.tool or "(no name)"),
            bar=scale.bar(_spans([call]), glyphs),
            note=("failed " if call.error else "") + seconds(call.duration_ns / 1e9),
            findings=() if number is None else (number,),
        )


def _tool_rows(turn: Turn, findings: Mapping[str, int], scale: Scale, glyphs: Glyphs) -> Iterator[Row]:
    together: dict[tuple[bool, str], list[Call]] = {}
    for call in turn.calls:
        together.setdefault((bool(call.scope), call.tool), []).append(call)
    ranked = sorted(together, key=lambda key: -sum(call.duration_ns for call in together[key]))
    shown = set(ranked[:MAX_TOOL_ROWS])
    for nested, tool in sorted(shown, key=lambda key: (key[0], together[key][0].start_ns, key[1])):
        calls = together[nested, tool]
        yield Row(
            "call",
            "  " * nested + shown_name(tool or "(no name)"),
            multiplicity(len(calls)),
            bar=scale.bar(_spans(calls), glyphs),
            note=seconds(sum(call.duration_ns for call in calls) / 1e9),
            findings=tuple(sorted({findings[call.span_id] for call in calls if call.span_id in findings})),
        )
    if left := ranked[MAX_TOOL_ROWS:]:
        calls_left = sum(len(together[key]) for key in left)
        yield Row("more", f"and {counted(calls_left, 'shorter call')} of {counted(len(left), 'more tool')}")


def _nested(turn: Turn) -> Iterator[tuple[int, Call]]:
    """Yield each call with its depth, before the calls made inside it, otherwise in order of start."""
    inside: dict[str, list[Call]] = {}
    known = {call.span_id for call in turn.calls}
    for call in turn.calls:
        inside.setdefault(call.scope if call.scope in known else "", []).append(call)
    waiting = [(0, call) for call in reversed(inside.pop("", []))]
    while waiting:
        depth, call = waiting.pop()
        yield depth, call
        waiting.extend((depth + 1, inner) for inner in reversed(inside.pop(call.span_id, [])))


def _spans(things: Iterable[Call] | Iterable[Step]) -> list[Interval]:
    return [Interval(thing.start_ns, max(thing.start_ns, thing.end_ns)) for thing in things]


def _levels(spans: Sequence[Interval]) -> Iterator[tuple[int, int, int]]:
    """Yield ``(start, end, level)`` where any of *spans* is open; an empty span has level 1."""
    for (at, level), (until, _) in pairwise(concurrency(spans)):
        if level:
            yield at, until, level
    yield from ((span.start_ns, span.start_ns, 1) for span in spans if not span.duration_ns)


def _cell(parts: Sequence[int], glyphs: Glyphs) -> str:
    most = max(parts)
    if most > 1:
        return str(most) if most <= _LARGEST_DIGIT else "+"
    if all(parts):
        return glyphs.full
    return (glyphs.left if parts[0] else glyphs.right) if most else " "


def _solid(glyphs: Glyphs) -> str:
    return glyphs.full + glyphs.left + glyphs.right
