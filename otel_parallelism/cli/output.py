"""Where reports go and in which form, and the exit status they stand for: what ``run`` and ``analyze`` share."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TextIO

import click

from otel_parallelism.reports.parts.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import Analysis

_STANDARD_OUTPUT: Final = 1
BELOW: Final = 1
CANNOT: Final = 2
_WIDTH_WITHOUT_TERMINAL: Final = 100
_SIGNS: Final = "·→…█▌▐░"


def _opened(context: click.Context, parameter: click.Parameter, path: str | None) -> IO[bytes] | None:
    """
    Return the file that a report is to be written to; None for ``-``, the standard output, where the report goes.

    It is opened at once, so that a program is not run in vain, and emptied only when it is written.
    """
    if path is None or (path == "-" and parameter.name == "file"):
        return None
    if path == "-":
        message = "standard output is for the report: this one needs a file."
        raise click.BadParameter(message)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        message = f"'{path}': {error.strerror}"
        raise click.BadParameter(message) from None
    file = os.fdopen(descriptor, "wb")
    context.call_on_close(lambda: _close(file))
    return file


def _close(file: IO[bytes]) -> None:
    with contextlib.suppress(OSError):  # what could not be written has been told, and is tried once more here
        file.close()


def _number(_: click.Context, __: click.Parameter, threshold: float | None) -> float | None:
    """Return *threshold* unless it is not a number: a gate that nothing can fail is no gate."""
    if threshold is not None and math.isnan(threshold):
        message = f"{threshold} is not in the range 0<=x<=1."
        raise click.BadParameter(message)
    return threshold


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options about reports to a command, which is given the ``destination`` that they make."""

    @functools.wraps(command)
    def reporting(
        *arguments: Any,
        form: str,
        file: IO[bytes] | None,
        page: IO[bytes] | None,
        events: IO[bytes] | None,
        threshold: float | None,
        silenced: bool,
        **named: Any,
    ) -> None:
        form = "prompt" if named.pop("prompt", False) else form
        destination = Destination(form, file, page=page, events=events, threshold=threshold, silenced=silenced)
        command(*arguments, destination=destination, **named)

    decorated: Callable[..., None] = reporting
    for option in (
        click.option("--show-silenced", "silenced", is_flag=True, help="List the findings that are silenced too."),
        click.option(
            "--fail-under-efficiency",
            "threshold",
            type=click.FloatRange(0, 1),
            callback=_number,
            metavar="X",
            help="Exit with status 1 if the efficiency of any turn is below X (0 to 1).",
        ),
        click.option(
            "--trace-event",
            "events",
            type=click.Path(),
            callback=_opened,
            metavar="FILE",
            help="Write the turns to FILE for ui.perfetto.dev too (Chrome Trace Event JSON).",
        ),
        click.option(
            "--html",
            "page",
            type=click.Path(),
            callback=_opened,
            metavar="FILE",
            help="Write the report to FILE as a web page too.",
        ),
        click.option(
            "--output",
            "file",
            type=click.Path(),
            callback=_opened,
            metavar="FILE",
            help="Write the report to FILE instead of standard output.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="The form of the report.",
        ),
    ):
        decorated = option(decorated)
    return decorated


