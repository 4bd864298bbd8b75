"""
Runs the package for long and with much, and prints what it held, where it held the loop, and what was lost.

    python tests/bench/soak.py [--scale 0.01] [--only TEXT …] [--jobs N]

Each scenario runs in a process of its own. Memory is that of the process beyond what it used before the scenario, at
its peak and after the program has let go of everything. The longest stall is the longest time between two rounds of an
event loop that always has something to do, or between a round and a pause of the thread that makes reports. It is
measured by the processor time of the process, so that other programs on the machine do not count; the column beside it
is that of the same program with handwritten spans instead of ours. A span is lost if the program made a call or ended a
turn and no span of it was exported. The exporter keeps nothing.

Two last lines say what an open turn and a held call take, by the sizes that Python counts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import contextvars
import ctypes
import functools
import gc
import json
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import set_span_in_context

from otel_parallelism import agent_turn as our_turn
from otel_parallelism import clock as package_clock
from otel_parallelism import coverage, install, uninstall, wait_for_reports
from otel_parallelism import profiled as our_profiled
from otel_parallelism.tracing.shield import internal_errors
from otel_parallelism.tracing.state.registry import REGISTRY
from tests.virtual_time import CLOCK, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span, Tracer

    from otel_parallelism import Settings

MB = 1_000_000
_LONGEST_WAIT_S = 600.0

BY_HAND = "--by-hand" in sys.argv
"""Whether the scenarios run with handwritten spans, without the package."""


class Handwritten:
    """Makes the spans of the scenarios as a program without the package would."""

    tracer: Tracer

    def turn(self, name: str) -> HandwrittenTurn:
        """Return a turn's span as a context manager."""
        attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
        return HandwrittenTurn(lambda: self.tracer.start_span(f"invoke_agent {name}", attributes=attributes))

    def profiled(self, function: Any = None, **_: object) -> Any:
        """Return *function* with a span around each call."""
        if function is None:
            return self.profiled
        tool = function.__name__
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self.tracer.start_as_current_span(f"execute_tool {tool}", attributes=attributes):
                return await function(*args, **kwargs)

        return wrapper


class HandwrittenTurn:
    """A turn's span, the current one until the turn ends; nothing happens where it is never ended."""

    def __init__(self, start: Callable[[], Span]) -> None:
        self._start = start

    def __enter__(self) -> None:
        """Start the span."""
        self._span = self._start()
        self._token = attach(set_span_in_context(self._span))

    def __exit__(self, *_: object) -> None:
        """End the span."""
        detach(self._token)
        self._span.end()


HANDWRITTEN = Handwritten()
agent_turn: Callable[[str], Any] = HANDWRITTEN.turn if BY_HAND else our_turn
profiled: Any = HANDWRITTEN.profiled if BY_HAND else our_profiled


class Counted(SpanProcessor):
    """Counts the spans that end, by the first word of their names, and keeps none."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self._lock = threading.Lock()

    def on_end(self, span: ReadableSpan) -> None:
        """Count *span*."""
        with self._lock:
            self.ended[span.name.split(" ", 1)[0]] += 1


@dataclass
class Outcome:
    """
    What happened in one scenario.

    Attributes:
        calls: The calls that the program made.
        turns: The turns that it began.
        open_turns: Those of them that it never left; they end when it drops them.
        errors: The exceptions and wrong results that reached it.
        stall_s: The longest processor time between two rounds of an event loop, until the last report is made.
        peak_bytes: The highest memory beyond that before the scenario.
        final_bytes: The memory that stayed.
        lost: The calls and turns without an exported span.
        counted: The calls that the package counts; those of turns that never end are not among them.
        swallowed: The errors inside the package.
    """

    calls: int = 0
    turns: int = 0
    open_turns: int = 0
    errors: int = 0
    stall_s: float = 0.0
    peak_bytes: int = 0
    final_bytes: int = 0
    lost: int = 0
    counted: int = 0
    swallowed: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def called(self, result: object, expected: object) -> None:
        """Count a call, and an error if *result* is not what it was *expected* to return."""
        with self.lock:
            self.calls += 1
            self.errors += result != expected

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Run the block as a turn, and count the exceptions that leave it."""
        with self.lock:
            self.turns += 1
        try:
            with agent_turn("soak"):
                yield
        except Exception:  # noqa: BLE001 - what is counted
            with self.lock:
                self.errors += 1


