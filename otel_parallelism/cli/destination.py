"""Where reports are written and in which form: files and standard output."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal, TextIO, TypeAlias

import click
import msgspec

from otel_parallelism.shown_names import printable

from .efficiency_gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_parallelism.model import Analysis

Form: TypeAlias = Literal["text", "json", "html", "trace-event", "prompt", "sarif", "junit", "spans"]
Colour: TypeAlias = Literal["auto", "always", "never"]

BELOW: Final = 1
"""Exit status if an analysis does not pass the gate."""
CANNOT: Final = 2
"""Exit status if a report cannot be written."""

_TITLES: Final[Mapping[Form, str]] = {
    "text": "text report",
    "json": "JSON report",
    "html": "HTML report",
    "trace-event": "trace events",
    "prompt": "prompt",
    "sarif": "SARIF log",
    "junit": "JUnit report",
    "spans": "spans",
}
_STANDARD_OUTPUT: Final = 1
WIDTH_WITHOUT_TERMINAL: Final = 100
_SIGNS: Final = "·→…–█▌▐░"


class ReportFile(msgspec.Struct, frozen=True):
    """An open binary *file*, its *name* as the user gave it, and the form of the report for it."""

    form: Form
    name: str
    file: IO[bytes]


class Destination:
    """
    The files and the standard output that reports are written to.

    It keeps the standard output and the working folder of its creation, because a program can change both.

    Args:
        files: One report is written to each.
        stdout_form: The form of the report on standard output; None for no report there.
        gate: What an analysis must fulfil; anything if None.
        silenced: Whether a text report lists silenced findings.
        colour: Whether a text report on standard output has colours.
    """

    def __init__(
        self,
        files: Sequence[ReportFile],
        stdout_form: Form | None = "text",
        *,
        gate: Gate | None = None,
        silenced: bool = False,
        colour: Colour = "auto",
    ) -> None:
        """Keep the standard output and the working folder of now."""
        self._files = files
        self._stdout_form: Form | None = stdout_form
        self._gate = gate or Gate()
        self._silenced = silenced
        self._colour: Colour = colour
        self._stream: TextIO | None = sys.stdout
        self._errors: TextIO | None = sys.stderr
        self._base = ""
        with contextlib.suppress(FileNotFoundError):  # the folder has been deleted
            self._base = os.getcwd()  # noqa: PTH109 - a report's file names are strings

    @property
    def shares_stdout(self) -> bool:
        """Whether other lines may be printed on standard output: it gets a text report or none."""
        return self._stdout_form in {"text", None}

    def overwrites(self, path: str) -> bool:
        """Return whether a report would be written over the regular file at *path*."""
        try:
            existing = Path(path).stat()
        except OSError:
            return False
        if not stat.S_ISREG(existing.st_mode):
            return False
        return any(os.path.samestat(existing, os.fstat(each.file.fileno())) for each in self._files)

    def report(self, analysis: Analysis, *, gate: bool = True) -> int:
        """
        Write the reports on *analysis* and return the exit status.

        Standard error names each file that is written, and each turn that does not pass the gate.

        Args:
            analysis: What to report on.
            gate: Whether the gate counts.

        Returns:
            2 if a report cannot be written, else 1 if *analysis* does not pass the gate, else 0.
        """
        try:
            # Files come first: the process that reads standard output may have closed it.
            for each in self._files:
                replace_content(each.file, self._rendered(each.form, analysis))
                _note(f"{_TITLES[each.form]} written to {each.name}")
            if self._stdout_form is not None:
                self._print(self._stdout_form, analysis)
        except BrokenPipeError:
            # The interpreter flushes standard output once more when it ends, which must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), _STANDARD_OUTPUT)
            return CANNOT
        except (OSError, ValueError) as error:
            _note(f"the report cannot be written: {error}")
            return CANNOT
        if not gate:
            return 0
        if remark := self._gate.remark(analysis):
            _note(remark)
        lines = [line for _, line in self._gate.failures(analysis)]
        for line in lines:
            _note(line)
        return BELOW if lines else 0

    def print_so_far(self, analysis: Analysis, remarks: Iterable[str]) -> None:
        """Print a text report on *analysis*, and *remarks* on it, on the standard error of this object's creation."""
        stream = self._errors
        if stream is None:
            return
        plain = not can_show(stream.encoding or "utf-8")
        text = self._rendered("text", analysis, colour=uses_colour(stream, self._colour), ascii_only=plain)
        stream.write("".join([*text, *(f"{line}\n" for line in remarks)]))
        stream.flush()

    def _print(self, form: Form, analysis: Analysis) -> None:
        stream = self._stream
        if stream is None:
            message = "there is no standard output"
            raise ValueError(message)
        encoding = stream.encoding or "utf-8"
        colour = uses_colour(stream, self._colour)
        parts = self._rendered(form, analysis, colour=colour, ascii_only=not can_show(encoding))
        stream.flush()
        for part in parts:
            stream.buffer.write(part.encode(encoding if form in {"text", "prompt"} else "utf-8", "replace"))
        stream.buffer.flush()

    def _rendered(
        self, form: Form, analysis: Analysis, *, colour: bool = False, ascii_only: bool = False
    ) -> Iterable[str]:
        """Return the report in *form*, in one part or several; only the renderer of that form is imported."""
        if form == "json":
            from otel_parallelism.reports.json import json_parts  # noqa: PLC0415 - see the docstring

            return json_parts(analysis)
        if form == "spans":
            from otel_parallelism.testing.turn_spans import span_parts, spans_of_turn  # noqa: PLC0415 - see the docstring

            base = Path(self._base)
            return span_parts(span for report in analysis.reports for span in spans_of_turn(report, base))
        if form == "html":
            from otel_parallelism.execution.prompt import prompt  # noqa: PLC0415 - see the docstring
            from otel_parallelism.reports.html import render_html  # noqa: PLC0415 - see the docstring

            return [render_html(analysis, prompt=prompt, base=self._base)]
        if form == "trace-event":
            from otel_parallelism.reports.trace_event import render_trace_event  # noqa: PLC0415 - see the docstring

            return [render_trace_event(analysis, base=self._base)]
        if form in {"sarif", "junit", "prompt"}:
            return [self._for_programs(form, analysis)]
        from otel_parallelism.reports.text import render_text  # noqa: PLC0415 - see the docstring

        text = render_text(
            analysis,
            width=shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns,
            colour=colour,
            ascii_only=ascii_only,
            base=self._base,
            show_silenced=self._silenced,
        )
        return [text]

    def _for_programs(self, form: Form, analysis: Analysis) -> str:
        """Return the report as services read it that show the results of checks, or as a model does."""
        if form == "prompt":
            from otel_parallelism.execution.prompt import prompt  # noqa: PLC0415 - for this form only

            return prompt(finding for report in analysis.reports for finding in report.findings) + "\n"
        if form == "sarif":
            from importlib.metadata import version  # noqa: PLC0415 - for this form only

            from otel_parallelism.reports.sarif_findings import render_findings_sarif  # noqa: PLC0415 - for this form only

            return render_findings_sarif(analysis, version("otel-parallelism"), self._base)
        from otel_parallelism.reports.junit import render_junit  # noqa: PLC0415 - as above

        return render_junit(analysis, dict(self._gate.failures(analysis)), self._base)


def _note(line: str) -> None:
    """Print *line* on standard error, unless the program has closed it."""
    try:
        click.echo(printable(line), err=True)
    except (OSError, ValueError):
        # The interpreter flushes standard error when it ends. A second failure there would change the exit status.
        sys.stderr = None


def replace_content(file: IO[bytes], parts: Iterable[str]) -> None:
    """Replace the content of *file* with a text in *parts*; it is emptied when the first of them is there."""
    written = map(str.encode, parts)
    first = next(written, b"")
    with contextlib.suppress(OSError):  # a pipe or a device has no length
        file.truncate()
    file.write(first)
    file.writelines(written)
    file.flush()


def uses_colour(stream: IO[str], colour: Colour) -> bool:
    """Return whether to colour *stream*. Highest precedence first: *colour*, NO_COLOR, FORCE_COLOR, the terminal."""
    if colour != "auto":
        return colour == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def can_show(encoding: str) -> bool:
    """Return whether *encoding* has the signs that a text report uses beyond ASCII."""
    try:
        _SIGNS.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
