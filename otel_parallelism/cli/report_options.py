"""The options about reports that ``run``, ``analyze`` and ``demo`` share, as one click decorator."""

from __future__ import annotations

import functools
import os
import stat
from typing import IO, TYPE_CHECKING, Any, Final, get_args

import click

from .destination import Colour, Destination, Form, ReportFile
from .efficiency_gate import Gate
from .number_range import NumberRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

STANDARD_OUTPUT: Final = "-"
SUFFIXES: Final[Mapping[str, Form]] = {
    ".trace.json": "trace-event",
    ".sarif.json": "sarif",
    ".sarif": "sarif",
    ".xml": "junit",
    ".json": "json",
    ".jsonl": "spans",
    ".html": "html",
    ".htm": "html",
    ".md": "prompt",
}
"""The form of a file's report by the end of its name; ``text`` for all other names."""

_FORMAT_HELP: Final = (
    "The form of the report: text for a terminal, json for programs, html for a browser, trace-event for "
    "ui.perfetto.dev, prompt for a section of a system prompt, sarif for code scanning (findings with a place), "
    "junit for test results (one case for each turn; those that fail the gate are failures), or spans for the turns as "
    "OTLP JSON without contents, which compare and fix read. Can be given several times.  [default: text]"
)
_OUTPUT_HELP: Final = (
    "Write a report to FILE instead of standard output (-). Can be given several times: the n-th FILE gets the n-th "
    "--format, and a FILE without one gets the form that its suffix names (.json, .html, .trace.json, .md for prompt, "
    ".sarif, .xml for junit, .jsonl for spans, otherwise text). A --format without a FILE goes to standard output."
)
_GATE_HELP: Final = (
    "Exit with status 1 if the efficiency of any turn is below X (0 to 1). What is unknown counts as needed."
)
_STRICT_HELP: Final = "Make --fail-under-efficiency compare the efficiency floor: what is unknown counts as avoidable."


def report_options(command: Callable[..., None]) -> Callable[..., None]:
    """
    Add the options about reports to *command*, and pass it the ``destination`` that they describe.

    The files are opened after all options are parsed and before *command* runs, so that a program is not run in vain.
    """

    @functools.wraps(command)
    def reporting(
        *arguments: Any,
        forms: tuple[Form, ...],
        outputs: tuple[str, ...],
        html: str | None,
        trace_event: str | None,
        prompt: bool,
        colour: Colour,
        threshold: float | None,
        strict: bool,
        needs_turns: bool,
        silenced: bool,
        **named: Any,
    ) -> None:
        paired, stdout_form = _pairs(("prompt",) if prompt else forms, outputs)
        also: tuple[tuple[Form, str | None], ...] = (("html", html), ("trace-event", trace_event))
        named_files: list[tuple[Form, str]] = [(form, name) for form, name in also if name is not None]
        if strict and threshold is None:
            message = "--strict needs --fail-under-efficiency."
            raise click.UsageError(message)
        gate = Gate(threshold, strict, needs_turns)
        destination = Destination(
            list(open_reports(paired + named_files)), stdout_form, gate=gate, silenced=silenced, colour=colour
        )
        command(*arguments, destination=destination, **named)

    decorated: Callable[..., None] = reporting
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def form_of(name: str) -> Form:
    """
    Return the form of the report in the file called *name*.

    >>> form_of("report.html"), form_of("turns.trace.json"), form_of("report")
    ('html', 'trace-event', 'text')
    """
    for suffix, form in SUFFIXES.items():
        if name.lower().endswith(suffix):
            return form
    return "text"


def _pairs(forms: Sequence[Form], outputs: Sequence[str]) -> tuple[list[tuple[Form, str]], Form | None]:
    """
    Return form and name of each file, and the form of the report on standard output (None for no report there).

    Raises:
        click.UsageError: Two reports would go to standard output.
    """
    if len(forms) > len(outputs) + 1:
        message = f"{len(forms)} --format and {len(outputs)} --output: only one report can go to standard output."
        raise click.UsageError(message)
    without_form = outputs[len(forms) :]
    paired = [
        *zip(forms, outputs, strict=False),
        *((form_of(name), name) for name in without_form),
        *((form, STANDARD_OUTPUT) for form in forms[len(outputs) :]),
    ]
    stdout = [form for form, name in paired if name == STANDARD_OUTPUT]
    if len(stdout) > 1:
        message = "only one report can go to standard output."
        raise click.UsageError(message)
    files = [(form, name) for form, name in paired if name != STANDARD_OUTPUT]
    return files, stdout[0] if stdout else None if files else "text"


def open_reports(paired: Sequence[tuple[Form, str]]) -> Iterator[ReportFile]:
    """
    Open the files; each is emptied only when its report is written.

    Raises:
        click.BadParameter: A file cannot be opened or is named twice.
    """
    context = click.get_current_context()
    seen: list[os.stat_result] = []
    for form, name in paired:
        try:
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            message = f"'{name}': {error.strerror}"
            raise click.BadParameter(message, context, param_hint="--output") from None
        file = os.fdopen(descriptor, "wb")
        context.call_on_close(functools.partial(_close, file))
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and any(os.path.samestat(status, other) for other in seen):
            message = f"'{name}': two reports cannot be written to one file."
            raise click.BadParameter(message, context, param_hint="--output")
        seen.append(status)
        yield ReportFile(form, name, file)


def _close(file: IO[bytes]) -> None:
    # Closing tries once more to write what could not be written; that error has been reported already.
    try:
        file.close()
    except OSError:
        return


def _file_name(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """Return *name*, which must be a file's and not ``-``."""
    if name == STANDARD_OUTPUT:
        message = "this option needs a file; use --format to write the report to standard output."
        raise click.BadParameter(message)
    return name


_OPTIONS: Final = (
    click.option("--format", "forms", type=click.Choice(get_args(Form)), multiple=True, help=_FORMAT_HELP),
    click.option("-o", "--output", "outputs", type=click.Path(), multiple=True, metavar="FILE", help=_OUTPUT_HELP),
    click.option(
        "--color",
        "colour",
        type=click.Choice(get_args(Colour)),
        default="auto",
        show_default=True,
        help="Colours in a text report on standard output. auto uses them on a terminal, and honours NO_COLOR and "
        "FORCE_COLOR.",
    ),
    click.option(
        "--fail-under-efficiency",
        "threshold",
        type=NumberRange(0, 1),
        metavar="X",
        help=_GATE_HELP,
    ),
    click.option("--strict", is_flag=True, help=_STRICT_HELP),
    click.option("--fail-if-no-turns", "needs_turns", is_flag=True, help="Exit with status 1 if no turn is found."),
    click.option("--show-silenced", "silenced", is_flag=True, help="List silenced findings too."),
    # Names of earlier versions.
    click.option("--html", "html", type=click.Path(), callback=_file_name, hidden=True),
    click.option("--trace-event", "trace_event", type=click.Path(), callback=_file_name, hidden=True),
    click.option("--prompt", is_flag=True, hidden=True),
)
