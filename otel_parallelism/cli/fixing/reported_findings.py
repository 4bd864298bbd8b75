"""Reads the findings that can be fixed: from a JSON report, or from spans, which are analysed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.analysis.findings.advice import common_setting, framework_of
from otel_parallelism.cli.stored_report import stored_report
from otel_parallelism.errors import UnreadableError
from otel_parallelism.model import Advice, Caller, Cause, Finding, FindingKind
from otel_parallelism.model.turn_types import EffectSource
from otel_parallelism.readers.parsing.opening import BYTE_ORDER_MARK
from otel_parallelism.reports.parts.faults import faults_of
from otel_parallelism.shown_names import shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Analysis

_REPORT: Final = re.compile(rb"(?:" + BYTE_ORDER_MARK + rb')?\s*\{\s*"schema_version"\s*:')
_HEAD_BYTES: Final = 1_000
_MOST_NAMED: Final = 10


class ReportedFinding(msgspec.Struct, frozen=True):
    """
    A finding of a report, over all turns that show it.

    Attributes:
        id: The short name that reports print.
        agent: The agent whose turns show it.
        finding: The finding of the worst turn.
        avoidable_s: The sum of the avoidable time of all these turns.
        framework: What made the calls, as a framework or an instrumentation calls itself; empty if unknown.
        setting: The setting that limits the calls, such as ``max_concurrency=1``; empty if there is none.
        efficiency: That of the worst turn.
        makespan_s: That of the worst turn.
        trace_id: That of the worst turn.
    """

    id: str
    agent: str
    finding: Finding
    avoidable_s: float
    framework: str = ""
    setting: str = ""
    efficiency: float | None = None
    makespan_s: float = 0.0
    trace_id: str = ""

    @property
    def expected_efficiency(self) -> float | None:
        """The efficiency that the worst turn would have without this finding; None if that is unknown."""
        left = self.makespan_s - self.finding.avoidable
        if self.efficiency is None or left <= 0 or self.finding.advice != "recommended":
            return None
        return min(1.0, self.efficiency * self.makespan_s / left)


class _Place(msgspec.Struct):
    file_path: str
    line_number: int


class _TurnFinding(msgspec.Struct):
    id: str
    kind: FindingKind
    cause: Cause
    advice: Advice
    calls: tuple[str, ...]
    span_ids: tuple[str, ...]
    avoidable: float
    evidence: tuple[str, ...] = ()
    location: _Place | None = None
    stages: tuple[tuple[int, ...], ...] = ()
    effect_sources: tuple[EffectSource, ...] = ()
    framework: str | None = None
    setting: str | None = None


class _Turn(msgspec.Struct):
    trace_id: str
    efficiency: float | None
    makespan: float
    findings: list[_TurnFinding]


class _Worst(msgspec.Struct):
    position: int


class _Fault(msgspec.Struct):
    id: str
    agent: str | None
    avoidable: float
    worst: _Worst
    recommendation: str | None


class _ReadReport(msgspec.Struct):
    findings: list[_Fault]
    turns: list[_Turn]


def is_report(name: str) -> bool:
    """Return whether the file called *name* begins as a JSON report does; a pipe, which can be read once, is none."""
    try:
        if not Path(name).is_file():
            return False
        with Path(name).open("rb") as file:
            return _REPORT.match(file.read(_HEAD_BYTES)) is not None
    except OSError:
        return False


def findings_in_report(name: str) -> list[ReportedFinding]:
    """
    Return the findings of the JSON report called *name*, in its order.

    Raises:
        UnreadableError: The file cannot be read, is no report of ``--format json`` with ids of findings, or has a newer
            schema.
    """
    expected = "a report of run or analyze with --format json"
    report = stored_report(name, _ReadReport, expected)
    found = []
    for fault in report.findings:
        turn = report.turns[fault.worst.position] if 0 <= fault.worst.position < len(report.turns) else None
        same = [one for one in turn.findings if one.id == fault.id] if turn is not None else []
        if turn is None or not same:
            raise UnreadableError(name, None, f"finding {fault.id} is in no turn of the report", expected)
        worst = max(same, key=lambda one: one.avoidable)
        finding = Finding(
            kind=worst.kind,
            cause=worst.cause,
            advice=worst.advice,
            calls=worst.calls,
            span_ids=worst.span_ids,
            avoidable=worst.avoidable,
            evidence=worst.evidence,
            recommendation=fault.recommendation or "",
            location=None if worst.location is None else Caller(worst.location.file_path, worst.location.line_number),
            stages=worst.stages,
            effect_sources=worst.effect_sources,
        )
        found.append(
            ReportedFinding(
                id=fault.id,
                agent=fault.agent or "",
                finding=finding,
                avoidable_s=fault.avoidable,
                framework=worst.framework or "",
                setting=worst.setting or "",
                efficiency=turn.efficiency,
                makespan_s=turn.makespan,
                trace_id=turn.trace_id,
            )
        )
    return found


def findings_of(analysis: Analysis) -> list[ReportedFinding]:
    """Return the findings of *analysis*, in the order of a report."""
    found = []
    for fault in faults_of(analysis.reports):
        report = analysis.reports[fault.worst - 1]
        members = set(fault.finding.span_ids)
        calls = [call for call in report.turn.calls if call.span_id in members]
        found.append(
            ReportedFinding(
                id=fault.name,
                agent=fault.agent,
                finding=fault.finding,
                avoidable_s=fault.avoidable,
                framework=framework_of(calls),
                setting=common_setting(calls),
                efficiency=report.efficiency,
                makespan_s=report.makespan,
                trace_id=report.turn.trace_id,
            )
        )
    return found


def chosen(found: Sequence[ReportedFinding], wanted: str, name: str) -> ReportedFinding:
    """
    Return the finding of *found* whose id begins with *wanted*; the first of all if that is empty.

    Args:
        found: The findings of a report, the most important first.
        wanted: The beginning of an id.
        name: What the report is called, for errors.

    Raises:
        UnreadableError: There is none, or there are several.
    """
    same = [one for one in found if one.id.startswith(wanted.lower())]
    if same and (not wanted or len({one.id for one in same}) == 1):
        return same[0]
    listed = ", ".join(one.id for one in found[:_MOST_NAMED])
    expected = f"one of {listed}" + (", …" if len(found) > _MOST_NAMED else "") if found else "a report with findings"
    problem = "several begin so" if same else "there is no such finding"
    raise UnreadableError(f"{name}: {shown_name(wanted)}" if wanted else name, None, problem, expected)
