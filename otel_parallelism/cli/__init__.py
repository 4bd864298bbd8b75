"""The ``otel-parallelism`` command: one module for each subcommand. Heavy imports happen when a subcommand runs."""

from __future__ import annotations

import sys

import click

from .analyze_command import analyze_files
from .assistant.mcp_command import serve_mcp
from .clickhouse_command import clickhouse_sql
from .code.lint_command import lint
from .dashboards_command import dashboards
from .demo_command import demo
from .doctor_command import doctor
from .fixing.fix_command import fix
from .kafka_command import kafka
from .output_errors import with_written_output
from .running.program import Interrupted
from .running.run_command import run
from .sessions_command import sessions
from .traces.compare_command import compare_inputs
from .traces.fleet_command import fleet

__all__ = ["commands", "main"]


class _Commands(click.Group):
    """A group whose commands end as interrupted on Ctrl-C: click's status 1 would mean a failed gate."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted from None


@click.group(cls=_Commands, name="otel-parallelism", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="otel-parallelism", prog_name="otel-parallelism")
def commands() -> None:
    """Find the tool calls of an AI agent that ran one after another and could have run in parallel."""


commands.add_command(run)  # whose output is the program's
commands.add_command(serve_mcp)
for _command in (
    analyze_files,
    clickhouse_sql,
    compare_inputs,
    dashboards,
    demo,
    doctor,
    fix,
    fleet,
    kafka,
    lint,
    sessions,
):
    commands.add_command(with_written_output(_command))


def main() -> None:
    """
    Run the command line of this process.

    Raises:
        SystemExit: With the exit status, at the end.
        KeyboardInterrupt: If the command was interrupted.
    """
    try:
        commands(prog_name="otel-parallelism")
    except Interrupted:
        # The program's traceback has been printed already. The interpreter ends the process by SIGINT if it does not
        # catch a KeyboardInterrupt, so that the shell knows that it was interrupted.
        sys.excepthook = _print_nothing
        raise KeyboardInterrupt from None


def _print_nothing(*_: object) -> None:
    pass
