"""Calls that repeat an earlier one and return the same: the first result could have been kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from strategies import read, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Finding, Report


@pytest.fixture(autouse=True)
def repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the first and the third call of a scope repeats."""
    found = (SimpleNamespace(kind="equal", positions=(0, 2)),)
    monkeypatch.setattr(Dependencies, "repeats", property(lambda _: found, lambda _, __: None), raising=False)


def report_of(settings: Settings | None = None) -> Report:
    """Three calls of 1 s that must keep their order, with 1 s of sleep between."""
    needs = (None, ("get_rows",), ("get_sum",))
    calls = [
        read(f"c{n}", 2 * n, 2 * n + 1, tool=("get_rows", "get_sum", "get_rows")[n], depends_on=needs[n])
        for n in range(3)
    ]
    return analyze(turn(*calls), settings or Settings())


def only(report: Report) -> Finding:
    (finding,) = report.findings
    return finding


def test_repeat_saves_the_later_calls_and_no_efficiency_counts_it() -> None:
    report = report_of()
    finding = only(report)
    assert (finding.kind, finding.advice, finding.avoidable) == ("repeated_call", "potential", 1)
    assert finding.span_ids == ("c0", "c2")
    assert (report.efficiency, report.efficiency_floor, report.avoidable, report.avoidable_potential) == (1, 1, 0, 0)
    assert (report.verdict, report.chains) == ("serial_by_need", 0)
    assert report.recommendation == (
        "If nothing changes in between, keep the first result of get_rows and use it again."
    )


def test_repeat_can_be_silenced() -> None:
    report = report_of(Settings(silence=("get_rows",)))
    assert (report.findings, len(report.silenced), report.efficiency) == ((), 1, 1.0)
