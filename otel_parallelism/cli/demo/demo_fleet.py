"""The fleet of the demo: six different agents that run concurrently, for a number of turns or until interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

AGENTS: Final = Path(__file__).with_name("fleet_agents.py")

TakeTurn: TypeAlias = Callable[[str, Random], Awaitable[None]]
"""Runs one turn of the agent with this name; the random numbers vary its delays."""


async def run_fleet(agents: Iterable[str], take_turn: TakeTurn, *, turns: int | None, seed: int) -> None:
    """
    Run all *agents* concurrently; each takes one turn after another.

    The first SIGINT or SIGTERM ends the fleet after the open turns; a second one has its default effect.

    Args:
        agents: Names of agents.
        take_turn: Runs one turn of an agent.
        turns: The number of turns of each agent; None for no limit.
        seed: With the same seed, the n-th turn of an agent gets the same random numbers.
    """
    stop = asyncio.Event()
    with _stopping(stop):
        async with asyncio.TaskGroup() as group:
            for agent in agents:
                group.create_task(_keep_going(agent, take_turn, turns, Random(f"{seed} {agent}"), stop))  # noqa: S311 - delays


async def _keep_going(agent: str, take_turn: TakeTurn, turns: int | None, random: Random, stop: asyncio.Event) -> None:
    for _ in itertools.count() if turns is None else range(turns):
        if stop.is_set():
            return
        await take_turn(agent, random)


@contextlib.contextmanager
def _stopping(stop: asyncio.Event) -> Iterator[None]:
    """Set *stop* on the first SIGINT or SIGTERM while the context is open."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def restore() -> None:
        for number in signals:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)

    def end() -> None:
        restore()
        stop.set()

    for number in signals:
        # An event loop without signal handlers is interrupted by KeyboardInterrupt as usual.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        restore()