@profiled(effect="read")
async def look(number: int) -> int:
    """Give way to the loop once."""
    await asyncio.sleep(0)
    return number


@profiled(effect="read")
async def load(number: int) -> str:
    """Return 100 kB."""
    await asyncio.sleep(0)
    return f"{number:06}" + "text " * 20_000


@profiled(effect="read")
async def wait_a_second(number: int) -> int:
    """Take a second of the loop's clock."""
    await asyncio.sleep(1)
    return number


@profiled
async def hold_all(outcome: Outcome, count: int) -> int:
    """Make *count* calls, a hundred at a time."""
    await _at_a_time(count, 100, lambda number: _look(outcome, number))
    return count


@profiled
async def descend(outcome: Outcome, levels: int) -> int:
    """Make *levels* calls inside one another, each in a task of its own, so that no recursion limit is met."""
    return await _below(outcome, levels, go_deeper)


@profiled
async def go_deeper(outcome: Outcome, levels: int) -> int:
    """Do the same. Calls of one tool directly inside one another would count as one call."""
    return await _below(outcome, levels, descend)


async def _below(outcome: Outcome, levels: int, call: Callable[[Outcome, int], Coroutine[Any, Any, int]]) -> int:
    if levels:
        outcome.called(await asyncio.create_task(call(outcome, levels - 1)), levels - 1)
    return levels


async def _look(outcome: Outcome, number: int) -> None:
    outcome.called(await look(number), number)


