"""
What `parallel_map` costs a call, and whether its memory stays flat.

    python tests/bench/execution.py [--runs 7] [--loop uvloop]

µs per job for 10,000 jobs that do nothing, at 10 at once: the median of several runs, in one process, taken in turns so
that all see the same machine. Beside it what others do: `asyncio.gather` with a semaphore, `aiometer`, and `anyio` task
groups with a capacity limiter; the latter two where they are installed. Then the peak of memory over 10,000, 100,000
and 1,000,000 jobs whose results are iterated over, from a generator.
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
    """Nothing."""
    return number


async def bare() -> None:
    """One job after the other: the floor."""
    for number in range(JOBS):
        await job(number)


async def gathered() -> None:
    """`asyncio.gather` over all, behind a semaphore."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> int:
        async with places:
            return await job(number)

    await asyncio.gather(*(one(number) for number in range(JOBS)))


async def metered() -> None:
    """`aiometer`."""
    import aiometer  # noqa: PLC0415 - only where it is installed

    await aiometer.run_all([functools.partial(job, number) for number in range(JOBS)], max_at_once=AT_ONCE)


async def limited() -> None:
    """`anyio`: a task a job, behind a capacity limiter."""
    import anyio  # noqa: PLC0415 - only where it is installed

    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def one(number: int) -> None:
        async with limiter:
            await job(number)

    async with anyio.create_task_group() as group:
        for number in range(JOBS):
            group.start_soon(one, number)


async def mapped() -> None:
    """Ours, as a list, without spans."""
    await parallel_map(range(JOBS), job, limit=AT_ONCE, spans=False)


async def streamed() -> None:
    """Ours, iterated over, without spans."""
    async for _ in parallel_map(iter(range(JOBS)), job, limit=AT_ONCE, spans=False):
        pass


async def recorded() -> None:
    """Ours, each call a span of a turn."""
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
    """How long one run takes, within a turn; what the turn's own end takes is another bench's."""
    gc.collect()
    async with agent_turn("bench"):
        began = time.perf_counter()
        await way()
        return time.perf_counter() - began


async def peak(count: int) -> float:
    """The most memory that *count* jobs take at a time, in kB."""
    gc.collect()
    tracemalloc.start()
    async for _ in parallel_map(iter(range(count)), job, limit=AT_ONCE, spans=False):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1000


def loop_factory(name: str) -> Callable[[], Any]:
    """What makes an event loop of that name."""
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
