"""
Measures what `parallel_map` costs per call, and whether its memory stays flat.

    python tests/bench/execution.py [--runs 7] [--loop uvloop]

Prints µs per job for 10,000 jobs that do nothing, with 10 at once: the median of several runs in one process. The
variants take turns, so that noise of the machine affects all alike. Other variants are `asyncio.gather` with a
semaphore, `aiometer`, and `anyio` task groups with a capacity limiter, the last two if they are installed. Then it
prints the peak memory over 10,000, 100,000 and 1,000,000 jobs from a generator, with results iterated over.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import importlib.util
import statistics
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider

from otel_parallelism import agent_turn, install, parallel_map

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

JOBS = 10_000
AT_ONCE = 10


async def job(number: int) -> int:
    """Do nothing."""
    return number


async def bare() -> None:
    """Run one job after another: the lower bound."""
    for number in range(JOBS):
        await job(number)


async def gathered() -> None:
    """Run all jobs with `asyncio.gather` and a semaphore."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> int:
        async with places:
            return await job(number)

    await asyncio.gather(*(one(number) for number in range(JOBS)))


async def metered() -> None:
    """Run all jobs with `aiometer`."""
    import aiometer  # noqa: PLC0415 - only where it is installed

    await aiometer.run_all([functools.partial(job, number) for number in range(JOBS)], max_at_once=AT_ONCE)


async def limited() -> None:
    """Run all jobs with `anyio`: one task per job, and a capacity limiter."""
    import anyio  # noqa: PLC0415 - only where it is installed

    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def one(number: int) -> None:
        async with limiter:
            await job(number)

    async with anyio.create_task_group() as group:
        for number in range(JOBS):
            group.start_soon(one, number)


async def mapped() -> None:
    """Run all jobs with `parallel_map` as a list, without spans."""
    await parallel_map(range(JOBS), job, limit=AT_ONCE, spans=False)


async def streamed() -> None:
    """Run all jobs with `parallel_map`, iterated over, without spans."""
    async for _ in parallel_map(iter(range(JOBS)), job, limit=AT_ONCE, spans=False):
        pass


async def recorded() -> None:
    """Run all jobs with `parallel_map`, with a span for each call."""
    await parallel_map(range(JOBS), job, limit=AT_ONCE)


WAYS: dict[str, Callable[[], Awaitable[None]]] = {
    "a bare await, one after the other": bare,
    "parallel_map, spans off": mapped,
    "parallel_map, spans off, async for": streamed,
    "gather + Semaphore": gathered,
    "aiometer": metered,
    "anyio + CapacityLimiter": limited,
    "parallel_map, a span a call": recorded,
}


async def seconds(way: Callable[[], Awaitable[None]]) -> float:
    """Return how many seconds one run takes inside a turn, without the turn's end."""
    gc.collect()
    async with agent_turn("bench"):
        began = time.perf_counter()
        await way()
        return time.perf_counter() - began


async def peak(count: int) -> float:
    """Return the peak memory of *count* jobs, in kB."""
    gc.collect()
    tracemalloc.start()
    async for _ in parallel_map(iter(range(count)), job, limit=AT_ONCE, spans=False):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1000


def loop_factory(name: str) -> Callable[[], Any]:
    """Return the factory for the event loop *name*."""
    if name == "uvloop":
        import uvloop  # noqa: PLC0415 - only where asked for

        return uvloop.new_event_loop
    return asyncio.new_event_loop


def main() -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=7)
    arguments.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    options = arguments.parse_args()
    install(TracerProvider())
    ways = {
        name: way
        for name, way in WAYS.items()
        if name.split()[0] not in {"aiometer", "anyio"} or importlib.util.find_spec(name.split()[0])
    }
    with asyncio.Runner(loop_factory=loop_factory(options.loop)) as runner:
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.runs):
            for name, way in ways.items():
                taken[name].append(runner.run(seconds(way)))
        usual = statistics.median(taken["gather + Semaphore"])
        print(f"{'µs per job':36}{'median':>8}{'least':>8}{'x gather':>10}")
        for name, times in taken.items():
            median = statistics.median(times)
            print(f"{name:36}{median / JOBS * 1e6:8.2f}{min(times) / JOBS * 1e6:8.2f}{median / usual:10.2f}")
        runner.run(peak(100))
        print("\npeak of memory")
        for count in (10_000, 100_000, 1_000_000):
            print(f"{count:>12,} jobs{runner.run(peak(count)):12.1f} kB")


if __name__ == "__main__":
    main()
