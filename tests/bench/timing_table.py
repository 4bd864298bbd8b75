"""
What running calls together brings, beside what no schedule can beat.

    python tests/bench/timing_table.py [--scale 10] [--runs 3] [--loop uvloop]

Five jobs, each run one call after another, by asyncio's own means (so many tasks, no spans, nothing else), and by what
`otel_parallelism.execution` has for it, within an agent turn. ``--scale 10`` (the default) takes a tenth of the times,
``--scale 1`` the times themselves; no call is made shorter than 10 ms, where timers are too coarse to tell anything. Of
several runs the quickest counts, and what the analysis says of that one: whatever else the machine does only adds.

Columns, in seconds: one after another; plain asyncio; ours; the limit by the calls' nominal times, which is the longest
chain of calls that need one another or the work ÷ calls at once, whichever is longer; the same by the times that the
calls took one after another, since a loop's timers are late by up to a millisecond, whoever runs them; how far plain
asyncio and ours are above this limit. Then the ratio that the wall clock shows (one after another ÷ ours), the ratio
that the analysis of the same run reports, and how far apart they are.

What plain asyncio is above the limit nobody can save in one thread: calls that end at once are resumed one after
another, and asyncio, which waits for whole milliseconds, adds what that took to the next wait. Where ten calls of 10 ms
end at once, each 10 µs a call are 1 %: the third row tells what a call costs a machine that was idle until then.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otel_parallelism import agent_turn
from otel_parallelism.execution import TaskGraph, parallel_map, run_tools

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LEAST_S = 0.01
MIXED = {
    "get_user": (3.0, ()),
    "get_orders": (2.0, ("get_user",)),
    "get_invoices": (2.0, ("get_orders",)),
    "get_weather": (3.0, ()),
    "get_news": (3.0, ()),
    "get_rates": (2.0, ()),
}
"""15 s of work; the chain of three takes 7 s."""


@dataclass(frozen=True)
class Job:
    """A row: the calls' durations in seconds, the least time they take together, and how they are run so."""

    name: str
    durations: tuple[float, ...]
    limit_s: float
    plain: Callable[[], Awaitable[object]]
    run: Callable[[], Awaitable[object]]


def mapped(name: str, count: int, seconds: float, limit: int) -> Job:
    """*count* calls of one kind, *limit* at once."""

    async def get_page(_: int) -> None:
        await asyncio.sleep(seconds)

    async def run() -> object:
        return await parallel_map(range(count), get_page, limit=limit)

    async def plain() -> object:
        numbers = iter(range(count))

        async def work() -> None:
            for number in numbers:
                await get_page(number)

        return await asyncio.gather(*(work() for _ in range(limit)))

    return Job(name, (seconds,) * count, -(-count // limit) * seconds, plain, run)


def asked(name: str, count: int, seconds: float) -> Job:
    """The calls that one model response asks for."""

    async def get_report(number: int) -> None:
        await asyncio.sleep(seconds)

    calls = [
        {"type": "tool_use", "id": f"t{number}", "name": "get_report", "input": {"number": number}}
        for number in range(count)
    ]

    async def plain() -> object:
        return await asyncio.gather(*(get_report(number) for number in range(count)))

    return Job(name, (seconds,) * count, seconds, plain, lambda: run_tools(calls, [get_report]))


def graph(name: str, scale: float) -> Job:
    """Calls some of which need others."""
    tasks = TaskGraph()

    def waits(seconds: float) -> Callable[[], Awaitable[None]]:
        async def wait() -> None:
            await asyncio.sleep(seconds)

        return wait

    for task, (seconds, after) in MIXED.items():
        tasks.add(waits(seconds / scale), name=task, after=after, expected=seconds / scale)
    durations = tuple(seconds / scale for seconds, _ in MIXED.values())

    async def plain() -> object:
        started: dict[str, asyncio.Task[None]] = {}

        async def wait(seconds: float, after: tuple[str, ...]) -> None:
            for earlier in after:
                await started[earlier]
            await asyncio.sleep(seconds / scale)

        async with asyncio.TaskGroup() as group:
            for task, (seconds, after) in MIXED.items():
                started[task] = group.create_task(wait(seconds, after))
        return None

    return Job(name, durations, tasks.plan().duration, plain, tasks.run)


def jobs(scale: float) -> list[Job]:
    """The rows."""

    def scaled(seconds: float) -> float:
        return max(LEAST_S, seconds / scale)

    return [
        mapped("5 calls x 2 s", 5, scaled(2), 5),
        mapped("100 items x 500 ms, at 10", 100, scaled(0.5), 10),
        mapped("1,000 x 10 ms, at 10", 1_000, scaled(0.01), 10),
        asked("3 calls x 8 s", 3, scaled(8)),
        graph("15 s in a graph of limit 7 s", scale),
    ]


async def timed(job: Callable[[], Awaitable[object]]) -> float:
    """Seconds that *job* takes."""
    began = time.perf_counter()
    await job()
    return time.perf_counter() - began


async def measure(job: Job, runs: int) -> tuple[float, float, float, float]:
    """Seconds one after another, of plain asyncio, of ours, and the ratio that the analysis reports for ours."""

    async def one_by_one() -> None:
        for seconds in job.durations:
            await asyncio.sleep(seconds)

    sequential_s = await timed(one_by_one)
    plain, ours = [], []
    for _ in range(runs):
        plain.append(await timed(job.plain))
        async with agent_turn(job.name) as turn:
            ours_s = await timed(job.run)
        ours.append((ours_s, turn.report.ratio if turn.report is not None else None))
    ours_s, ratio = min(ours)
    return sequential_s, min(plain), ours_s, ratio or 0.0


def loop_factory(name: str) -> Callable[[], Any]:
    """What makes an event loop of that name."""
    if name == "uvloop":
        import uvloop  # noqa: PLC0415 - only where asked for

        return uvloop.new_event_loop
    return asyncio.new_event_loop


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--scale", type=float, default=10.0)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    options = arguments.parse_args()
    print(
        f"{'':30}{'one by one':>11}{'plain':>8}{'ours':>8}{'limit':>8}{'measured':>10}"
        f"{'plain +':>9}{'ours +':>8}{'clock':>8}{'analysis':>9}{'apart':>8}"
    )
    with asyncio.Runner(loop_factory=loop_factory(options.loop)) as runner:
        for job in jobs(options.scale):
            sequential_s, plain_s, ours_s, ratio = runner.run(measure(job, options.runs))
            limit_s = job.limit_s * sequential_s / sum(job.durations)
            clock = sequential_s / ours_s
            print(
                f"{job.name:30}{sequential_s:11.3f}{plain_s:8.3f}{ours_s:8.3f}{job.limit_s:8.3f}{limit_s:10.3f}"
                f"{plain_s / limit_s - 1:9.1%}{ours_s / limit_s - 1:8.1%}"
                f"{clock:8.2f}{ratio:9.2f}{ratio / clock - 1:8.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
