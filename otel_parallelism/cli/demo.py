"""``otel-parallelism demo``: an agent with five tools, run one by one and then in parallel, and the report on both."""

from __future__ import annotations

import asyncio
import sys

import click

from .output import Destination


@click.command()
def demo() -> None:
    """
    Run an agent with five tools twice, one by one and in parallel, and report on both turns.

    Its tools talk to a web server that the command starts on this machine. It needs no network and no account.
    """
    from .demo_agent import Guide, plan_one_by_one, plan_together  # noqa: PLC0415 - a fast --help
    from .demo_server import serving  # noqa: PLC0415 - as above
    from .watch import Watch  # noqa: PLC0415 - as above

    destination = Destination("text", None)
    try:
        watch = Watch()
    except ValueError as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
    with serving() as port:
        click.echo(f"An agent asks http://127.0.0.1:{port} five things, one by one and then together:\n")
        guide = Guide(port)
        asyncio.run(plan_one_by_one(guide, "Lisbon"))
        asyncio.run(plan_together(guide, "Lisbon"))
    sys.exit(destination.report(watch.analysis()))
