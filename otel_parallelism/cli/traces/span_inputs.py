"""The files of spans that commands read: which they are, in what order, and what is said about broken lines."""

from __future__ import annotations

import contextlib
import glob
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from otel_parallelism.shown_names import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_parallelism.errors import UnreadableError
    from otel_parallelism.model import SpanRecord
    from otel_parallelism.settings import Settings

LONG_INPUT_BYTES: Final = 8_000_000
MAX_MESSAGES: Final = 5
"""More lines that cannot be read are only counted."""

_CALL_HELP: Final = (
    "Spans that are tool calls, whatever their vocabulary: a pattern of span names such as 'fda.*', or "
    "attribute=value. Can be given several times."
)
_MODEL_HELP: Final = "Spans that are model requests, in the same way."
_TURN_HELP: Final = "Spans that are turns, in the same way."


def pattern_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which spans are calls, model requests and turns."""
    decorated: Any = command
    for name, parameter, text in (
        ("--turn", "turns", _TURN_HELP),
        ("--model", "models", _MODEL_HELP),
        ("--call", "calls", _CALL_HELP),
    ):
        decorated = click.option(name, parameter, multiple=True, metavar="PATTERN", help=text)(decorated)
    return decorated  # type: ignore[no-any-return]


def with_patterns(
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


class SkippedLines:
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


def spans_of(
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


def expanded(names: Sequence[str]) -> list[str]:
    """Return the files that *names* stand for: a folder's files at any depth, and those that a pattern matches."""
    found: list[str] = []
    for name in names:
        if "://" in name:  # the address of a service
            found.append(name)
            continue
        # The methods of Path raise where a folder may not be read, or a name is too long.
        if name != "-" and os.path.isdir(name):  # noqa: PTH112
            inside = sorted(file for file in Path(name).rglob("*") if _is_shown_file(file))
            found += [str(file) for file in inside if not _is_beside_a_block(file)] or [name]
        elif not os.path.exists(name) and any(character in name for character in "*?["):  # noqa: PTH110
            found += sorted(glob.glob(name, recursive=True)) or [name]  # noqa: PTH207 - also absolute patterns
        else:
            found.append(name)
    return found


def _is_shown_file(path: Path) -> bool:
    return not path.name.startswith(".") and os.path.isfile(path)  # noqa: PTH113 - as above


def _is_beside_a_block(file: Path) -> bool:
    """Return whether *file* is a part of a block of Tempo that has no spans."""
    part = file.name in {"meta.json", "index"} or file.name.startswith("bloom-")
    return part and os.path.isfile(file.with_name("data.parquet"))  # noqa: PTH113 - as above


@contextlib.contextmanager
def reading_progress(files: Sequence[str]) -> Iterator[Callable[[int], None]]:
    """Yield a function that shows the bytes read so far. It draws a bar on a terminal if the input is long."""
    total = input_size(files)
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


def input_size(files: Sequence[str]) -> int:
    """Return how many bytes *files* have; those of unknown size count as empty."""
    return sum(_size(file) for file in files)


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except OSError:
        return 0  # the reader reports the error
