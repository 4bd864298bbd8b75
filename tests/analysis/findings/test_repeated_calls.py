"""Calls that repeat an earlier one and return the same: the first result could have been kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strategies import read, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.findings.repeated_calls import MOST_REPEATED
from otel_parallelism.analysis.schedule.scopes import Scope
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    import pytest

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


def test_of_many_repeats_the_shorter_ones_are_left_out() -> None:
    count = MOST_REPEATED + 3
    calls = [
        read(f"c{n}", 10 * n, 10 * n + 1 + n % count / 10, f"table {n % count}", "4 rows of text", tool="get_rows")
        for n in range(2 * count)
    ]
    report = analyze(turn(*calls), Settings())
    found = [finding.span_ids for finding in report.findings if finding.kind == "repeated_call"]
    assert found == [(f"c{n}", f"c{n + count}") for n in range(3, count)]
    assert "more than 32 calls were repeated: the shorter ones are left out" in report.notes


def test_repeats_that_cannot_save_enough_are_not_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    estimated: list[object] = []
    length_ns = Scope.length_ns

    def counted(self: Scope, relaxed: object, **given: Any) -> int:
        estimated.append(given.get("dropped"))
        return length_ns(self, relaxed, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Scope, "length_ns", counted)
    long = [read(f"a{n}", 2 * n, 2 * n + 1, "table", "4 rows of text", tool="get_rows") for n in range(2)]
    short = [read(f"b{n}", 10 + n, 10.04 + n, f"row {n % 9}", "a row of text", tool="get_row") for n in range(18)]
    report = analyze(turn(*long, *short), Settings())
    assert [finding.calls for finding in report.findings if finding.kind == "repeated_call"] == [("get_rows",) * 2]
    assert len([dropped for dropped in estimated if dropped is not None]) == 1
