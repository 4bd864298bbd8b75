"""
Runs one framework's agent once, as a program without tracing: ``python -m frameworks.plain FRAMEWORK``.

Prints the agent's answer.
"""

from __future__ import annotations

import asyncio
import importlib
import sys

from frameworks import provider
from frameworks.scenarios import BURST, Toolbox


def main(name: str) -> None:
    """Run the burst of three, with async tools if the framework accepts them."""
    contract = importlib.import_module(f"frameworks.contract.{name}")
    toolbox = Toolbox()
    tools = toolbox.asynchronous() if contract.BEHAVIOUR.asynchronous is not None else toolbox.blocking()
    print(asyncio.run(contract.Agent(provider.start()).run(BURST, tools)))


if __name__ == "__main__":
    main(*sys.argv[1:])
