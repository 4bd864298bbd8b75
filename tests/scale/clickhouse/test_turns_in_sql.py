"""The numbers of turns from SQL are those of the core, to the nanosecond, or there are none."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import analyze_spans
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.scale.clickhouse.turn_query import calls_query, turns_query
from otel_parallelism.scale.clickhouse.undecided import REASONS
from otel_parallelism.settings import Settings
from tests.scale.clickhouse.altered_traces import altered
from tests.scale.clickhouse.collector_table import ALWAYS, TABLE, CollectorTable
from tests.scale.clickhouse.drawn_traces import drawn_traces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.model import Report, SpanRecord

RECORDED = sorted((Path(__file__).parents[2] / "fixtures" / "spans").glob("*.jsonl"))
TURNS = turns_query(TABLE, *ALWAYS, Settings())
CALLS = calls_query(TABLE, *ALWAYS, Settings())
NUMBERS = ("calls", "work", "makespan", "busy", "peak_concurrency", "ratio", "avoidable_at_most", "verdict")
NO_NAME = "(no name)"
UNDECIDED = {"genkit": "dialect", "braintrust": "dialect"}
"""Vocabularies whose spans SQL does not know."""


def reports_by_turn(spans: Iterable[SpanRecord]) -> dict[tuple[str, str], Report]:
    return {(report.turn.trace_id, report.turn.span_id): report for report in analyze_spans(spans).reports}


def numbers(report: Report) -> dict[str, Any]:
    return {
        "agent": report.turn.agent or report.turn.name or NO_NAME,
        "calls": report.calls,
        "work": report.work,
        "makespan": report.makespan,
        "busy": report.busy,
        "peak_concurrency": report.peak_concurrency,
        "ratio": report.ratio,
        "duration": max(0, report.turn.end_ns - report.turn.start_ns) / 1e9,
    }


def check(rows: list[dict[str, Any]], reports: dict[tuple[str, str], Report]) -> Counter[str]:
    """Compare all turns, and return how many are undecided, by reason; an empty reason counts the decided ones."""
    found = Counter(row["undecided"] for row in rows)
    for row in rows:
        report = reports.get((row["TraceId"], row["SpanId"]))
        if row["undecided"]:
            assert row["undecided"] in REASONS
            assert {row[name] for name in NUMBERS} == {None}
            continue
        assert report is not None, row
        expected = numbers(report)
        assert {name: row[name] for name in expected} == expected, row
        check_bounds(row, report)
    missing = reports.keys() - {(row["TraceId"], row["SpanId"]) for row in rows}
    # Only the core can make a turn of calls that nothing but a conversation or links hold together.
    assert not {trace_id for trace_id, _ in missing} & {row["TraceId"] for row in rows if not row["undecided"]}
    found["missing"] = len(missing)
    return found


def check_bounds(row: dict[str, Any], report: Report) -> None:
    if row["verdict"] is not None:
        recorded = (report.verdict, report.efficiency, report.avoidable, row["efficiency_at_least"])
        assert (row["verdict"], row["efficiency"], row["avoidable"], None) == recorded
    elif row["efficiency_at_least"] is not None:
        assert report.efficiency_floor is None or row["efficiency_at_least"] <= report.efficiency_floor + 1e-9
        assert row["avoidable_at_most"] >= report.avoidable + report.avoidable_potential - 1e-9
    else:
        assert row["avoidable_at_most"] is None


def test_recorded_spans_of_all_instrumentations(table: CollectorTable) -> None:
    table.replace(span for path in RECORDED for span in read_otlp_json(path))
    reports = reports_by_turn(table.spans())
    found = check(table.rows(TURNS), reports)
    assert (found[""] > 0.9 * len(reports) > 100, found["missing"]) == (True, 0), found
    named = {row["TraceId"]: row["undecided"] for row in table.rows(TURNS)}
    for path in RECORDED:
        vocabulary = next((word for word in UNDECIDED if word in path.stem), None)
        if vocabulary is not None:
            reasons = {named[span.trace_id] for span in read_otlp_json(path) if span.trace_id in named}
            assert reasons == {UNDECIDED[vocabulary]}


@pytest.mark.parametrize("seed", range(3))
def test_drawn_spans(table: CollectorTable, seed: int) -> None:
    table.replace(span for trace in drawn_traces(seed, 250) for span in trace)
    reports = reports_by_turn(table.spans())
    found = check(table.rows(TURNS), reports)
    assert found[""] > 0.4 * len(reports) > 60, found
    print(found, len(reports))


@pytest.mark.parametrize("seed", range(2))
def test_altered_spans(table: CollectorTable, seed: int) -> None:
    """Clocks that differ, lost spans, several versions of a span, other vocabularies and odd names."""
    choose = random.Random(seed)
    table.replace(span for trace in drawn_traces(seed, 400) for span in altered(trace, choose))
    reports = reports_by_turn(table.spans())
    found = check(table.rows(TURNS), reports)
    print(found, len(reports))
    assert found[""] > 0.3 * len(reports) > 60, found
    assert {"versions", "id or time", "parents", "late", "no turn"} <= set(found)


def rows_of_changed(table: CollectorTable, column: str, expression: str) -> list[dict[str, Any]]:
    """Return the rows of turns, where *column* of all spans is *expression*."""
    table.run(f"CREATE OR REPLACE TABLE otel.changed AS {TABLE} ENGINE = Memory")
    table.run(f"INSERT INTO otel.changed SELECT * REPLACE ({expression} AS {column}) FROM {TABLE}")
    query = turns_query("otel.changed", *ALWAYS, Settings())
    return table.rows(f"SELECT * EXCEPT agent FROM ({query}) ORDER BY TraceId, SpanId")


def test_name_that_is_no_text(table: CollectorTable) -> None:
    """Bytes in names that are no UTF-8 change no number."""
    table.replace(span for trace in drawn_traces(3, 20) for span in trace)
    before = rows_of_changed(table, "SpanName", "SpanName")
    other = "if(SpanName = 'POST /', concat(SpanName, unhex('FF80')), SpanName)"
    assert rows_of_changed(table, "SpanName", other) == before != []


def test_attribute_that_is_there_twice(table: CollectorTable) -> None:
    table.replace(span for trace in drawn_traces(3, 1) for span in trace)
    keys, values = (f"arrayConcat(map{part}(SpanAttributes), ['a', 'a'])" for part in ("Keys", "Values"))
    rows = rows_of_changed(table, "SpanAttributes", f"mapFromArrays({keys}, {values})")
    assert {row["undecided"] for row in rows} == {"id or time"}


def test_calls_of_turns(table: CollectorTable) -> None:
    table.replace(span for trace in drawn_traces(9, 250) for span in trace)
    decided = {(row["TraceId"], row["SpanId"]) for row in table.rows(TURNS) if not row["undecided"]}
    expected = {
        (report.turn.trace_id, call.span_id): (
            report.turn.span_id,
            report.turn.agent or report.turn.name or NO_NAME,
            call.tool or NO_NAME,
            call.sub_agent,
            max(0, call.end_ns - call.start_ns) / 1e9,
        )
        for key, report in reports_by_turn(table.spans()).items()
        if key in decided
        for call in report.turn.calls
        if not call.scope
    }
    found = {
        (row["TraceId"], row["SpanId"]): (
            row["TurnSpanId"],
            row["agent"],
            row["tool"],
            bool(row["is_sub_agent"]),
            row["duration"],
        )
        for row in table.rows(CALLS)
    }
    assert len(expected) > 100
    assert found == expected