class Destination:
    """
    Where reports go, decided before a program can change the working folder or the standard streams.

    Args:
        form: ``text``, ``json``, or ``prompt`` for a section of a system prompt.
        file: A binary file; standard output if None.
        page: A binary file for the HTML page; None for none.
        events: A binary file for trace events; None for none.
        threshold: The efficiency that no turn should be below; None for any.
        silenced: Whether to list silenced findings too.
    """

    def __init__(
        self,
        form: str,
        file: IO[bytes] | None = None,
        *,
        page: IO[bytes] | None = None,
        events: IO[bytes] | None = None,
        threshold: float | None = None,
        silenced: bool = False,
    ) -> None:
        """Remember the standard output and the working folder of now."""
        self._form = form
        self._file = file
        self._page = page
        self._events = events
        self._threshold = threshold
        self._silenced = silenced
        self._stream: TextIO | None = sys.stdout
        self._base = ""
        with contextlib.suppress(FileNotFoundError):  # it has been deleted
            self._base = os.getcwd()  # noqa: PTH109 - a report's file names are strings

    @property
    def shares_stdout(self) -> bool:
        """Whether lines of others may stand on standard output: the report there is for people, or is none."""
        return self._form == "text" or self._file is not None

    def option_for(self, path: str) -> str:
        """Return the option that would write to the file at *path*; empty if none would."""
        files = {"--output": self._file, "--html": self._page, "--trace-event": self._events}
        return next((option for option, file in files.items() if file is not None and _is_same(path, file)), "")

    def report(self, analysis: Analysis, *, gate: bool = True) -> int:
        """
        Write the reports on *analysis* and return the exit status that they stand for.

        That is 2 if one cannot be written, and 1 if a turn's efficiency is below the threshold, unless *gate* is
        false; standard error says so.
        """
        try:
            # The files first: whoever reads standard output may have seen enough and gone.
            self._write_files(analysis)
            self._write(analysis)
        except BrokenPipeError:
            # Whoever read the output has seen enough. The interpreter flushes it once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), _STANDARD_OUTPUT)
            return CANNOT
        except (OSError, ValueError) as error:
            click.echo(f"the report cannot be written: {error}", err=True)
            return CANNOT
        if self._threshold is None or not gate:
            return 0
        if all(report.efficiency is None for report in analysis.reports):
            click.echo(f"no turn has an efficiency to compare with {self._threshold:g}", err=True)
        found = list(_below(analysis, self._threshold))
        for line in found:
            click.echo(line, err=True)
        return BELOW if found else 0

    def _write_files(self, analysis: Analysis) -> None:
        if self._page is not None:
            from otel_parallelism.execution.prompt import prompt  # noqa: PLC0415 - only what was asked for is loaded
            from otel_parallelism.reports.html import render_html  # noqa: PLC0415 - as above

            _replace(self._page, render_html(analysis, prompt=prompt, base=self._base))
        if self._events is not None:
            from otel_parallelism.reports.trace_event import render_trace_event  # noqa: PLC0415 - as above

            _replace(self._events, render_trace_event(analysis, base=self._base))

    def _write(self, analysis: Analysis) -> None:
        if self._file is not None:
            _replace(self._file, self._rendered(analysis, colour=False, ascii_only=False))
            return
        stream = self._stream
        if stream is None:
            message = "there is no standard output"
            raise ValueError(message)
        encoding = stream.encoding or "utf-8"
        text = self._rendered(analysis, colour=_coloured(stream), ascii_only=not _can_show(encoding))
        stream.flush()
        stream.buffer.write(text.encode("utf-8" if self._form == "json" else encoding, "replace"))
        stream.buffer.flush()

    def _rendered(self, analysis: Analysis, *, colour: bool, ascii_only: bool) -> str:
        if self._form == "json":
            from otel_parallelism.reports.json import render_json  # noqa: PLC0415 - only the renderer asked for is loaded

            return render_json(analysis)
        if self._form == "prompt":
            from otel_parallelism.execution.prompt import prompt  # noqa: PLC0415 - as above

            return prompt(finding for report in analysis.reports for finding in report.findings) + "\n"
        from otel_parallelism.reports.text import render_text  # noqa: PLC0415 - as above

        width = shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 24)).columns
        return render_text(
            analysis,
            width=width,
            colour=colour,
            ascii_only=ascii_only,
            base=self._base,
            show_silenced=self._silenced,
        )


def _replace(file: IO[bytes], text: str) -> None:
    """Make *text* all that *file* holds."""
    with contextlib.suppress(OSError):  # a pipe or a device has no length
        file.truncate()
    file.write(text.encode())
    file.flush()


def _is_same(path: str, file: IO[bytes]) -> bool:
    try:
        there = Path(path).stat()
    except OSError:
        return False
    return stat.S_ISREG(there.st_mode) and os.path.samestat(there, os.fstat(file.fileno()))


def _below(analysis: Analysis, threshold: float) -> Iterator[str]:
    for number, report in enumerate(analysis.reports, 1):
        if report.efficiency is not None and report.efficiency < threshold:
            name = printable(report.turn.agent or report.turn.name)
            yield f"turn {number} ({name}): efficiency {_shown(report.efficiency, threshold)} is below {threshold:g}"


def _shown(efficiency: float, threshold: float) -> str:
    """Return *efficiency* with as many digits as it takes to see that it is below *threshold*."""
    short = f"{efficiency:.3g}"
    return short if float(short) < threshold else repr(efficiency)


def _coloured(stream: IO[str]) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _can_show(encoding: str) -> bool:
    try:
        _SIGNS.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
