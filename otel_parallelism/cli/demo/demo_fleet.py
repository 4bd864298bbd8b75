"""The demo's fleet: six agents that differ, side by side, for a number of turns or until they are interrupted."""

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
"""Runs one turn of the agent of that name, varied by a source of random numbers."""


async def run_fleet(agents: Iterable[str], take_turn: TakeTurn, *, turns: int | None, seed: int) -> None:
    """
    Run all *agents* at once, each turn after turn.

    An interrupt or a request to terminate lets the turns that are open come to their end, and a second one does not.

    Args:
        agents: Their names.
        take_turn: Runs a turn of one of them.
        turns: How many turns each takes; None for no end.
        seed: Of what varies between turns: an agent's n-th turn is drawn the same for the same seed.
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
    """Set *stop* on the first signal that asks for an end, while the context is open."""
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
        # Where the loop takes no signals an interrupt ends it in the way of the interpreter.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        restore()
