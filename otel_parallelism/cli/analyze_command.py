"""``otel-parallelism analyze`` reports on the turns in files of spans."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from .report_options import report_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_parallelism.model import SpanRecord

    from .destination import Destination

LONG_INPUT_BYTES: Final = 8_000_000


@click.command("analyze")
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@report_options
def analyze_files(files: tuple[str, ...], destination: Destination) -> None:
    """
    Report on the agent turns in FILEs of spans.

    A FILE has OTLP JSON, as the OpenTelemetry Collector's file exporter writes it, and can be compressed with gzip. Use
    - for standard input. Several FILEs are one input: the spans of a trace can be in different files.
    """
    from otel_parallelism.analysis.analyze import analyze_records  # noqa: PLC0415 - a fast --help
    from otel_parallelism.dialects import classify  # noqa: PLC0415 - as above
    from otel_parallelism.errors import UnreadableError  # noqa: PLC0415 - as above
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

    for name in files:
        if destination.overwrites(name):
            message = f"{name} is an input and cannot be an output too."
            raise click.UsageError(message)
    try:
        settings = Settings.from_environment()
        with _progress(files) as advance:
            analysis = analyze_records(_spans(files, advance), classify, settings)
    except (UnreadableError, ValueError) as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
    sys.exit(destination.report(analysis))


def _spans(files: Sequence[str], advance: Callable[[int], None]) -> Iterator[SpanRecord]:
    """Yield the spans of all *files*, and call *advance* with the total number of bytes read so far."""
    from otel_parallelism.readers.otlp_json import read_otlp_json  # noqa: PLC0415 - a fast --help

    before = 0
    for file in files:
        at = before

        def add(read_bytes: int, before: int = before) -> None:
            nonlocal at
            at = before + read_bytes
            advance(at)

        yield from read_otlp_json(file, add)
        before = at


@contextlib.contextmanager
def _progress(files: Sequence[str]) -> Iterator[Callable[[int], None]]:
    """Yield a function that shows the bytes read so far. It draws a bar on a terminal if the input is long."""
    total = sum(_size(file) for file in files)
    if total < LONG_INPUT_BYTES or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where a bar is shown
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)

        def advance(at: int) -> None:
            bar.update(task, completed=at, description="reading" if at < total else "analysing")

        yield advance


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except OSError:
        return 0  # the reader reports the error
