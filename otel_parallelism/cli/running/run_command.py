"""``otel-parallelism run`` runs a program under instrumentation and reports on its turns at its end."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_parallelism.cli.report_options import report_options

from .program import INTERPRETER, Interrupted, ProgramNotFoundError, importing_from, run_program, wait_for_processes
from .signal_reports import SignalReports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.cli.destination import Destination

    from .live_view import LiveView
    from .watch import Watch


@click.command(
    short_help="Run a program and report on its agent turns.", context_settings={"allow_interspersed_args": False}
)
@click.option("-m", "module", is_flag=True, help="SCRIPT is the name of a module, as with python -m.")
@click.option("--live", is_flag=True, help="Show the open turns in the last lines of the terminal while SCRIPT runs.")
@report_options
@click.argument("script", metavar="SCRIPT")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def run(script: str, arguments: tuple[str, ...], module: bool, live: bool, destination: Destination) -> None:
    """
    Run SCRIPT with ARGS and report on its agent turns at its end.

    SCRIPT runs as python runs it; all arguments after its name are passed to it. Turns of its child processes are in
    the report too. The report is also written after an exception, sys.exit, Ctrl-C and SIGTERM; SIGUSR1 prints the
    report so far on standard error. The exit status is the program's; if that is 0, a failed gate makes it 1.
    """
    if not module and (instead := _without_interpreter(script, arguments)):
        click.echo(f"'{script}' is an interpreter, not a script; run: otel-parallelism run {instead}", err=True)
        sys.exit(2)
    from .watch import Watch  # noqa: PLC0415 - a fast --help

    try:
        watch = Watch(follow=True)
    except ValueError as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
    process = os.getpid()
    path = sys.path[0 if sys.flags.safe_path else 1 :]  # the first entry becomes the program's folder
    view = _live_view(watch) if live else None
    signals = SignalReports(
        ended=lambda: _report(watch, destination, path, view, gate=False),
        requested=lambda: destination.print_so_far(watch.analysis(), watch.missing()),
    )
    try:
        ending = run_program(script, arguments, module=module)
    except ProgramNotFoundError as error:
        watch.close()
        if view is not None:
            view.stop()
        click.echo(f"{error}", err=True)
        sys.exit(2)
    status = ending.status
    if os.getpid() == process:  # a forked child of the program ends here too and must not report
        wait_for_processes()
        signals.stop()
        outcome = _report(watch, destination, path, view, gate=not status)
        status = status or outcome
    if ending.interrupted:
        raise Interrupted
    sys.exit(status)


def _live_view(watch: Watch) -> LiveView | None:
    """Start to show open turns on the terminal of standard error; say so if there is none."""
    from otel_parallelism import live_turns  # noqa: PLC0415 - a fast --help

    from .live_view import LiveView  # noqa: PLC0415 - as above

    try:
        terminal = sys.stderr.fileno()
        os.get_terminal_size(terminal)
    except (AttributeError, OSError, ValueError):
        click.echo("--live shows nothing: standard error is no terminal", err=True)
        return None
    return LiveView(os.dup(terminal), live_turns, watch.open_turns)


def _report(watch: Watch, destination: Destination, path: Sequence[str], view: LiveView | None, *, gate: bool) -> int:
    """Write the reports on all turns, delete what child processes have written, and return the exit status."""
    if view is not None:
        view.stop()
    analysis = watch.analysis()
    watch.close()
    for line in watch.missing():
        click.echo(line, err=True)
    with importing_from(path):
        return destination.report(analysis, gate=gate)


def _without_interpreter(script: str, arguments: Sequence[str]) -> str:
    """
    Return what to run instead of ``python x.py``; an empty string if *script* is no Python interpreter.

    >>> _without_interpreter("python3", ["-u", "x.py", "--fast"]), _without_interpreter("agent.py", [])
    ('x.py --fast', '')
    >>> _without_interpreter(".venv/bin/python", ["-m", "package"])
    '-m package'
    """
    if not INTERPRETER.fullmatch(os.path.basename(script)) or _is_text(script):  # noqa: PTH119 - a string is wanted
        return ""
    remaining = list(arguments)
    while remaining and remaining[0].startswith("-") and remaining[0] not in {"-m", "-c"}:
        del remaining[: 2 if remaining[0] in {"-X", "-W"} else 1]
    return shlex.join(remaining) if remaining and remaining[0] != "-c" else "SCRIPT"


def _is_text(path: str) -> bool:
    """Return whether there is a file at *path* that could be Python source."""
    try:
        with Path(path).open("rb") as file:
            return b"\0" not in file.read(1024)
    except OSError:
        return False
