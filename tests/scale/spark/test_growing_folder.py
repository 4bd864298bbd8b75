"""A folder that grows: traces are complete when their files are old enough, and nothing that comes later is lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism.scale.spark.growing_folder import LATE, OccupiedFolderError, analyze_growing_folder
from tests.fleet.month import month
from tests.readers.written_formats import WRITERS
from tests.scale.spark.one_process import one_process, rows_in, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from otel_parallelism.model import SpanRecord

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]  # of Spark's sockets
BEGAN_S = 1_900_000_000
IDLE_S = 60


def test_a_trace_is_analysed_once_when_no_file_has_come_with_spans_of_it(spark: Any, tmp_path: Path) -> None:
    first, second, third, fourth = month(4)
    add(tmp_path, "a", first[:3], 0)
    add(tmp_path, "b", [*first[3:], *second], 30)
    follow(spark, tmp_path)
    assert table(spark, tmp_path, "turns").count() == 0
    add(tmp_path, "c", third, 100)
    add(tmp_path, "d", [msgspec.structs.replace(span, span_id="") for span in fourth], 100)
    follow(spark, tmp_path)

    whole = tmp_path / "whole"
    whole.write_bytes(WRITERS["clickhouse_parquet"]([*first, *second]))
    expected = rows_of(one_process(whole))[0]
    assert rows_in(table(spark, tmp_path, "turns").drop("batch")) == expected
    [unreadable] = table(spark, tmp_path, "left_out").collect()
    assert (unreadable["trace_id"], unreadable["number"]) == (None, len(fourth))

    add(tmp_path, "e", [*first[-2:], *third], 110)
    follow(spark, tmp_path)
    assert rows_in(table(spark, tmp_path, "turns").drop("batch")) == expected
    [late] = table(spark, tmp_path, "left_out").where("trace_id IS NOT NULL").collect()
    assert (late["reason"], late["trace_id"], late["number"]) == (LATE, first[0].trace_id, 2)


def test_tables_of_another_checkpoint_are_not_replaced(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "out" / "turns").mkdir(parents=True)
    (tmp_path / "out" / "turns" / "some").write_text("text")
    with pytest.raises(OccupiedFolderError, match="tables of another query"):
        follow(spark, tmp_path)


def add(folder: Path, name: str, spans: list[SpanRecord], after_s: int) -> None:
    """Write a file that was modified so long after the first one."""
    path = folder / "in" / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(WRITERS["clickhouse_parquet"](spans))
    os.utime(path, (BEGAN_S + after_s, BEGAN_S + after_s))


def follow(spark: Any, folder: Path) -> None:
    """Read the files that are there, each as a batch."""
    source, out, checkpoint = (str(folder / name) for name in ("in", "out", "checkpoint"))
    analyze_growing_folder(
        spark, source, out, checkpoint, idle_s=IDLE_S, every=None, most_files=2, partitions=1
    ).awaitTermination()


def table(spark: Any, folder: Path, name: str) -> Any:
    return spark.read.parquet(str(folder / "out" / name))
