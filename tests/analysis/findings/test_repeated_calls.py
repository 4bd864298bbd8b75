"""Calls that repeat an earlier one and return the same: the first result could have been kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strategies import read, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Finding, Report


def report_of(settings: Settings | None = None) -> Report:
    """Two calls of 1 s with equal arguments and results, with 1 s of sleep between."""
    calls = [read(f"c{n}", 2 * n, 2 * n + 1, {"table": "orders"}, "4 rows of text", tool="get_rows") for n in range(2)]
    return analyze(turn(*calls), settings or Settings())


def only(report: Report) -> Finding:
    (finding,) = report.findings
    return finding


def test_repeat_saves_the_later_calls_and_no_efficiency_counts_it() -> None:
    report = report_of()
    finding = only(report)
    assert (finding.kind, finding.advice, finding.avoidable) == ("repeated_call", "potential", 1)
    assert finding.span_ids == ("c0", "c1")
    assert (report.efficiency, report.efficiency_floor, report.avoidable, report.avoidable_potential) == (1, 1, 0, 0)
    assert (report.verdict, report.chains) == ("serial_by_need", 0)
    assert report.recommendation == (
        "If nothing changes in between, keep the first result of get_rows and use it again."
    )


def test_polling_is_no_finding_and_keeps_its_pauses() -> None:
    states = ("running", "running", "running", "done")
    calls = [read(f"c{n}", 2 * n, 2 * n + 1, "j1", state, tool="get_status") for n, state in enumerate(states)]
    report = analyze(turn(*calls), Settings())
    assert (report.work, report.makespan, report.critical_path) == (4, 7, 7)
    assert (report.findings, report.efficiency_floor, report.verdict) == ((), 1.0, "serial_by_need")


def test_repeat_can_be_silenced() -> None:
    report = report_of(Settings(silence=("get_rows",)))
    assert (report.findings, len(report.silenced), report.efficiency) == ((), 1, 1.0)
