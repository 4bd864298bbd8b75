"""Where the report on many turns is written, and in which form: files by their suffix, and standard output."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import click

from otel_parallelism.cli.destination import WIDTH_WITHOUT_TERMINAL, ReportFile, can_show, replace_content, uses_colour
from otel_parallelism.cli.report_options import form_of, open_reports
from otel_parallelism.shown_names import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_parallelism.cli.destination import Form

FleetForm: TypeAlias = Literal["text", "json", "html"]
PARQUET: Final = ".parquet"
CANNOT: Final = 2
_FORMAT_HELP: Final = "The form of the report on standard output.  [default: text, or none with -o]"


class Renderer(Protocol):
    """Returns a report in one form; *width* and what follows is for text only."""

    def __call__(self, form: FleetForm, *, width: int, colour: bool, ascii_only: bool, base: str) -> str:
        """Return the report."""
        ...


def output_options(help_text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds ``--format``, ``-o`` and ``--color``; *help_text* describes the files."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        decorated: Any = command
        for option in (
            click.option("--color", "colour", type=click.Choice(["auto", "always", "never"]), default="auto"),
            click.option("-o", "--output", "outputs", type=click.Path(), multiple=True, metavar="FILE", help=help_text),
            click.option("--format", "form", type=click.Choice(["text", "json", "html"]), help=_FORMAT_HELP),
        ):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


class FleetOutputs:
    """
    The files and the standard output that a report is written to. Files are opened at once, and emptied at the end.

    Args:
        form: The form on standard output; None for text if there are no files, else for nothing.
        outputs: Files; their suffix says the form.
        colour: Whether a text report on standard output has colours.
    """

    def __init__(
        self, form: FleetForm | None, outputs: Sequence[str], colour: Literal["auto", "always", "never"]
    ) -> None:
        """Open the files."""
        self.parquet: list[str] = [name for name in outputs if name.lower().endswith(PARQUET)]
        pairs: list[tuple[Form, str]] = [(form_of(name), name) for name in outputs if name not in self.parquet]
        for kind, name in pairs:
            if kind not in {"text", "json", "html"}:
                message = f"'{name}': a report on many turns is text, .json, .html or .parquet."
                raise click.BadParameter(message, param_hint="--output")
        self._files: list[ReportFile] = list(open_reports(pairs))
        self._form: FleetForm | None = form or (None if outputs else "text")
        self._colour: Literal["auto", "always", "never"] = colour

    def check_inputs(self, inputs: Sequence[str]) -> None:
        """
        Refuse outputs that are inputs.

        Raises:
            click.UsageError: One of *inputs* is an output too.
        """
        for name in inputs:
            for output in (*(each.name for each in self._files), *self.parquet):
                with contextlib.suppress(OSError):
                    if name != "-" and os.path.samefile(name, output):  # noqa: PTH121 - two names of any kind
                        message = f"{name} is an input and cannot be an output too."
                        raise click.UsageError(message)

    def write(self, render: Renderer) -> None:
        """Write the report that *render* returns, and say which files were written; exits with 2 if one cannot be."""
        base = ""
        with contextlib.suppress(FileNotFoundError):
            base = str(Path.cwd())
        try:
            for each in self._files:
                text = render(
                    _as_form(each.form), width=WIDTH_WITHOUT_TERMINAL, colour=False, ascii_only=False, base=base
                )
                replace_content(each.file, [text])
                click.echo(f"report written to {printable(each.name)}", err=True)
            if self._form is not None:
                ascii_only = not can_show(sys.stdout.encoding or "ascii")
                columns = shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
                colour = uses_colour(sys.stdout, self._colour)
                text = render(self._form, width=columns, colour=colour, ascii_only=ascii_only, base=base)
                sys.stdout.write(text)
                sys.stdout.flush()
        except BrokenPipeError:
            raise  # which needs no message
        except (OSError, UnicodeError) as error:
            click.echo(printable(f"the report cannot be written: {error}"), err=True)
            sys.exit(CANNOT)


def _as_form(form: str) -> FleetForm:
    return "json" if form == "json" else "html" if form == "html" else "text"


@contextlib.contextmanager
def turn_tables(names: Sequence[str]) -> Iterator[Callable[[Any], None]]:
    """Yield a function that writes a report as rows to all files in *names*, which are Parquet; it may be none."""
    if not names:
        yield lambda _: None
        return
    from otel_parallelism.fleet.parquet_tables import ParquetTables  # noqa: PLC0415 - an optional dependency

    with contextlib.ExitStack() as stack:
        tables = [stack.enter_context(ParquetTables(name)) for name in names]

        def add(report: Any) -> None:
            for table in tables:
                table.add(report)

        yield add
    for name in names:
        click.echo(f"tables: {printable(name)} and {printable(ParquetTables.findings_path(name))}", err=True)
