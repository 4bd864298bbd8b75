"""What happens when standard output is closed, full, or a pipe that nothing reads any more."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from otel_parallelism.shown_names import printable

from .destination import CANNOT

if TYPE_CHECKING:
    from collections.abc import Iterator


def with_written_output(command: click.Command) -> click.Command:
    """Return *command*, which now runs in `written_output`."""
    run = command.callback
    if run is not None:

        @functools.wraps(run)
        def writing(*arguments: Any, **named: Any) -> Any:
            with written_output():
                return run(*arguments, **named)

        command.callback = writing
    return command


@contextlib.contextmanager
def written_output() -> Iterator[None]:
    """
    Write all that is printed inside to standard output, and exit with status 2 if that fails.

    A message says why, except where the process that reads a pipe has ended.
    """
    if sys.stdout is None:
        # Nothing can be written to it, so that a command does not seem to succeed.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    try:
        try:
            yield
        except SystemExit as ending:
            if ending.code != CANNOT or not _is_lost():  # otherwise the reason has been told
                _flush()
            raise
        _flush()
    except BrokenPipeError:
        _discard()
        sys.exit(CANNOT)
    except OSError as error:
        _discard()
        place = f" ({error.filename})" if error.filename else ""
        click.echo(printable(f"the command cannot go on: {error.strerror or error}{place}"), err=True)
        sys.exit(CANNOT)


def print_exactly(text: str) -> None:
    """Print *text*, which a program may read; in UTF-8 if the encoding of standard output does not have its letters."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        click.echo(text.encode("utf-8", "surrogateescape"), nl=False)
    else:
        click.echo(text, nl=False)


def _flush() -> None:
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()


def _is_lost() -> bool:
    """Return whether standard output cannot be written; what is left of it is discarded then."""
    try:
        _flush()
    except OSError:
        _discard()
        return True
    return False


def _discard() -> None:
    """Discard what is left of standard output: the interpreter flushes it once more when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
