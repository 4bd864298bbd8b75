"""The rows of turns and findings as one process makes them, to compare those of Spark with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.fleet.parquet_tables import table_rows
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.scale.file_analysis import HowToAnalyze, analyze_in_one_process
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from otel_parallelism.model import Analysis

QUICK = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "ERROR",
    # A short run: compiling code and revising plans would take longer than they save.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "2",
}
"""Settings of Spark for small tables."""
Rows = list[dict[str, Any]]


def one_process(path: Path) -> Analysis:
    return analyze_in_one_process(read_spans(path, skip=lambda _: None), HowToAnalyze(Settings()))


def rows_of(analysis: Analysis) -> tuple[Rows, Rows]:
    """Return the rows of turns and of findings, with their start in microseconds."""
    turns: Rows = []
    findings: Rows = []
    for report in analysis.reports:
        turn, found = table_rows(report)
        turns.append(turn)
        findings += found
    for row in (*turns, *findings):
        row["start"] //= 1_000
    return ordered(turns), ordered(findings)


def rows_in(table: Any) -> Rows:
    """Return the rows of a table of Spark, with their start in microseconds."""
    rows = table.selectExpr("*", "unix_micros(start) AS start_us").drop("start").collect()
    found = [row.asDict() for row in rows]
    for row in found:
        row["start"] = row.pop("start_us")
    return ordered(found)


def ordered(rows: Iterable[dict[str, Any]]) -> Rows:
    return sorted(({key: row[key] for key in sorted(row)} for row in rows), key=repr)
