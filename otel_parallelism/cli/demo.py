"""``otel-parallelism demo``: an agent with five tools, run one by one and then in parallel, and the report on both."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import click

from .output import Destination

AGENT: Final = Path(__file__).with_name("demo_agent.py")


@click.command()
def demo() -> None:
    """
    Run an agent with five tools twice, one by one and in parallel, and report on both turns.

    Its tools talk to a web server that the command starts on this machine. It needs no network and no account.
    """
    from .demo_server import serving  # noqa: PLC0415 - a fast --help
    from .watch import Watch  # noqa: PLC0415 - as above

    destination = Destination("text")
    try:
        watch = Watch()
    except ValueError as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
    agent = _agent()
    with serving() as port:
        click.echo(f"{AGENT}\nasks http://127.0.0.1:{port} five things, first one by one, then together.\n")
        guide = agent.Guide(port)
        asyncio.run(agent.plan_one_by_one(guide, "Lisbon"))
        asyncio.run(agent.plan_together(guide, "Lisbon"))
    sys.exit(destination.report(watch.analysis()))


def _agent() -> ModuleType:
    """
    Return the agent's module, under its bare file name.

    It stands for the user's own code, and a file of an installed package is never taken for that.
    """
    module = ModuleType(AGENT.stem)
    code = compile(AGENT.read_bytes(), AGENT.name, "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 - a file of this package
    return module
