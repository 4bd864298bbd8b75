"""``otel-parallelism demo`` runs the example agents of the package and reports on them."""

from __future__ import annotations

import asyncio
import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from .report_options import report_options

if TYPE_CHECKING:
    from .destination import Destination

AGENT: Final = Path(__file__).parent / "demo" / "demo_agent.py"


@click.command(short_help="Run an example agent in two ways, and report on both.")
@click.option("--fleet", is_flag=True, help="Run six different agents and no web server.")
@click.option(
    "--turns",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    metavar="N",
    help="With --fleet: the number of turns of each agent.",
)
@click.option("--forever", is_flag=True, help="With --fleet: run until interrupted, then report.")
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="With --fleet: the seed of the random differences between turns.",
)
@report_options
@click.pass_context
def demo(
    context: click.Context, *, fleet: bool, turns: int, forever: bool, seed: int, destination: Destination
) -> None:
    """
    Run an agent with five tools twice, one by one and in parallel, and report on both turns.

    The tools send requests to a web server that the command starts on this machine. No network or account is needed.

    With --fleet, six agents run concurrently instead. One makes its calls in parallel; each of the others makes them
    one after another for a different reason. Under opentelemetry-instrument they export telemetry like any program.
    """
    _check(context, fleet=fleet, forever=forever)
    from .running.watch import Watch  # noqa: PLC0415 - a fast --help

    try:
        watch = Watch()
    except ValueError as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
    if fleet:
        _run_fleet(destination, turns=None if forever else turns, seed=seed)
    else:
        _run_both_ways(destination)
    analysis = watch.analysis()
    for line in watch.missing():
        click.echo(line, err=True)
    sys.exit(destination.report(analysis))


def _check(context: click.Context, *, fleet: bool, forever: bool) -> None:
    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if not fleet and (needing := sorted(given & {"turns", "forever", "seed"})):
        message = f"--{needing[0]} goes with --fleet."
        raise click.UsageError(message)
    if forever and "turns" in given:
        message = "--turns and --forever exclude each other."
        raise click.UsageError(message)


def _run_both_ways(destination: Destination) -> None:
    from .demo.demo_server import serving  # noqa: PLC0415 - a fast --help

    agent = _loaded(AGENT)
    with serving() as port:
        announcement = f"{AGENT}\nsends five requests to http://127.0.0.1:{port}, first one by one, then in parallel.\n"
        click.echo(announcement, err=not destination.shares_stdout)
        guide = agent.Guide(port)
        asyncio.run(agent.plan_one_by_one(guide, "Lisbon"))
        asyncio.run(agent.plan_together(guide, "Lisbon"))


def _run_fleet(destination: Destination, *, turns: int | None, seed: int) -> None:
    from .demo.demo_fleet import AGENTS, run_fleet  # noqa: PLC0415 - a fast --help

    agents = _loaded(AGENTS)
    until = "until interrupted" if turns is None else f"for {turns} turn{'s' * (turns > 1)} each"
    click.echo(
        f"{AGENTS}\nruns {len(agents.AGENTS)} agents concurrently, {until}.\n", err=not destination.shares_stdout
    )
    asyncio.run(run_fleet(agents.AGENTS, agents.take_turn, turns=turns, seed=seed))


def _loaded(path: Path) -> ModuleType:
    """
    Return the module at *path*, under its bare file name.

    The module stands for the user's code. With its full path it would count as a file of an installed package.
    `linecache` gets its lines, because the analysis reads the source of the program, and no file has the bare name.
    """
    module = ModuleType(path.stem)
    text = path.read_text(encoding="utf-8")
    linecache.cache[path.name] = (len(text), None, text.splitlines(keepends=True), path.name)
    code = compile(text, path.name, "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 - a file of this package
    return module
