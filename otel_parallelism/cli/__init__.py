"""The ``otel-parallelism`` command: one module a subcommand, and nothing heavy imported before one is run."""

from __future__ import annotations

import sys

import click

from .analyze_command import analyze_files
from .dashboards_command import dashboards
from .demo_command import demo
from .doctor_command import doctor
from .program import Interrupted
from .run_command import run

__all__ = ["commands", "main"]


class _Commands(click.Group):
    """Commands that end as interrupted when they are: status 1, as click has it, is a gate's that was not passed."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted from None


@click.group(cls=_Commands, name="otel-parallelism", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="otel-parallelism", prog_name="otel-parallelism")
def commands() -> None:
    """Tell which tool calls of an AI agent ran one after another and could have run together."""


commands.add_command(analyze_files)
commands.add_command(dashboards)
commands.add_command(demo)
commands.add_command(doctor)
commands.add_command(run)


def main() -> None:
    """Run the command line that this process was started with; raises SystemExit with its status."""
    try:
        commands(prog_name="otel-parallelism")
    except Interrupted:
        # A program's traceback has been printed. The interpreter turns an interrupt that nobody catches into the
        # end of the process by that very signal, which is how a shell knows that it was interrupted.
        sys.excepthook = _nothing
        raise KeyboardInterrupt from None


def _nothing(*_: object) -> None:
    pass