async def _at_a_time(count: int, width: int, job: Callable[[int], Awaitable[None]]) -> None:
    """Run *count* jobs, *width* at a time."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await job(number)

    await asyncio.gather(*(work() for _ in range(width)))


async def one_turn(outcome: Outcome, scale: float) -> None:
    """A million calls in one turn, ten at a time."""
    with outcome.turn():
        await _at_a_time(_scaled(1_000_000, scale), 10, lambda number: _look(outcome, number))


async def open_turns(outcome: Outcome, scale: float) -> None:
    """A hundred thousand turns with a call each that are never ended, and that the program keeps."""
    kept: list[Any] = []
    for number in range(_scaled(100_000, scale)):
        turn = agent_turn("soak")
        context = contextvars.copy_context()
        context.run(turn.__enter__)
        outcome.turns += 1
        outcome.open_turns += 1
        await asyncio.create_task(_look(outcome, number), context=context)
        kept.append(turn)


async def short_turns(outcome: Outcome, scale: float) -> None:
    """A hundred thousand turns of three calls, a hundred at a time."""

    async def turn(number: int) -> None:
        with outcome.turn():
            await _look(outcome, number)
            await asyncio.gather(_look(outcome, number + 1), _look(outcome, number + 2))

    await _at_a_time(_scaled(100_000, scale), 100, turn)


async def large_results(outcome: Outcome, scale: float) -> None:
    """Ten thousand calls one after another, with results of 100 kB."""
    with outcome.turn():
        for number in range(_scaled(10_000, scale)):
            outcome.called(len(await load(number)), 100_006)


async def long_turn(outcome: Outcome, scale: float) -> None:
    """A turn of one hour of calls of a second, by a clock that jumps."""
    with outcome.turn():
        for number in range(_scaled(3_600, scale)):
            outcome.called(await wait_a_second(number), number)


async def wide(outcome: Outcome, scale: float) -> None:
    """A hundred thousand calls inside one call."""
    count = _scaled(100_000, scale)
    with outcome.turn():
        outcome.called(await hold_all(outcome, count), count)


async def deep(outcome: Outcome, scale: float) -> None:
    """Calls inside one another, a hundred thousand levels, each in a task of its own."""
    levels = _scaled(100_000, scale)
    with outcome.turn():
        outcome.called(await descend(outcome, levels), levels)


async def at_once(outcome: Outcome, scale: float) -> None:
    """Ten thousand calls at once."""
    with outcome.turn():
        await asyncio.gather(*(_look(outcome, number) for number in range(_scaled(10_000, scale))))


async def four_threads(outcome: Outcome, scale: float) -> None:
    """Four threads with event loops of their own, each with 5,000 turns of three calls."""

    def run() -> None:
        asyncio.run(_beating(outcome, short_turns(outcome, 0.05 * scale), alone=False))

    await asyncio.gather(*(asyncio.to_thread(run) for _ in range(4)))


SCENARIOS: dict[str, Callable[[Outcome, float], Coroutine[Any, Any, None]]] = {
    "a million calls in one turn": one_turn,
    "100,000 turns never ended": open_turns,
    "100,000 short turns, 100 at a time": short_turns,
    "10,000 serial calls, results of 100 kB": large_results,
    "a turn of one hour": long_turn,
    "100,000 calls inside one call": wide,
    "100,000 calls inside one another": deep,
    "10,000 calls at once": at_once,
    "four threads with loops of their own": four_threads,
}


async def _beating(outcome: Outcome, body: Coroutine[Any, Any, None], *, alone: bool = True) -> None:
    """
    Run *body* while the loop's rounds are timed, until the last report is made.

    Args:
        outcome: Gets the longest round.
        body: Does what the scenario does.
        alone: Whether no other thread runs the program. Then the thread that makes reports counts too: while it
            computes, the loop stands still. While it pauses, the loop could go on, even if the machine does not let it.
    """
    loop = asyncio.get_running_loop()
    own_s = time.process_time if alone else time.thread_time
    last_s, longest_s = own_s(), 0.0
    beating = True

    sleep_s = package_clock.sleep_s

    def measure() -> None:
        nonlocal last_s, longest_s
        now_s = own_s()
        longest_s = max(longest_s, now_s - last_s)
        last_s = now_s

    def pause(seconds: float) -> None:
        nonlocal last_s
        measure()
        sleep_s(seconds)
        last_s = own_s()

    def beat() -> None:
        measure()
        # Beside timers of a clock that jumps, a loop that is never idle would stand still.
        if beating and not isinstance(loop, VirtualLoop):
            loop.call_soon(beat)

    async def beat_in_calls() -> None:
        while beating:
            await asyncio.sleep(0.5)
            beat()

    if alone and not isinstance(loop, VirtualLoop):
        package_clock.sleep_s = pause
    loop.call_soon(beat)
    beside = loop.create_task(beat_in_calls()) if isinstance(loop, VirtualLoop) else None
    try:
        await body
        async with asyncio.timeout(_LONGEST_WAIT_S):
            while not wait_for_reports(0):
                await asyncio.sleep(0.01)
                beat()
        beat()
    finally:
        beating = False
        package_clock.sleep_s = sleep_s
        if beside is not None:
            beside.cancel()
    with outcome.lock:
        outcome.stall_s = max(outcome.stall_s, longest_s)


def _scaled(count: int, scale: float) -> int:
    return max(1, round(count * scale))


def scenario(name: str, scale: float, settings: Settings | None = None) -> Outcome:
    """Run the scenario called *name* in this process, and return what happened, without the memory."""
    counted = Counted()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(counted)
    before = coverage().calls, sum(internal_errors().values())
    if BY_HAND:
        HANDWRITTEN.tracer = provider.get_tracer("soak")
    else:
        install(provider, settings=settings)
    outcome = Outcome()
    factory = VirtualLoop if SCENARIOS[name] is long_turn else None
    clock = CLOCK.running() if factory else contextlib.nullcontext()
    try:
        with clock, asyncio.Runner(loop_factory=factory) as runner:
            body = SCENARIOS[name]
            runner.run(_beating(outcome, body(outcome, scale), alone=body is not four_threads))
    finally:
        expected = outcome.calls + outcome.turns
        outcome.lost = expected - counted.ended["execute_tool"] - counted.ended["invoke_agent"]
        outcome.counted = coverage().calls - before[0]
        outcome.swallowed = sum(internal_errors().values()) - before[1]
        uninstall()
    return outcome


def soak(name: str, scale: float) -> Outcome:
    """Run the scenario called *name* in this process, and return what happened."""
    before = _settled()
    outcome = scenario(name, scale)
    outcome.peak_bytes = max(0, _memory("VmHWM") - before)
    outcome.final_bytes = max(0, _settled() - before)
    return outcome


def _settled() -> int:
    """Return the memory in use after a collection, in bytes, and start to measure its peak anew."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(key: str) -> int:
    """Return a figure of the process's memory in bytes; 0 where the system has none."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) * 1024
    return 0


def sizes(count: int) -> tuple[float, float]:
    """Return how many bytes an open turn and a held call without evidence take, on average of *count*."""
    install(TracerProvider(shutdown_on_exit=False))

    @profiled
    def nothing() -> None: ...

    def memory() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    kept: list[Any] = []
    tracemalloc.start()
    before = memory()
    for _ in range(count):
        turn = agent_turn("soak")
        contextvars.copy_context().run(turn.__enter__)
        kept.append(turn)
    an_open_turn = (memory() - before) / count
    with agent_turn("soak"):
        nothing()
        before = memory()
        for _ in range(count - 1):
            nothing()
        a_held_call = (memory() - before) / count
    tracemalloc.stop()
    REGISTRY.clear()
    return an_open_turn, a_held_call


def _in_own_process(*arguments: str) -> Any:
    """Return what this program prints as JSON if it is called with *arguments*."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(done.stderr)
    sys.stderr.write(done.stderr)
    return json.loads(done.stdout)


