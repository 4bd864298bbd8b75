"""
Compares running calls together with the shortest possible schedule.

    python tests/bench/timing_table.py [--scale 10] [--runs 3] [--loop asyncio precise uvloop] [--no-sdk]

Five jobs run in four ways: one call after another as an agent would (``@profiled`` calls in a turn), with plain asyncio
tasks, with a plain SDK span around each call, and with `otel_parallelism.execution` inside a turn. ``--scale 10`` (the
default) uses a tenth of the times, ``--scale 1`` the full times. No call is shorter than 10 ms, because timers are too
coarse below that. The quickest of several runs counts, because noise only adds time. With ``--no-sdk`` there is no
tracer provider: the analysis is the same, and nothing is exported.

Columns, in seconds: one after another; plain asyncio; ours; the lower limit by the calls' nominal times; the same limit
by the measured times of the bare calls, because timers are late in any case. The lower limit is the longest chain of
dependent calls, or the work ÷ calls at once, whichever is longer. Then: how far plain asyncio, asyncio with SDK spans,
and ours are above this limit; the ratio by the wall clock (one after another ÷ ours); the ratio that the analysis
reports; and the difference between the two.

There is one table per event loop: asyncio's, and ``precise``, which is asyncio's with `selectors.SelectSelector`. On
Linux asyncio waits for whole milliseconds, rounded up from the moment it begins to wait. So where ten calls end at
once, all work for the ten before the loop waits again is added to the next wait: 10 µs per call are 1 % of 10 ms. The
third row shows this. With waits to the microsecond, only the work for the first of the ten counts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import selectors
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_parallelism import agent_turn, install, parallel_map, profiled, run_tools
from otel_parallelism.execution import TaskGraph

LEAST_S = 0.01
LOOPS = ["asyncio", "precise"]
TRACER = trace.get_tracer("timing_table")
MIXED = {
    "get_user": (3.0, ()),
    "get_orders": (2.0, ("get_user",)),
    "get_invoices": (2.0, ("get_orders",)),
    "get_weather": (3.0, ()),
    "get_news": (3.0, ()),
    "get_rates": (2.0, ()),
}
"""15 s of work; the chain of three takes 7 s."""


Wait = Callable[[float], Awaitable[None]]
"""A call that takes so many seconds."""


async def bare(seconds: float) -> None:
    """Take *seconds*, unseen."""
    await asyncio.sleep(seconds)


async def spanned(seconds: float) -> None:
    """Take *seconds*, within a plain span of the SDK's; one without a provider does nothing."""
    with TRACER.start_as_current_span("wait", attributes={"a": "call", "of": "some tool"}):
        await asyncio.sleep(seconds)


@profiled
async def called(seconds: float) -> None:
    """Take *seconds*, as a tool call."""
    await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Job:
    """A row: the calls' durations in seconds, the least time they take together, and how they are run so."""

    name: str
    durations: tuple[float, ...]
    limit_s: float
    plain: Callable[[Wait], Awaitable[object]]
    run: Callable[[], Awaitable[object]]


def mapped(name: str, count: int, seconds: float, limit: int) -> Job:
    """*count* calls of one kind, *limit* at once."""

    async def get_page(_: int) -> None:
        await asyncio.sleep(seconds)

    async def run() -> object:
        return await parallel_map(range(count), get_page, limit=limit)

    async def plain(wait: Wait) -> object:
        numbers = iter(range(count))

        async def work() -> None:
            for _ in numbers:
                await wait(seconds)

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

    async def plain(wait: Wait) -> object:
        return await asyncio.gather(*(wait(seconds) for _ in range(count)))

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

    async def plain(wait: Wait) -> object:
        started: dict[str, asyncio.Task[None]] = {}

        async def one(seconds: float, after: tuple[str, ...]) -> None:
            for earlier in after:
                await started[earlier]
            await wait(seconds / scale)

        async with asyncio.TaskGroup() as group:
            for task, (seconds, after) in MIXED.items():
                started[task] = group.create_task(one(seconds, after))
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


async def timed(job: Awaitable[object]) -> float:
    """Seconds that *job* takes."""
    gc.collect()
    began = time.perf_counter()
    await job
    return time.perf_counter() - began


async def one_by_one(job: Job, wait: Wait) -> None:
    """Make *job*'s calls one after another."""
    for seconds in job.durations:
        await wait(seconds)


@dataclass(frozen=True)
class Row:
    """What was measured of a job, in seconds, and the ratio that the analysis reports."""

    one_by_one_s: float
    bare_s: float
    plain_s: float
    spanned_s: float
    ours_s: float
    ratio: float


async def measure(job: Job, runs: int) -> Row:
    """Run *job* in every way; those that run calls together *runs* times, in turns."""
    bare_s = await timed(one_by_one(job, bare))
    async with agent_turn(job.name):
        one_by_one_s = await timed(one_by_one(job, called))
    plain, with_spans, ours = [], [], []
    for _ in range(runs):
        plain.append(await timed(job.plain(bare)))
        with_spans.append(await timed(job.plain(spanned)))
        async with agent_turn(job.name) as turn:
            ours_s = await timed(job.run())
        ours.append((ours_s, turn.report.ratio if turn.report is not None else None))
    ours_s, ratio = min(ours)
    return Row(one_by_one_s, bare_s, min(plain), min(with_spans), ours_s, ratio or 0.0)


def new_loop(name: str) -> asyncio.AbstractEventLoop:
    """Return a new event loop of that name."""
    if name == "uvloop":
        import uvloop  # noqa: PLC0415 - only where asked for

        return uvloop.new_event_loop()
    if name == "precise":
        return asyncio.SelectorEventLoop(selectors.SelectSelector())
    return asyncio.new_event_loop()


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--scale", type=float, default=10.0)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument(
        "--loop", nargs="+", choices=["asyncio", "precise", "uvloop"], default=["asyncio", "precise"]
    )
    arguments.add_argument("--no-sdk", action="store_true")
    options = arguments.parse_args()
    if not options.no_sdk:
        trace.set_tracer_provider(TracerProvider())
        install()
    for name in options.loop:
        print(
            f"{name:30}{'one by one':>11}{'plain':>8}{'ours':>8}{'limit':>8}{'measured':>10}"
            f"{'plain +':>9}{'spans +':>9}{'ours +':>8}{'clock':>8}{'analysis':>9}{'apart':>8}"
        )
        with asyncio.Runner(loop_factory=lambda name=name: new_loop(name)) as runner:  # type: ignore[misc] # one name
            for job in jobs(options.scale):
                row = runner.run(measure(job, options.runs))
                limit_s = job.limit_s * row.bare_s / sum(job.durations)
                clock = row.one_by_one_s / row.ours_s
                print(
                    f"{job.name:30}{row.one_by_one_s:11.3f}{row.plain_s:8.3f}{row.ours_s:8.3f}{job.limit_s:8.3f}"
                    f"{limit_s:10.3f}{row.plain_s / limit_s - 1:9.1%}{row.spanned_s / limit_s - 1:9.1%}"
                    f"{row.ours_s / limit_s - 1:8.1%}{clock:8.2f}{row.ratio:9.2f}{row.ratio / clock - 1:8.1%}",
                    flush=True,
                )
        print()


if __name__ == "__main__":
    main()
