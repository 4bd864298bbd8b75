"""Compares the chains that SQL names of the spans in ClickHouse with those that the core reports on the same spans."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import analyze_spans
from otel_parallelism.scale.clickhouse.chain_query import CHAIN_REASONS, chains_query
from otel_parallelism.settings import Settings
from tests.scale.clickhouse.collector_table import ALWAYS, TABLE

if TYPE_CHECKING:
    from otel_parallelism.model import Finding, Report
    from tests.scale.clickhouse.collector_table import CollectorTable


def compared_chains(table: CollectorTable, settings: Settings | None = None) -> Counter[str]:
    """
    Return what SQL names of the spans in *table*, after comparing it with the core's reports.

    Returns:
        The number of chains ``named``, of those of one round that the core reports and SQL does not (``missed``), of
        the named ones that it recommends (``recommended``), and of the other turns by reason.
    """
    settings = settings or Settings()
    rows = table.rows(chains_query(TABLE, *ALWAYS, settings))
    reports = analyze_spans(table.spans(), settings=settings).reports
    by_turn = {(report.turn.trace_id, report.turn.span_id): report for report in reports}
    found: Counter[str] = Counter()
    named: set[tuple[str, str]] = set()
    for row in rows:
        report = by_turn.get((row["TraceId"], row["TurnSpanId"]))
        numbers = [row[name] for name in ("length", "one_after_another", "longest", "saving")]
        found[row["undecided"] or "named"] += 1
        if row["undecided"]:
            assert row["undecided"] in CHAIN_REASONS
            assert (row["chain"], row["tools"], numbers) == ([], [], [None] * 4)
            continue
        assert report is not None
        named.add((row["TraceId"], row["TurnSpanId"]))
        (same,) = [each for each in chains_of(report) if list(each.span_ids) == row["chain"]] or [None]
        assert same is not None, (row, report.findings, report.turn.calls)
        check_numbers(row, report, same)
        found[same.advice] += 1
    for key, report in by_turn.items():
        found["missed"] += key not in named and any(in_one_round(report, each) for each in chains_of(report))
    return found


def check_numbers(row: dict[str, Any], report: Report, finding: Finding) -> None:
    durations = [call.duration_ns / 1e9 for call in report.turn.calls if call.span_id in set(finding.span_ids)]
    assert row["tools"] == list(finding.calls)
    assert row["length"] == len(durations)
    assert (row["one_after_another"], row["longest"]) == (pytest.approx(sum(durations)), max(durations))
    assert row["saving"] == pytest.approx(finding.avoidable, abs=1e-9)


def chains_of(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.kind == "sequential_chain"]


def in_one_round(report: Report, finding: Finding) -> bool:
    calls = [call for call in report.turn.calls if call.span_id in set(finding.span_ids)]
    return all(call.proved for call in calls) and len({call.round for call in calls}) == 1
