"""The files of spans that commands read: which they are, in what order, and what is said about broken lines."""

from __future__ import annotations

import contextlib
import glob
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from otel_parallelism.errors import UnreadableError
from otel_parallelism.shown_names import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_parallelism.model import SpanRecord
    from otel_parallelism.settings import Settings

LONG_INPUT_BYTES: Final = 8_000_000
MAX_MESSAGES: Final = 5
"""More lines that cannot be read are only counted."""
MAX_FILE_MESSAGES: Final = 20
"""The same for files."""
UNREADABLE: Final = 2
"""Exit status if an input cannot be read."""

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


class SkippedInput:
    """
    The lines and the files that could not be read; a message for each goes to standard error, up to a limit.

    Args:
        quiet: Whether there are no messages.

    Attributes:
        files: How many files were skipped.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        """Begin with nothing."""
        self._quiet = quiet
        self._lines = 0
        self.files: int = 0

    def add(self, error: UnreadableError) -> None:
        """Count one line, and say what is wrong with it."""
        self._lines += 1
        if self._lines <= MAX_MESSAGES:
            self._say(f"{error}; skipped")

    def add_file(self, error: UnreadableError) -> None:
        """Count one file, and say what is wrong with it. Spans before the place where it is broken count."""
        self.files += 1
        if self.files <= MAX_FILE_MESSAGES:
            self._say(f"{error}; the other files are read")

    def close(self) -> None:
        """Say how many lines and files had no message of their own."""
        more = self._lines - MAX_MESSAGES
        if more > 0:
            self._say(f"{more} more lines or values could not be read and were skipped")
        more = self.files - MAX_FILE_MESSAGES
        if more > 0:
            self._say(f"{more} more files could not be read")

    def status(self, otherwise: int) -> int:
        """Return the exit status of a command that ends with *otherwise* if it has read every file."""
        return UNREADABLE if self.files else otherwise

    def _say(self, message: str) -> None:
        if not self._quiet:
            click.echo(printable(message), err=True)


def spans_of(
    files: Sequence[str], advance: Callable[[int], None], skipped: SkippedInput, settings: Settings
) -> Iterator[SpanRecord]:
    """
    Yield the spans of all *files* that can be read, and call *advance* with the total number of bytes read so far.

    Raises:
        UnreadableError: No file can be read: the error of the last one.
    """
    from otel_parallelism.readers.any_format import read_spans  # noqa: PLC0415 - a fast --help
    from otel_parallelism.readers.parsing.skipped_errors import SkippedFiles  # noqa: PLC0415 - as above

    unread = SkippedFiles(skipped.add_file)
    before = 0
    for file in files:
        at = before

        def add(read_bytes: int, before: int = before) -> None:
            nonlocal at
            at = before + read_bytes
            advance(at)

        try:
            yield from read_spans(file, add, skipped.add, settings)
            unread.read()
        except UnreadableError as error:
            unread.add(error)
        before = at
    unread.close()


def expanded(names: Sequence[str]) -> list[str]:
    """Return the files that *names* stand for: a folder's files at any depth, and those that a pattern matches."""
    found: list[str] = []
    for name in names:
        if "://" in name:  # the address of a service
            found.append(name)
            continue
        # The methods of Path raise where a folder may not be read, or a name is too long.
        if name != "-" and os.path.isdir(name):  # noqa: PTH112
            found += _files_in(name) or [name]
        elif not os.path.exists(name) and any(character in name for character in "*?["):  # noqa: PTH110
            found += sorted(glob.glob(name, recursive=True)) or [name]  # noqa: PTH207 - also absolute patterns
        else:
            found.append(name)
    return found


def _files_in(folder: str) -> list[str]:
    """
    Return the files at any depth in *folder* that are not hidden, in order.

    Links to files are followed, those to folders are not. A folder that may not be read, and a link that leads to
    nothing, are among the files, so that reading them gives the reason.
    """
    unread: list[OSError] = []
    found: list[Path] = []
    for place, folders, files in os.walk(folder, onerror=unread.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in files if not name.startswith(".")]
    shown = [path for path in found if _is_input(path)]
    shown += [Path(error.filename) for error in unread if error.filename]
    return [str(path) for path in sorted(shown)]


def _is_input(path: Path) -> bool:
    """Return whether *path* in a folder is read: not a pipe, a device, or a part of a block of Tempo without spans."""
    if not os.path.isfile(path):  # noqa: PTH113 - the method of Path raises where a folder may not be read
        return os.path.islink(path) and not os.path.exists(path)  # noqa: PTH110, PTH114 - as above
    beside = path.name in {"meta.json", "index"} or path.name.startswith("bloom-")
    return not (beside and os.path.isfile(path.with_name("data.parquet")))  # noqa: PTH113 - as above


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
