"""Worked examples of the definitions that take the whole way: contents and rounds decide, nothing is declared."""

from __future__ import annotations

from typing import Any

import pytest
from strategies import call, read, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.model import Content, Report
from otel_parallelism.settings import Settings


def report_of(*spans: Any, said: str = "") -> Report:
    fields = {"input": Content(said)} if said else {}
    return analyze(turn(*spans, **fields), Settings())


def numbers(report: Report) -> tuple[float | None, ...]:
    """Return n, W, M, ρ, T∞ and η."""
    columns = (report.work, report.makespan, report.ratio, report.critical_path, report.efficiency)
    return (report.calls, *(None if value is None else round(value, 2) for value in columns))


CITIES = ("Porto", "Faro", "Braga", "Lagos", "Evora")


def five_reads() -> list[Any]:
    return [read(f"c{n}", 2 * n, 2 * n + 2, city, f"rain over {city}") for n, city in enumerate(CITIES)]


def test_five_reads_whose_arguments_the_user_said() -> None:
    report = report_of(*five_reads(), said="The weather in " + ", ".join(CITIES))
    assert numbers(report) == (5, 10, 10, 1.0, 2, 0.2)
    (finding,) = report.findings
    assert (finding.advice, round(finding.avoidable, 2), len(finding.span_ids)) == ("recommended", 8.0, 5)
    assert report.verdict == "sequential"


def test_the_same_from_stored_spans_with_nothing_said() -> None:
    report = report_of(*five_reads())
    assert numbers(report) == (5, 10, 10, 1.0, 10, 1.0)
    assert report.efficiency_floor == pytest.approx(0.2)
    (finding,) = report.findings
    assert (finding.advice, len(finding.span_ids)) == ("potential", 5)
    assert report.verdict == "possibly_sequential"


def test_status_four_times_with_pauses_is_polling() -> None:
    states = ("running", "running", "running", "done")
    calls = [read(f"c{n}", 2 * n, 2 * n + 1, "j1", state, tool="get_status") for n, state in enumerate(states)]
    report = report_of(*calls)
    assert numbers(report) == (4, 4, 7, 0.57, 7, 1.0)
    assert (report.findings, report.verdict) == ((), "serial_by_need")


def test_permission_then_what_it_permits() -> None:
    spans = [
        step("s0", -1, 0, requested=("i0",)),
        read("c0", 0, 1, "ana", "granted", tool="check_access", call_id="i0"),
        step("s1", 1, 2, requested=("i1",)),
        read("c1", 2, 3, "budget", "the budget of the year", tool="read_document", call_id="i1"),
        step("s2", 3, 4, requested=()),
    ]
    report = report_of(*spans, said="Show ana the budget")
    assert numbers(report) == (2, 2, 3, 0.67, 3, 1.0)
    assert round(report.efficiency_floor or 0, 2) == 0.33
    (finding,) = report.findings
    assert (finding.advice, finding.cause) == ("potential", "model")


def test_six_calls_with_two_places_inside() -> None:
    calls = [call(f"c{n}", 0, 1 + n // 2, "fetch", effect="read", arguments=Content(f"u{n}")) for n in range(6)]
    report = report_of(*calls)
    assert (report.calls, report.work, report.makespan, report.ratio) == (6, 12, 3, 4.0)
    assert (report.efficiency, report.effective_ratio, report.verdict) == (None, 2.0, "contended")
    (finding,) = report.findings
    assert finding.cause == "contention"


def test_three_long_reads_of_one_response_in_a_turn_of_one_hour() -> None:
    asked = tuple(f"i{n}" for n in range(3))
    spans = [
        step("s0", 0, 10, requested=asked),
        *(
            read(f"c{n}", 10 + 20 * n, 30 + 20 * n, city, f"rain over {city}", call_id=f"i{n}")
            for n, city in enumerate(CITIES[:3])
        ),
        step("s1", 3590, 3600, requested=()),
    ]
    report = report_of(*spans)
    assert numbers(report) == (3, 60, 60, 1.0, 20, 0.33)
    (finding,) = report.findings
    assert (finding.cause, finding.advice, round(finding.avoidable, 2)) == ("dispatch", "recommended", 40.0)


def test_a_call_repeated_after_another_may_be_repeated_because_of_it() -> None:
    spans = [
        read("c0", 0, 1, "j1", "a text about hills", tool="get_job"),
        read("c1", 1, 2, "Porto", "rain over Porto", tool="get_weather"),
        read("c2", 2, 3, "j1", "a text about rivers", tool="get_job"),
    ]
    report = report_of(*spans, said="The job j1 and the weather in Porto")
    together = {frozenset(finding.span_ids) for finding in report.findings if finding.advice == "recommended"}
    assert together == {frozenset({"c0", "c1"})}
