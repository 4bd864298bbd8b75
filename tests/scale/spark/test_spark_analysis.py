"""Spark and one process make the same turns and findings, of every layout of Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism.model import Coverage
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.scale import file_analysis
from otel_parallelism.scale.spark.spark_analysis import analyze_on_spark, span_table
from tests.bench.throughput import single
from tests.fleet.month import month
from tests.readers.hostile_files import RECORDED
from tests.readers.written_formats import PARQUET, WRITERS
from tests.scale.spark.one_process import one_process, rows_in, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from otel_parallelism.model import SpanRecord

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]  # of Spark's sockets
PLAIN = frozenset({"gen_ai.operation.name", "gen_ai.tool.name"})


def some_turns(turns: int) -> list[SpanRecord]:
    """Return turns of two agents with faults; some of their findings mention earlier turns."""
    return [
        msgspec.structs.replace(span, attributes={key: span.attributes[key] for key in PLAIN & span.attributes.keys()})
        for trace in month(turns, faults={3: 1, 7: 1})
        for span in trace
    ]


@pytest.mark.parametrize("layout", [layout.__name__ for layout in PARQUET])
def test_each_layout_gives_the_turns_and_findings_of_one_process(spark: Any, tmp_path: Path, layout: str) -> None:
    path = tmp_path / "spans.parquet"
    path.write_bytes(WRITERS[layout](some_turns(40)))
    found, expected = analyze_on_spark(span_table(spark, str(path))), one_process(path)
    turns, findings = rows_of(expected)
    assert rows_in(found.turns) == turns
    assert rows_in(found.findings) == findings
    assert (found.coverage(), found.skipped_rows()) == (expected.coverage, {})
    assert "earlier turns" in repr(findings)
    found.unpersist()


def test_recorded_traces_give_the_turns_and_findings_of_one_process(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_analysis, "MOST_IN_MEMORY", 5)  # so that it takes each trace alone too
    spans = [span for path in RECORDED for span in read_otlp_json(path)]
    for number, some in enumerate((spans[::2], spans[1::2])):
        (tmp_path / f"{number}.parquet").write_bytes(WRITERS["clickhouse_parquet"](some))
    whole = tmp_path / "whole"
    whole.write_bytes(WRITERS["clickhouse_parquet"](spans))
    found, expected = analyze_on_spark(str(tmp_path / "*.parquet")), one_process(whole)
    turns, findings = rows_of(expected)
    assert len(turns) > 100
    assert rows_in(found.turns) == turns
    assert rows_in(found.findings) == findings
    assert found.coverage() == expected.coverage


def test_a_trace_far_larger_than_the_others_is_analysed_as_a_whole(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "spans.parquet"
    spans = [*some_turns(10), *(span for some in single("flat", 9_000) for span in some)]
    path.write_bytes(WRITERS["otlp2parquet"](spans))
    found, expected = analyze_on_spark(str(path), partitions=1), one_process(path)
    assert rows_in(found.turns) == rows_of(expected)[0]
    assert found.coverage() == expected.coverage


def test_rows_that_cannot_be_read_are_counted_by_what_is_wrong(spark: Any, tmp_path: Path) -> None:
    spans = some_turns(12)
    paths = {name: tmp_path / name for name in ("all", "rest")}
    readable = [span for span in spans if span.parent_id and span.name != "execute_tool get_prices"]
    for path, some in zip(paths.values(), (spans, readable), strict=True):
        path.write_bytes(WRITERS["duckdb_otlp"](some))
    broken = span_table(spark, str(paths["all"])).selectExpr(
        "* EXCEPT (trace_id, span_id)",
        "CASE WHEN span_name = 'execute_tool get_prices' THEN NULL ELSE trace_id END AS trace_id",
        "CASE WHEN parent_span_id IS NULL THEN '' ELSE span_id END AS span_id",
    )
    found, expected = analyze_on_spark(broken), one_process(paths["rest"])
    assert found.coverage() == expected.coverage
    assert rows_in(found.turns) == rows_of(expected)[0]
    skipped = found.skipped_rows()
    assert "an empty value is not an id" in skipped
    assert (sum(skipped.values()), skipped[next(iter(skipped))]) == (len(spans) - len(readable), max(skipped.values()))


def test_a_table_without_rows_has_no_turns_and_no_findings(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "spans.parquet"
    path.write_bytes(WRITERS["clickhouse_parquet"](some_turns(1)))
    found = analyze_on_spark(span_table(spark, str(path)).limit(0))
    assert (found.turns.count(), found.findings.count(), found.coverage()) == (0, 0, Coverage())
