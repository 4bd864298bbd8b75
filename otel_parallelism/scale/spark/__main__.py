"""The command ``python -m otel_parallelism.scale.spark``, whose file ``spark-submit`` runs too."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

import click

from otel_parallelism.errors import ParallelismError, UnreadableError
from otel_parallelism.scale.spark.growing_folder import analyze_growing_folder
from otel_parallelism.scale.spark.spark_analysis import SparkAnalysis, analyze_on_spark, span_table
from otel_parallelism.settings import Settings
from otel_parallelism.shown_names import printable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

CANNOT: Final = 2


@click.command()
@click.argument("spans", metavar="INPUT")
@click.option("--out", required=True, metavar="FOLDER", help="Where the tables are written: a path that Spark knows.")
@click.option("--overwrite", is_flag=True, help="Replace tables that exist.")
@click.option("--master", help="Spark's master, such as local[4].  [default: that of spark-submit, or of its settings]")
@click.option("--partitions", type=click.IntRange(1), help="Into how many parts the traces are divided.")
@click.option("--recompute", is_flag=True, help="Work out anew the results that spans carry.")
@click.option(
    "--checkpoint",
    metavar="FOLDER",
    help="Read INPUT as a folder that grows: go on where the last command with this FOLDER ended.",
)
@click.option(
    "--every", metavar="INTERVAL", help="With --checkpoint: look for new files this often, such as '1 minute'."
)
@click.option(
    "--idle",
    type=click.FloatRange(0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="With --checkpoint: analyse a trace when no file has come with spans of it for this time.",
)
def spark_command(
    spans: str,
    *,
    out: str,
    overwrite: bool,
    master: str | None,
    partitions: int | None,
    recompute: bool,
    checkpoint: str | None,
    every: str | None,
    idle: float,
) -> None:
    """
    Analyse the Parquet files of spans at INPUT on Spark, and write the tables of turns and findings.

    The exit status is 2 if INPUT cannot be read or has no spans, or if the tables cannot be written.
    """
    if checkpoint is None and every is not None:
        message = "--every needs --checkpoint."
        raise click.UsageError(message)
    try:
        from py4j.protocol import (  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415
            Py4JJavaError,
        )
        from pyspark.errors import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra
            PySparkException,
        )
    except ImportError:
        _fail("pyspark is not installed: pip install 'otel-parallelism[spark]'")
    try:
        settings = Settings.from_environment()
        session = _session(master)
        try:
            if checkpoint is None:
                table = span_table(session, spans)
                found = analyze_on_spark(table, settings, recompute=recompute, partitions=partitions)
                _write_tables(found, spans, out, overwrite=overwrite)
                return
            query = analyze_growing_folder(
                session,
                spans,
                out,
                checkpoint,
                settings,
                idle_s=idle,
                every=every,
                recompute=recompute,
                partitions=partitions,
            )
            query.awaitTermination()
        finally:
            session.stop()
    except (PySparkException, ParallelismError) as error:
        _fail(printable(str(error).partition("\n")[0]))
    except Py4JJavaError as error:
        _fail(printable(str(error.java_exception.getMessage()).partition("\n")[0]))


def _session(master: str | None) -> SparkSession:
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

    builder = SparkSession.builder.appName("otel-parallelism")
    if master is not None:
        builder = builder.master(master)
        if master.startswith("local"):
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return builder.getOrCreate()


def _write_tables(found: SparkAnalysis, spans: str, out: str, *, overwrite: bool) -> None:
    coverage, skipped = found.coverage(), found.skipped_rows()
    for problem, number in skipped.items():
        click.echo(f"{number:,} row{'s' if number > 1 else ''} skipped: {printable(problem)}", err=True)
    if not coverage.spans:
        raise UnreadableError(spans, None, "no row has spans", "tables of spans in a known layout")
    mode = "overwrite" if overwrite else "errorifexists"
    found.turns.write.mode(mode).parquet(f"{out}/turns")
    found.findings.write.mode(mode).parquet(f"{out}/findings")
    in_no_turn = f", {coverage.calls_without_turn:,} of them in no turn" if coverage.calls_without_turn else ""
    click.echo(f"{coverage.spans:,} spans, {coverage.calls:,} calls{in_no_turn}: {out}/turns and {out}/findings")


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(CANNOT)


if __name__ == "__main__":
    spark_command(prog_name="python -m otel_parallelism.scale.spark")
