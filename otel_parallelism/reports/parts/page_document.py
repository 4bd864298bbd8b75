"""The JSON document of the HTML page: turns, bars and findings in a compact form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from otel_parallelism.analysis.findings.fault_keys import tool_around
from otel_parallelism.model import Cause, Verdict
from otel_parallelism.shown_names import shown_name, shown_text

from . import summary
from .measures import MEASURES, TurnMeasure, measures_of
from .timeline import turn_extent
from .wording import (
    CAUSES,
    VERDICTS,
    counted,
    fix_location,
    judged_by_names,
    observation,
    relative,
    seconds,
    tool_list,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import Analysis, Finding, Report, Slot, Turn

    from .faults import Fault

Prompt: TypeAlias = Callable[[Sequence["Finding"]], str]
Bar: TypeAlias = list[int]
_US: Final = 1_000
MOST_FAULTS: Final = 50


class FindingPart(msgspec.Struct, frozen=True):
    """
    A finding; ``happened``, ``todo``, ``place``, ``evidence`` and ``prompt`` are positions of strings.

    ``calls`` are positions in the calls of the turn. ``prompt`` continues the page's ``guidance``; it is None if the
    model is not the cause.
    """

    cause: str
    advice: str
    kind: str
    happened: int
    avoidable: float
    todo: int
    place: int
    evidence: tuple[int, ...]
    calls: tuple[int, ...]
    prompt: int | None


class TurnPart(msgspec.Struct, frozen=True):
    """
    A turn. Times are in microseconds after the start of its first step or call.

    A bar of ``steps`` is ``[start, duration]``. A bar of ``calls`` is ``[tool, start, duration, around, flags]``, where
    ``around`` is the position of the enclosing call or -1, and ``flags`` is 1 if the call failed and absent otherwise.
    ``planned`` has start and duration of each call in the safe schedule; it is empty if nothing is avoidable.
    """

    title: int
    started: str
    trace_id: str
    span_id: str
    verdict: str
    efficiency: float | None
    floor: float | None
    makespan: float
    avoidable: float
    perhaps: float
    cause: str | None
    numbers: tuple[tuple[int, str], ...]
    length: int
    steps: tuple[Bar, ...]
    calls: tuple[Bar, ...]
    planned: tuple[Bar, ...]
    findings: tuple[FindingPart, ...]
    remarks: tuple[int, ...]


class FaultPart(msgspec.Struct, frozen=True):
    """
    Findings of the same calls at the same place: how often and how much; ``happened`` and ``place`` as in a finding.

    ``worst`` is the position of the turn with the largest of them, ``most`` what that turn would save alone.
    """

    cause: str
    advice: str
    happened: int
    place: int
    agent: int
    turns: int
    avoidable: float
    worst: int
    most: float


class PageDocument(msgspec.Struct, frozen=True):
    """
    The whole document. Other fields refer to ``strings`` by position; each prompt starts with ``guidance``.

    ``faults`` are the findings of all turns, the largest sum first, at most ``MOST_FAULTS``.
    """

    turns: tuple[TurnPart, ...]
    faults: tuple[FaultPart, ...]
    measures: tuple[TurnMeasure, ...]
    verdicts: Mapping[Verdict, str]
    causes: Mapping[Cause, str]
    guidance: str
    strings: tuple[str, ...]


def page_document(
    analysis: Analysis, faults: Sequence[Fault], *, prompt: Prompt | None = None, base: str = ""
) -> PageDocument:
    """
    Return the document for *analysis*. It contains no arguments and no results of calls.

    Args:
        analysis: The reports to show.
        faults: The faults that they show, the largest sum first.
        prompt: Returns the text of a system prompt for findings; for no findings, the start that all such texts share.
        base: A folder; names of files in it are shown relative to it.
    """
    builder = _DocumentBuilder(prompt, base.rstrip("/"))
    turns = tuple(builder.turn(report) for report in analysis.reports)
    largest = tuple(builder.fault(fault) for fault in faults[:MOST_FAULTS])
    return PageDocument(turns, largest, MEASURES, VERDICTS, CAUSES, builder.guidance, tuple(builder.strings))


class _DocumentBuilder:
    """Builds the parts of the document, and collects their strings so that each is stored once."""

    def __init__(self, prompt: Prompt | None, base: str) -> None:
        self._prompt = prompt
        self._base = base
        self.guidance = "" if prompt is None else prompt(())
        self.strings: dict[str, int] = {}

    def turn(self, report: Report) -> TurnPart:
        turn = report.turn
        began_ns = turn_extent(turn).start_ns
        numbers = {call.span_id: at for at, call in enumerate(turn.calls)}
        return TurnPart(
            title=self._string(summary.turn_title(report)),
            started=_instant(turn.start_ns),
            trace_id=shown_name(turn.trace_id),
            span_id=shown_name(turn.span_id),
            verdict=report.verdict,
            efficiency=report.efficiency,
            floor=report.efficiency_floor,
            makespan=report.makespan,
            avoidable=report.avoidable if summary.has_avoidable(report) else 0.0,
            perhaps=report.avoidable_potential if summary.may_have_avoidable(report) else 0.0,
            cause=report.cause,
            numbers=tuple(measures_of(report)),
            length=turn_extent(turn).duration_ns // _US,
            steps=tuple([(s.start_ns - began_ns) // _US, max(0, s.end_ns - s.start_ns) // _US] for s in turn.steps),
            calls=tuple(
                [
                    self._string(shown_name(call.tool or "(no name)")),
                    (call.start_ns - began_ns) // _US,
                    call.duration_ns // _US,
                    numbers.get(call.scope, -1),
                    *([1] if call.error else ()),
                ]
                for call in turn.calls
            ),
            planned=tuple(_planned(report.schedule, turn, began_ns)),
            findings=tuple(self._finding(finding, report, numbers) for finding in summary.actionable_findings(report)),
            remarks=tuple(self._string(text) for text in self._remarks(report)),
        )

    def fault(self, fault: Fault) -> FaultPart:
        finding = fault.finding
        inside = f"inside {shown_name(fault.around)}: " if fault.around else ""
        return FaultPart(
            cause=finding.cause,
            advice=finding.advice,
            happened=self._string(
                f"{inside}{tool_list(finding.calls)} {observation(finding)}. {judged_by_names(finding)}".rstrip()
            ),
            place=self._string(relative(fix_location(finding), self._base)),
            agent=self._string(shown_name(fault.agent)),
            turns=len(fault.turns),
            avoidable=fault.avoidable,
            worst=fault.worst - 1,
            most=finding.avoidable,
        )

    def _finding(self, finding: Finding, report: Report, numbers: Mapping[str, int]) -> FindingPart:
        around = tool_around(report, finding)
        inside = f"inside {shown_name(around)}: " if around else ""
        todo, at = (relative(text, self._base) for text in (shown_text(finding.recommendation), fix_location(finding)))
        text = None
        if self._prompt is not None and finding.cause == "model":
            text = self._string(self._prompt((finding,)).removeprefix(self.guidance))
        return FindingPart(
            cause=finding.cause,
            advice=finding.advice,
            kind=finding.kind,
            happened=self._string(
                f"{inside}{tool_list(finding.calls)} {observation(finding)}. {judged_by_names(finding)}".rstrip()
            ),
            avoidable=finding.avoidable,
            todo=self._string(todo),
            place=self._string(at),
            evidence=tuple(self._string(shown_text(sentence)) for sentence in finding.evidence),
            calls=tuple(numbers[span_id] for span_id in finding.span_ids if span_id in numbers),
            prompt=text,
        )

    def _remarks(self, report: Report) -> Iterator[str]:
        if report.recommendation and not summary.actionable_findings(report):
            yield relative(shown_text(report.recommendation), self._base)
        if report.silenced:
            lost = seconds(sum(finding.avoidable for finding in report.silenced))
            yield f"{counted(len(report.silenced), 'finding')} of {lost} silenced."
        yield from report.notes

    def _string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))


def _planned(schedule: Sequence[Slot], turn: Turn, began_ns: int) -> Iterator[Bar]:
    """Yield start and duration of each call in the safe schedule, in the order of the turn's calls."""
    if not schedule:
        return
    slots = {slot.span_id: slot for slot in schedule}
    offset_us = (turn.start_ns - began_ns) / _US
    for call in turn.calls:
        slot = slots.get(call.span_id)
        if slot is None:
            yield [(call.start_ns - began_ns) // _US, call.duration_ns // _US]
        else:
            yield [max(0, round(slot.start_s * 1e6 + offset_us)), round((slot.end_s - slot.start_s) * 1e6)]


def _instant(at_ns: int) -> str:
    """Return a time in UTC, to the second; an empty string if it is outside the range of `datetime`."""
    try:
        return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return ""
