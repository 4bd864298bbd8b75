"""``otel-parallelism analyze`` reports on the turns in files of spans."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from otel_parallelism.shown_names import printable

from .report_options import report_options
from .traces.span_inputs import (
    LONG_INPUT_BYTES,
    SkippedInput,
    expanded,
    input_size,
    pattern_options,
    reading_progress,
    spans_of,
    with_patterns,
)

if TYPE_CHECKING:
    from .destination import Destination


@click.command("analyze")
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option(
    "--recompute",
    is_flag=True,
    help="Work out every result anew. By default a turn whose span carries a result is shown with that result.",
)
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="The folder with the program's source, which shows which calls need one another. Nothing outside is read.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="In how many processes to read and analyse. The report is the same for any number.  [default: one for each "
    "core if the files have 8 MB or more, otherwise 1]",
)
@pattern_options
@report_options
def analyze_files(
    files: tuple[str, ...],
    *,
    recompute: bool,
    source: str | None,
    jobs: int | None,
    destination: Destination,
    calls: tuple[str, ...],
    models: tuple[str, ...],
    turns: tuple[str, ...],
) -> None:
    """
    Report on the agent turns in FILEs of spans.

    A FILE has OTLP JSON or protobuf, as the OpenTelemetry Collector's file exporter writes it, or spans as Jaeger,
    Zipkin, Tempo, Datadog, Langfuse, LangSmith, MLflow, Phoenix or a console exporter write them, or a table of spans
    in Parquet. It can be compressed with gzip or zstd. Use - for standard input, a folder for all files in it. Several
    FILEs are one input: the spans of a trace can be in different files. A line that cannot be read is skipped, and
    named on standard error. So is a file, if another one can be read; the exit status is then 2. The address of a
    service, such as tempo://HOST?since=2h, is read through its API: tempo, jaeger, langfuse, phoenix or clickhouse.
    """
    from otel_parallelism.errors import ParallelismError  # noqa: PLC0415 - a fast --help
    from otel_parallelism.scale.file_analysis import (  # noqa: PLC0415 - as above
        HowToAnalyze,
        analyze_in_one_process,
        analyze_in_processes,
    )
    from otel_parallelism.scale.worker_pool import usable_cores  # noqa: PLC0415 - as above
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

    inputs = expanded(files)
    for name in inputs:
        if destination.overwrites(name):
            message = f"{name} is an input and cannot be an output too."
            raise click.UsageError(message)
    try:
        settings = with_patterns(Settings.from_environment(), calls, models, turns)
        how = HowToAnalyze(settings, recompute, source)
        if jobs is None:
            jobs = usable_cores() if input_size(inputs) >= LONG_INPUT_BYTES else 1
        skipped = SkippedInput()
        with reading_progress(inputs) as advance:
            if jobs == 1:
                analysis = analyze_in_one_process(spans_of(inputs, advance, skipped, settings), how)
            else:
                analysis = analyze_in_processes(inputs, how, jobs, skipped.add, advance, skip_file=skipped.add_file)
        skipped.close()
    except (ParallelismError, ValueError) as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(2)
    sys.exit(skipped.status(destination.report(analysis)))
