"""``otel-parallelism analyze`` reports on the turns in files of spans."""

from __future__ import annotations

import contextlib
import glob
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from otel_parallelism.shown_names import printable

from .report_options import report_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_parallelism.errors import UnreadableError
    from otel_parallelism.model import SpanRecord
    from otel_parallelism.settings import Settings

    from .destination import Destination

LONG_INPUT_BYTES: Final = 8_000_000
MAX_MESSAGES: Final = 5
"""More lines that cannot be read are only counted."""


_CALL_HELP: Final = (
    "Spans that are tool calls, whatever their vocabulary: a pattern of span names such as 'fda.*', or "
    "attribute=value. Can be given several times."
)
_MODEL_HELP: Final = "Spans that are model requests, in the same way."
_TURN_HELP: Final = "Spans that are turns, in the same way."


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
@click.option("--call", "calls", multiple=True, metavar="PATTERN", help=_CALL_HELP)
@click.option("--model", "models", multiple=True, metavar="PATTERN", help=_MODEL_HELP)
@click.option("--turn", "turns", multiple=True, metavar="PATTERN", help=_TURN_HELP)
@report_options
def analyze_files(
    files: tuple[str, ...],
    *,
    recompute: bool,
    source: str | None,
    destination: Destination,
    calls: tuple[str, ...],
    models: tuple[str, ...],
    turns: tuple[str, ...],
) -> None:
    """
    Report on the agent turns in FILEs of spans.

    A FILE has OTLP JSON or protobuf, as the OpenTelemetry Collector's file exporter writes it, or spans as Jaeger,
    Zipkin, Tempo, Datadog, Langfuse, LangSmith, MLflow, Phoenix or a console exporter write them. It can be compressed
    with gzip or zstd. Use - for standard input, a folder for all files in it. Several FILEs are one input: the spans of
    a trace can be in different files. A line that cannot be read is skipped, and named on standard error.
    """
    from otel_parallelism.analysis.analyze import analyze_records  # noqa: PLC0415 - a fast --help
    from otel_parallelism.dialects import classifier  # noqa: PLC0415 - as above
    from otel_parallelism.dialects.parsing.result_attributes import recorded_result  # noqa: PLC0415 - as above
    from otel_parallelism.errors import UnreadableError  # noqa: PLC0415 - as above
    from otel_parallelism.readers.source_folder import sources_in  # noqa: PLC0415 - as above
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

    inputs = _expanded(files)
    for name in inputs:
        if destination.overwrites(name):
            message = f"{name} is an input and cannot be an output too."
            raise click.UsageError(message)
    try:
        settings = _with_patterns(Settings.from_environment(), calls, models, turns)
        skipped = _SkippedLines()
        with _progress(inputs) as advance:
            analysis = analyze_records(
                _spans(inputs, advance, skipped.add, settings),
                classifier(settings),
                settings,
                recorded=None if recompute or source is not None else recorded_result,
                sources=None if source is None else sources_in(source),
            )
        skipped.close()
    except (UnreadableError, ValueError) as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(2)
    sys.exit(destination.report(analysis))


def _with_patterns(
    settings: Settings, calls: tuple[str, ...], models: tuple[str, ...], turns: tuple[str, ...]
) -> Settings:
    """Return *settings* with the patterns of spans that were given as options in front of its own."""
    import msgspec  # noqa: PLC0415 - a fast --help

    return msgspec.structs.replace(
        settings,
        call_spans=(*calls, *settings.call_spans),
        model_spans=(*models, *settings.model_spans),
        turn_spans=(*turns, *settings.turn_spans),
    )


class _SkippedLines:
    """The lines that could not be read; a message for each goes to standard error, up to a limit."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, error: UnreadableError) -> None:
        """Count one line, and say what is wrong with it."""
        self._count += 1
        if self._count <= MAX_MESSAGES:
            click.echo(f"{printable(str(error))}; skipped", err=True)

    def close(self) -> None:
        """Say how many lines had no message of their own."""
        more = self._count - MAX_MESSAGES
        if more > 0:
            click.echo(f"{more} more lines or values could not be read and were skipped", err=True)


def _spans(
    files: Sequence[str],
    advance: Callable[[int], None],
    skip: Callable[[UnreadableError], None],
    settings: Settings,
) -> Iterator[SpanRecord]:
    """Yield the spans of all *files*, and call *advance* with the total number of bytes read so far."""
    from otel_parallelism.readers.any_format import read_spans  # noqa: PLC0415 - a fast --help

    before = 0
    for file in files:
        at = before

        def add(read_bytes: int, before: int = before) -> None:
            nonlocal at
            at = before + read_bytes
            advance(at)

        yield from read_spans(file, add, skip, settings)
        before = at


def _expanded(names: Sequence[str]) -> list[str]:
    """Return the files that *names* stand for: a folder's files at any depth, and those that a pattern matches."""
    found: list[str] = []
    for name in names:
        path = Path(name)
        if name != "-" and path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
            found += [str(file) for file in inside]
        elif not path.exists() and any(character in name for character in "*?["):
            found += sorted(glob.glob(name, recursive=True)) or [name]  # noqa: PTH207 - also absolute patterns
        else:
            found.append(name)
    return found


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