def main() -> None:
    """Soak as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="the share of the calls and turns to make")
    parser.add_argument("--only", nargs="+", metavar="TEXT", default=[""], help="only scenarios whose names have this")
    parser.add_argument("--jobs", type=int, default=1, help="how many scenarios to run at once")
    parser.add_argument("--scenario", help=argparse.SUPPRESS)
    parser.add_argument("--by-hand", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.sizes:
        print(json.dumps(sizes(5_000)))
        return
    if chosen.scenario:
        outcome = soak(chosen.scenario, chosen.scale)
        print(json.dumps({one.name: getattr(outcome, one.name) for one in fields(outcome) if one.name != "lock"}))
        return
    print("| scenario | calls | counted | turns | peak MB | final MB | stall ms | by hand | errors | lost |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    bad = 0
    names = [name for name in SCENARIOS if any(part in name for part in chosen.only)]
    pool = ThreadPoolExecutor(chosen.jobs)

    def run(name: str, *options: str) -> Any:
        return _in_own_process("--scenario", name, "--scale", str(chosen.scale), *options)

    outcomes = pool.map(lambda name: (run(name), run(name, "--by-hand")), names)
    for name, (found, by_hand) in zip(names, outcomes, strict=True):
        bad += found["errors"] + abs(found["lost"]) + found["swallowed"]
        print(
            f"| {name} | {found['calls']:,} | {found['counted']:,} | {found['turns']:,} "
            f"| {found['peak_bytes'] / MB:,.0f} | {found['final_bytes'] / MB:,.0f} | {found['stall_s'] * 1e3:,.1f} "
            f"| {by_hand['stall_s'] * 1e3:,.1f} | {found['errors']:,} | {found['lost']:,} |",
            flush=True,
        )
        if found["swallowed"]:
            print(f"{found['swallowed']:,} errors inside the package")
    an_open_turn, a_held_call = _in_own_process("--sizes")
    print(f"\nan open turn takes {an_open_turn:,.0f} bytes, a held call {a_held_call:,.0f} bytes")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
