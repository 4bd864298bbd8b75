"""What Spark's executors do with batches: packing keeps every span, and analysing makes the rows of one process."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.scale.file_analysis import HowToAnalyze
from otel_parallelism.scale.span_file import unpacked_spans
from otel_parallelism.scale.spark.span_batches import packed_batches
from otel_parallelism.scale.spark.turn_batches import TaskCounts, analysed_batches
from otel_parallelism.settings import Settings
from tests.fleet.month import month
from tests.readers.written_formats import PARQUET, WRITERS
from tests.scale.spark.one_process import one_process, ordered, rows_of

if TYPE_CHECKING:
    from pathlib import Path

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra parquet)")
parquet = pytest.importorskip("pyarrow.parquet")
HOW = HowToAnalyze(Settings())


def batches_in(content: bytes, rows: int = 100) -> tuple[list[Any], list[str]]:
    """Return the batches of a file without names, and the names of their columns."""
    table = parquet.read_table(io.BytesIO(content))
    nameless = table.rename_columns([f"c{at}" for at in range(table.num_columns)])
    return nameless.to_batches(max_chunksize=rows), table.column_names


@pytest.mark.parametrize("layout", [layout.__name__ for layout in PARQUET])
def test_packing_keeps_every_span_of_every_layout(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "spans.parquet"
    path.write_bytes(WRITERS[layout]([span for trace in month(9) for span in trace]))
    batches, names = batches_in(path.read_bytes())
    rows = [row for batch in packed_batches(batches, names) for row in batch.to_pylist()]
    spans = [(row, unpacked_spans(row["spans"])) for row in rows]
    assert ordered_spans(span for _, some in spans for span in some) == ordered_spans(read_spans(path))
    assert all({span.trace_id for span in some} == {row["trace_id"]} for row, some in spans)
    assert all(len(some) == row["number"] for row, some in spans)


def ordered_spans(spans: Any) -> list[str]:
    return sorted(map(repr, spans))


def test_rows_are_packed_with_the_time_of_their_arrival() -> None:
    [trace] = month(1)
    batches, names = batches_in(WRITERS["clickhouse_parquet"](trace))
    [batch] = batches
    times = pa.array([5] * (batch.num_rows - 1) + [7], pa.timestamp("us", tz="UTC"))
    timed = pa.RecordBatch.from_arrays([*batch.columns, times], names=[*batch.schema.names, "arrived"])
    [packed] = packed_batches([timed], names, with_arrival=True)
    assert [(row["arrived"], row["number"]) for row in packed.to_pylist()] == [(5, len(trace) - 1), (7, 1)]


def test_analysed_batches_have_the_turns_findings_and_counts_of_one_process(tmp_path: Path) -> None:
    plain = frozenset({"gen_ai.operation.name", "gen_ai.tool.name"})
    spans = [
        msgspec.structs.replace(span, attributes={key: span.attributes[key] for key in plain & span.attributes.keys()})
        for trace in month(40, faults={3: 1, 7: 1})
        for span in trace
    ]
    broken = [msgspec.structs.replace(span, span_id="") for span in spans[:3]]
    path = tmp_path / "spans.parquet"
    path.write_bytes(WRITERS["clickhouse_parquet"]([*spans, *broken]))
    batches, names = batches_in(path.read_bytes())
    packed = pa.Table.from_batches(list(packed_batches(batches, names))).sort_by("trace_id")
    rows = [row for batch in analysed_batches(packed.to_batches(max_chunksize=7), HOW) for row in batch.to_pylist()]
    *turns, last = sorted(rows, key=lambda row: (row["place"] is None, row["place"]))

    expected = one_process(path)
    assert [row["turn"]["span_id"] for row in turns] == [report.turn.span_id for report in expected.reports]
    assert whole_us([row["turn"] for row in turns]) == rows_of(expected)[0]
    found = [one for row in turns for one in row["found"]]
    mentioning = [row for row in rows_of(expected)[1] if "earlier turn" in repr(row["evidence"])]
    assert 0 < len(mentioning) <= sum(1 for one in found if one["pairs"])
    counts = msgspec.msgpack.decode(last["counts"], type=TaskCounts)
    assert (counts.coverage, counts.turns) == (expected.coverage, len(turns))
    assert counts.problems == {"an empty or zero text is not an id": 3}


def whole_us(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *rows* with their start in microseconds."""
    instants = pa.array([row["start"] for row in rows], pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
    return ordered(row | {"start": start} for row, start in zip(rows, instants, strict=True))


def test_no_batches_have_no_turns_and_counts_of_nothing() -> None:
    [batch] = analysed_batches([], HOW)
    [row] = batch.to_pylist()
    assert row["turn"] is None
    assert msgspec.msgpack.decode(row["counts"], type=TaskCounts).turns == 0
