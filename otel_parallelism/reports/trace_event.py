"""
Reports as Chrome Trace Event JSON, for ui.perfetto.dev and chrome://tracing.

A turn is a process. Its calls are on lanes, as many as calls ran at once. Its model steps have lanes of their own, and
each sequential chain is a flow from call to call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from otel_parallelism.shown_names import shown_name, shown_text

from .parts import summary
from .parts.encoding import encoded
from .parts.lanes import assigned_lanes
from .parts.wording import fix_location, relative

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import Analysis, Call, Finding, Report, Step, Turn

_TURN: Final = 1
_MODEL: Final = 2
_US: Final = 1_000
_Value: TypeAlias = str | int | float | bool | Sequence[str]


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    One trace event.

    Attributes:
        ph: X for a slice, M for a name; s, t and f for the start, a step and the end of a flow.
        pid: The number of the turn, from 1.
        tid: The number of the lane in the turn.
        ts: Start in microseconds; fractions are nanoseconds.
        dur: Duration in microseconds.
    """

    ph: Literal["X", "M", "s", "t", "f"]
    pid: int
    tid: int
    name: str
    ts: float | None = None
    dur: float | None = None
    cat: str = ""
    id: str = ""
    bp: str = ""
    args: Mapping[str, _Value] | None = None


class TraceDocument(msgspec.Struct, frozen=True):
    """The whole file: events, and in ``otherData`` the time that ``ts`` is relative to."""

    traceEvents: tuple[Event, ...]  # noqa: N815 - the format's own names
    displayTimeUnit: Literal["ms"]  # noqa: N815 - as above
    otherData: Mapping[str, _Value]  # noqa: N815 - as above


def render_trace_event(analysis: Analysis, *, base: str = "") -> str:
    """
    Return *analysis* as a Chrome Trace Event document that ends with a newline.

    Its structure is :class:`TraceDocument`. It contains no arguments and no results of calls.

    Args:
        analysis: The reports to show.
        base: A folder; names of files in it are shown relative to it.
    """
    # A double holds microseconds since 1970 with a precision of 0.25 µs only, so times are relative to the first event.
    origin_ns = min((_earliest(report.turn) for report in analysis.reports), default=0)
    events = [
        event
        for number, report in enumerate(analysis.reports, 1)
        for event in _Process(number, report, origin_ns, base).events()
    ]
    document = TraceDocument(tuple(events), "ms", {"origin_unix_ns": str(origin_ns), "producer": "otel-parallelism"})
    return msgspec.json.format(encoded(document), indent=1).decode() + "\n"


def _earliest(turn: Turn) -> int:
    return min((turn.start_ns, *(step.start_ns for step in turn.steps), *(call.start_ns for call in turn.calls)))


class _Process:
    """The events of one turn."""

    def __init__(self, number: int, report: Report, origin_ns: int, base: str) -> None:
        self._number = number
        self._report = report
        self._origin_ns = origin_ns
        self._base = base.rstrip("/")

    def events(self) -> Iterator[Event]:
        turn = self._report.turn
        name = f"{self._number} · {summary.turn_title(self._report)} · {self._report.verdict.replace('_', ' ')}"
        yield self._named("process_name", 0, name)
        yield Event("M", self._number, 0, "process_sort_index", args={"sort_index": self._number})
        yield from self._lane(_TURN, "turn")
        yield self._slice(turn, _TURN, summary.turn_title(self._report), "turn", self._of_turn())
        step_lanes = assigned_lanes(turn.steps)
        width = max(step_lanes, default=-1) + 1
        for lane in range(width):
            yield from self._lane(_MODEL + lane, "model")
        for step, lane in zip(turn.steps, step_lanes, strict=True):
            yield self._slice(step, _MODEL + lane, "model", "model", {})
        first = _MODEL + width
        call_lanes = assigned_lanes(turn.calls)
        for lane in range(max(call_lanes, default=-1) + 1):
            yield from self._lane(first + lane, f"calls {lane + 1}")
        placed = {call.span_id: (call, first + lane) for call, lane in zip(turn.calls, call_lanes, strict=True)}
        findings = summary.actionable_findings(self._report)
        part_of = {span_id: at for at, finding in enumerate(findings, 1) for span_id in finding.span_ids}
        for call, lane in placed.values():
            arguments = self._of_call(call, part_of.get(call.span_id))
            yield self._slice(call, lane, shown_name(call.tool or "(no name)"), "call", arguments)
        for at, finding in enumerate(findings, 1):
            if finding.kind == "sequential_chain":
                yield from self._flow(at, finding, placed)

    def _flow(self, at: int, finding: Finding, placed: Mapping[str, tuple[Call, int]]) -> Iterator[Event]:
        """Yield the flow events of *finding*: one at the start of each of its calls."""
        through = [placed[span_id] for span_id in finding.span_ids if span_id in placed]
        for position, (call, lane) in enumerate(through):
            last = position == len(through) - 1
            yield Event(
                "s" if not position else "f" if last else "t",
                self._number,
                lane,
                f"[{at}] {finding.cause}",
                self._at(call.start_ns),
                cat="chain",
                id=f"{self._number}.{at}",
                bp="e" if last else "",
            )

    def _of_call(self, call: Call, finding: int | None) -> dict[str, _Value]:
        arguments: dict[str, _Value] = {"span_id": call.span_id, "effect": call.effect}
        if call.error:
            arguments["failed"] = True
        if call.round is not None:
            arguments["round"] = call.round
        if finding is not None:
            arguments["finding"] = finding
        return arguments

    def _of_turn(self) -> dict[str, _Value]:
        """Return the turn's measurements, and the advice of each finding."""
        report = self._report
        arguments: dict[str, _Value] = {
            "trace_id": report.turn.trace_id,
            "span_id": report.turn.span_id,
            "verdict": report.verdict,
            "calls": report.calls,
            "avoidable_s": report.avoidable,
            "avoidable_potential_s": report.avoidable_potential,
        }
        if report.ratio is not None:
            arguments["ratio"] = report.ratio
        if report.efficiency is not None:
            arguments["efficiency"] = report.efficiency
        if report.efficiency_floor is not None:
            arguments["efficiency_floor"] = report.efficiency_floor
        for at, finding in enumerate(summary.actionable_findings(report), 1):
            where = fix_location(finding)
            todo = shown_text(finding.recommendation)
            text = f"{todo} ({where})" if where and where not in todo else todo
            arguments[f"finding {at}"] = relative(text, self._base)
        return arguments

    def _slice(
        self, span: Turn | Step | Call, lane: int, name: str, category: str, arguments: Mapping[str, _Value]
    ) -> Event:
        dur = max(0, span.end_ns - span.start_ns) / _US
        return Event("X", self._number, lane, name, self._at(span.start_ns), dur, category, args=arguments or None)

    def _lane(self, lane: int, name: str) -> Iterator[Event]:
        yield self._named("thread_name", lane, name)
        yield Event("M", self._number, lane, "thread_sort_index", args={"sort_index": lane})

    def _named(self, kind: str, lane: int, name: str) -> Event:
        return Event("M", self._number, lane, kind, args={"name": name})

    def _at(self, instant_ns: int) -> float:
        return (instant_ns - self._origin_ns) / _US
