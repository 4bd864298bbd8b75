"""Analyses a table of spans on Spark: the result is two tables, a row for each turn and a row for each finding."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.analysis.turns.normalization import joined_coverage
from otel_parallelism.fleet.parquet_tables import MissingPyarrowError
from otel_parallelism.readers.parquet import unused_columns
from otel_parallelism.scale.file_analysis import HowToAnalyze
from otel_parallelism.settings import Settings

from .earlier_turns import with_earlier_turns
from .span_batches import PACKED_SCHEMA, packed_batches
from .turn_batches import TaskCounts, analysed_batches, analysed_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession  # type: ignore[import-not-found,unused-ignore]

    from otel_parallelism.model import Coverage

NANOS_AS_LONG: Final = "spark.sql.legacy.parquet.nanosAsLong"
_PARTITIONS: Final = 200


class SparkAnalysis:
    """
    The turns in a table of spans, and their findings.

    Spark computes when rows are asked for, once: the analysed turns stay in its cache until `unpersist`.

    Attributes:
        turns: A row for each turn, with the columns of ``fleet -o NAME.parquet``; ``start`` is in whole microseconds.
        findings: A row for each finding, with the columns of ``NAME-findings.parquet``.
    """

    def __init__(self, analysed: DataFrame, *, with_experience: bool = True) -> None:
        """Derive both tables from the *analysed* turns."""
        from pyspark.sql import functions  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

        self._analysed = analysed.persist()
        self.turns: DataFrame = self._analysed.where("turn is not null").select("turn.*")
        found = self._analysed.select("place", functions.posexplode("found").alias("number", "found"))
        findings = found.select("place", "number", "found.pairs", "found.row")
        if with_experience:
            findings = with_earlier_turns(findings, self._analysed)
        self.findings: DataFrame = findings.select("row.*")

    def coverage(self) -> Coverage:
        """Return how many spans and calls there are, and how many calls are in no turn."""
        counts = self._counts()
        return joined_coverage((one.coverage for one in counts), sum(one.turns for one in counts))

    def skipped_rows(self) -> Mapping[str, int]:
        """Return how many rows of the input could not be read, by what is wrong with them, most frequent first."""
        problems: Counter[str] = Counter()
        for one in self._counts():
            problems.update(one.problems)
        return dict(problems.most_common())

    def unpersist(self) -> None:
        """Remove the analysed turns from Spark's cache."""
        self._analysed.unpersist()

    def _counts(self) -> list[TaskCounts]:
        rows = self._analysed.where("counts is not null").select("counts").collect()
        return [msgspec.msgpack.decode(row["counts"], type=TaskCounts) for row in rows]


def analyze_on_spark(
    spans: DataFrame | str,
    settings: Settings | None = None,
    *,
    recompute: bool = False,
    partitions: int | None = None,
) -> SparkAnalysis:
    """
    Return the analysis of a table of spans, computed by the executors of Spark.

    Turns and findings are those of `analyze` with more than 50,000 spans: each trace is analysed alone, so that links
    and conversations do not lead to turns of other traces. The executors need this package.

    Args:
        spans: A table in a layout that the reader of Parquet knows, or a path from which the active session reads one.
        settings: Thresholds, patterns, and which findings to silence; the defaults if None.
        recompute: Whether results that spans carry are worked out anew.
        partitions: Into how many parts the traces are divided; ``spark.sql.shuffle.partitions`` if None.
    """
    table = _read_table(spans) if isinstance(spans, str) else spans
    how = HowToAnalyze(Settings() if settings is None else settings, recompute)
    return SparkAnalysis(analysed_traces(packed_traces(table), how, partitions))


def span_table(spark: SparkSession, path: str) -> DataFrame:
    """
    Return the Parquet files at *path* as a table.

    In the session, ``spark.sql.legacy.parquet.nanosAsLong`` becomes true: otherwise Spark refuses times in nanoseconds.
    """
    spark.conf.set(NANOS_AS_LONG, "true")
    return spark.read.parquet(path)


def packed_traces(table: DataFrame, arrival: Any = None) -> DataFrame:
    """Return the spans of *table* packed by trace; *arrival* is a column with the time when a row arrived, or None."""
    unused = unused_columns(table.columns)
    names = [name for name in table.columns if name not in unused]
    columns = [table[_quoted(name)] for name in names]
    columns += [] if arrival is None else [arrival]
    # Spark cannot pass on columns with dots in their names.
    nameless = table.select([column.alias(f"c{at}") for at, column in enumerate(columns)])
    pack = partial(packed_batches, names=names, with_arrival=arrival is not None)
    return nameless.mapInArrow(pack, PACKED_SCHEMA)


def analysed_traces(packed: DataFrame, how: HowToAnalyze, partitions: int | None = None) -> DataFrame:
    """Return the analysed turns of *packed* spans."""
    from pyspark.sql.pandas.types import from_arrow_schema  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    if partitions is None:
        partitions = int(packed.sparkSession.conf.get("spark.sql.shuffle.partitions") or _PARTITIONS)
    # The rows of a trace follow one another, so that a trace of any size is never one row.
    grouped = packed.repartition(partitions, "trace_id").sortWithinPartitions("trace_id")
    return grouped.mapInArrow(partial(analysed_batches, how=how), from_arrow_schema(analysed_schema(_pyarrow())))


def _read_table(path: str) -> DataFrame:
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

    return span_table(SparkSession.builder.getOrCreate(), path)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _pyarrow() -> Any:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingPyarrowError("Spark needs pyarrow: pip install 'otel-parallelism[spark]'") from None
    return pa
