"""``otel-parallelism run``: run a program with everything installed and report on its turns when it has ended."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from .output import options
from .program import Interrupted, ProgramNotFoundError, importing_from, run_program

if TYPE_CHECKING:
    from .output import Destination


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("-m", "module", is_flag=True, help="SCRIPT is the name of a module, as for python -m.")
@options
@click.argument("script", metavar="SCRIPT")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def run(script: str, arguments: tuple[str, ...], module: bool, destination: Destination) -> None:
    """
    Run SCRIPT with ARGS and report on its agent turns at its end.

    SCRIPT runs as python would run it; whatever follows its name belongs to it. The report comes after an exception,
    sys.exit and Ctrl-C too. The exit status is the program's, if that is not 0.
    """
    from .watch import Watch  # noqa: PLC0415 - a fast --help

    try:
        watch = Watch()
    except ValueError as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
    process = os.getpid()
    path = sys.path[0 if sys.flags.safe_path else 1 :]  # the first becomes the program's folder
    try:
        ending = run_program(script, arguments, module=module)
    except ProgramNotFoundError as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
    status = ending.status
    if os.getpid() == process:  # a child that the program forked ends here too, and is not the one to report
        analysis = watch.analysis()
        for line in watch.missing():
            click.echo(line, err=True)
        with importing_from(path):
            outcome = destination.report(analysis, gate=not status)
        status = status or outcome
    if ending.interrupted:
        raise Interrupted
    sys.exit(status)
