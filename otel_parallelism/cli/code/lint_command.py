"""``otel-parallelism lint`` finds awaits that need not wait for each other in Python files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import click

from otel_parallelism.cli.output_errors import print_exactly
from otel_parallelism.shown_names import printable

from .measured_places import MeasuredPlace, measured_places, ranked
from .python_files import python_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.lint.lint_findings import LintFinding, LintKind
    from otel_parallelism.lint.lint_reports import LintReport

LintForm: TypeAlias = Literal["text", "json", "github", "sarif"]
_Kind: TypeAlias = Literal["serial_awaits", "await_in_loop", "blocking_call"]

_FOUND: Final = 1
_BAD_INPUT: Final = 2
_STANDARD_OUTPUT: Final = 1
_FORMAT_HELP: Final = (
    "The form of the report: text for a terminal, json for programs, github for annotations in GitHub Actions, or "
    "sarif for code scanning."
)
_EXCLUDE_HELP: Final = (
    "Leave out files and folders in PATHs that match this pattern of paths or names, beside those of the setting "
    "lint-exclude. Can be given several times."
)
_PROFILE_HELP: Final = (
    "Put the findings first at which this report, of analyze --format json, says that most seconds could be saved. Can "
    "be given several times."
)
_KIND_HELP: Final = "Look only for this kind of finding. Can be given several times.  [default: the setting lint-kinds]"


@click.command("lint", short_help="Find awaits in Python files that need not wait.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(), metavar="PATH...")
@click.option("--kind", "kinds", type=click.Choice(get_args(_Kind)), multiple=True, help=_KIND_HELP)
@click.option("--exclude", multiple=True, metavar="PATTERN", help=_EXCLUDE_HELP)
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(LintForm)),
    default="text",
    show_default=True,
    help=_FORMAT_HELP,
)
@click.option("--profile", "profiles", multiple=True, type=click.Path(), metavar="FILE", help=_PROFILE_HELP)
@click.option("--diff", is_flag=True, help="Print what --fix would change, as a unified diff, instead of a report.")
@click.option("--fix", is_flag=True, help="Rewrite the files where that surely changes no result; report on the rest.")
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help="Write the report or the diff to FILE.")
def lint(
    paths: tuple[str, ...],
    *,
    kinds: tuple[LintKind, ...],
    exclude: tuple[str, ...],
    form: LintForm,
    diff: bool,
    fix: bool,
    profiles: tuple[str, ...],
    output: str | None,
) -> None:
    """
    Find calls in the Python files of PATHs that are awaited one by one and need not be.

    Reported are awaits in a row and awaits in a loop where the source shows that no call needs another and the calls
    only read, judging by their names; and calls that block the event loop. A PATH is a file, a folder, a pattern, or -
    for standard input. A comment "# parallelism: ignore[reason]" in a statement silences its findings.

    The exit status is 0 if nothing is found, 1 if something is, and 2 if a file cannot be read or is not Python; the
    other files are still reported on.
    """
    from otel_parallelism.lint.lint_findings import LINT_KINDS  # noqa: PLC0415 - a fast --help
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

    try:
        settings = Settings.from_environment()
    except ValueError as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(_BAD_INPUT)
    known: list[LintKind] = [kind for kind in LINT_KINDS if kind in settings.lint_kinds]
    for kind in settings.lint_kinds:
        if kind not in LINT_KINDS:
            click.echo(f"lint_kinds: {printable(kind)!r}: expected {' or '.join(LINT_KINDS)}", err=True)
            sys.exit(_BAD_INPUT)
    if fix and (diff or "-" in paths):
        message = "--fix rewrites files: it goes neither with --diff nor with standard input."
        raise click.UsageError(message)
    measured = _places(profiles)
    linted = _Linted(kinds or known or tuple(LINT_KINDS), fix=fix)
    for name in python_files(paths, (*exclude, *settings.lint_exclude)):
        linted.add(name)
    if profiles:
        linted.findings = ranked(linted.findings, measured)
    try:
        _write("".join(linted.diffs) if diff else _rendered(linted.report(), form), output)
    except BrokenPipeError:
        # The interpreter flushes standard output once more when it ends, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STANDARD_OUTPUT)
        sys.exit(_BAD_INPUT)
    except OSError as error:
        click.echo(printable(f"{output or 'standard output'}: {error.strerror}"), err=True)
        sys.exit(_BAD_INPUT)
    sys.exit(_BAD_INPUT if linted.broken else _FOUND if linted.findings else 0)


def _places(profiles: Sequence[str]) -> list[MeasuredPlace]:
    """Return what the reports called *profiles* measured; end the command if one of them cannot be read."""
    from otel_parallelism.errors import UnreadableError  # noqa: PLC0415 - a fast --help

    try:
        return [place for name in profiles for place in measured_places(name)]
    except UnreadableError as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(_BAD_INPUT)


class _Linted:
    """
    The files that were linted so far.

    Attributes:
        findings: What was found in them; with *fix*, what is left after the rewrites.
        diffs: The changes that ``--fix`` makes, one unified diff for each file.
        broken: The number of files that cannot be read or written, or are not Python; standard error names each.
    """

    def __init__(self, kinds: Sequence[LintKind], *, fix: bool) -> None:
        self.findings: list[LintFinding] = []
        self.diffs: list[str] = []
        self.broken = 0
        self._kinds = kinds
        self._fix = fix
        self._files = self._ignored = 0

    def report(self) -> LintReport:
        from otel_parallelism.lint.lint_reports import LintReport  # noqa: PLC0415 - a fast --help

        return LintReport(tuple(self.findings), self._files, self._ignored)

    def add(self, name: str) -> None:
        """Lint the file called *name*, and rewrite it if that was asked for."""
        from otel_parallelism.errors import UnreadableError  # noqa: PLC0415 - a fast --help

        from .linted_file import lint_file  # noqa: PLC0415 - as above

        try:
            file = lint_file(name, self._kinds)
            if file.result.fixed is not None and self._fix:
                Path(name).write_bytes(file.result.fixed.encode(file.encoding))
                rewritten = sum(one.fixable for one in file.result.findings)
                click.echo(printable(f"{name}: {rewritten} rewritten"), err=True)
                file = lint_file(name, self._kinds)
            elif file.result.fixed is not None:
                self.diffs.append(file.diff())
        except (UnreadableError, OSError) as error:
            problem = str(error) if isinstance(error, UnreadableError) else f"{name}: {error.strerror}"
            click.echo(printable(problem), err=True)
            self.broken += 1
            return
        self.findings += file.result.findings
        self._files += 1
        self._ignored += file.result.ignored


def _rendered(report: LintReport, form: LintForm) -> str:
    from otel_parallelism.lint import lint_reports  # noqa: PLC0415 - a fast --help

    if form == "sarif":
        from importlib.metadata import version  # noqa: PLC0415 - as above

        from otel_parallelism.lint.sarif import render_sarif  # noqa: PLC0415 - as above

        return render_sarif(report, version("otel-parallelism"))
    render = {
        "text": lint_reports.render_lint_text,
        "json": lint_reports.render_lint_json,
        "github": lint_reports.render_annotations,
    }
    return render[form](report)


def _write(text: str, output: str | None) -> None:
    if output is None:
        print_exactly(text)
    else:
        Path(output).write_text(text, encoding="utf-8")
        click.echo(f"report written to {printable(output)}", err=True)
