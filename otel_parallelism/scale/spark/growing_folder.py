"""
Analyses the traces in a folder to which files of spans are added, with Spark's Structured Streaming.

Time is the files' own: the clock is the latest time of modification of all files read so far. A trace is analysed once,
when the clock is more than ``idle_s`` past the newest file that has spans of it. A span that comes later, up to
``remember_s`` after that, is counted in the table ``left_out``; after that it is a trace of its own. The
clock stands still while no file comes, so that the last traces wait for the next file.

Each batch of files writes to a part of its own, ``batch=N``, of the tables. A batch that is repeated after a failure
replaces what it wrote, so that every turn is written once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism.errors import ParallelismError
from otel_parallelism.scale.file_analysis import HowToAnalyze
from otel_parallelism.settings import Settings

from .span_batches import PACKED_SCHEMA
from .spark_analysis import SparkAnalysis, analysed_traces, packed_traces, span_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession  # type: ignore[import-not-found,unused-ignore]
    from pyspark.sql.streaming.query import StreamingQuery  # type: ignore[import-not-found,unused-ignore]

_US: Final = 1_000_000
TABLES: Final = ("turns", "findings", "left_out")
LATE: Final = "its trace was analysed before"


class OccupiedFolderError(ParallelismError):
    """The tables of another query are in the folder; writing there would replace some of them."""


def analyze_growing_folder(
    spark: SparkSession,
    path: str,
    out: str,
    checkpoint: str,
    settings: Settings | None = None,
    *,
    idle_s: float = 600.0,
    remember_s: float = 86_400.0,
    every: str | None = "1 minute",
    most_files: int = 1_000,
    recompute: bool = False,
    partitions: int | None = None,
) -> StreamingQuery:
    """
    Start to analyse the traces in a folder to which Parquet files are added, and return the running query.

    Args:
        spark: The session; as for `span_table`, it reads times in nanoseconds from then on.
        path: The folder, with at least one file, which shows the layout.
        out: The folder of the tables ``turns``, ``findings`` and ``left_out``. The last one has the ``number`` of spans
            of a ``trace_id`` that came too late, and of rows that could not be read, with the ``reason``.
        checkpoint: The folder of what is still open: a query that starts with it goes on where the last one ended.
        settings: Thresholds, patterns, and which findings to silence; the defaults if None.
        idle_s: How long no file has come with spans of a trace when it is analysed, in seconds.
        remember_s: How long spans that come too late are recognized, in seconds.
        every: How often new files are looked for, such as ``1 minute``; None to read the present ones and end.
        most_files: The most files of one batch.
        recompute: Whether results that spans carry are worked out anew.
        partitions: Into how many parts the traces of a batch are divided; as many as there are cores if None.

    Raises:
        OccupiedFolderError: *out* has tables of a query with another checkpoint.
    """
    from pyspark.sql import functions  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

    if not _exists(spark, f"{checkpoint}/query/metadata") and _exists(spark, f"{out}/{TABLES[0]}"):
        raise OccupiedFolderError(f"{out} has tables of another query; give its checkpoint, or another folder")
    schema = span_table(spark, path).schema
    files = spark.readStream.schema(schema).option("maxFilesPerTrigger", most_files).parquet(path)
    arrival = functions.unix_micros(files["_metadata.file_modification_time"])
    batches = _Batches(
        out,
        checkpoint,
        HowToAnalyze(Settings() if settings is None else settings, recompute),
        (round(idle_s * _US), round(remember_s * _US)),
        partitions or spark.sparkContext.defaultParallelism,
    )
    writer = packed_traces(files, arrival).writeStream.foreachBatch(batches.write)
    writer = writer.option("checkpointLocation", f"{checkpoint}/query")
    writer = writer.trigger(availableNow=True) if every is None else writer.trigger(processingTime=every)
    return writer.start()


def _exists(spark: SparkSession, path: str) -> bool:
    from pyspark.errors import AnalysisException  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

    try:
        spark.read.format("binaryFile").load(path)
    except AnalysisException:
        return False
    return True


class _Batches:
    """What is done with each batch of packed spans."""

    def __init__(
        self, out: str, checkpoint: str, how: HowToAnalyze, waits_us: tuple[int, int], partitions: int
    ) -> None:
        self._out = out
        self._checkpoint = checkpoint
        self._how = how
        self._idle_us, self._remember_us = waits_us
        self._partitions = partitions

    def write(self, batch: DataFrame, number: int) -> None:
        """Write the turns of all traces that are complete with *batch*, and keep the spans of the others."""
        from pyspark.sql import functions  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

        new, state = batch.persist(), self._state(batch.sparkSession, number)
        opened, closed = state.where("closed IS NULL").drop("closed"), state.where("closed IS NOT NULL")
        closed = closed.select("trace_id", "closed")
        readable = new.where("trace_id IS NOT NULL")
        [latest] = (
            readable.select("arrived")
            .union(state.select(functions.coalesce("closed", "arrived")))
            .agg(functions.max("arrived").alias("us"))
            .collect()
        )
        clock_us = latest["us"] or 0

        spans = opened.unionByName(readable.join(closed, "trace_id", "left_anti")).persist()
        newest = spans.groupBy("trace_id").agg(functions.max("arrived").alias("newest"))
        done = newest.where(functions.col("newest") < clock_us - self._idle_us).select("trace_id").persist()
        complete = spans.join(done, "trace_id", "left_semi")
        found = SparkAnalysis(analysed_traces(complete, self._how, self._partitions), with_experience=False)
        found.coverage()  # computes the turns in parallel; they are then written as one file

        late = readable.join(closed, "trace_id", "left_semi").withColumn("reason", functions.lit(LATE))
        left_out = late.unionByName(new.where("trace_id IS NULL").withColumn("reason", functions.col("problem")))
        left_out = left_out.groupBy("reason", "trace_id").agg(functions.sum("number").alias("number"))
        for name, table in zip(TABLES, (found.turns, found.findings, left_out), strict=True):
            table.coalesce(1).write.mode("overwrite").parquet(f"{self._out}/{name}/batch={number}")

        still_open = spans.join(done, "trace_id", "left_anti")
        remembered = closed.where(functions.col("closed") >= clock_us - self._remember_us).unionByName(
            done.withColumn("closed", functions.lit(clock_us))
        )
        kept = still_open.unionByName(remembered, allowMissingColumns=True)
        kept.write.mode("overwrite").parquet(self._state_path(number))
        found.unpersist()
        for table in (new, spans, done):
            table.unpersist()

    def _state(self, spark: SparkSession, number: int) -> DataFrame:
        """Return what the batch before *number* has kept: spans of open traces, and ids of closed ones."""
        schema = f"{PACKED_SCHEMA}, closed bigint"
        if not number:
            return spark.createDataFrame([], schema)
        return spark.read.schema(schema).parquet(self._state_path(number - 1))

    def _state_path(self, number: int) -> str:
        # Two folders in turn: a batch reads one and writes the other, which it replaces when it is repeated.
        return f"{self._checkpoint}/open-{number % 2}"
