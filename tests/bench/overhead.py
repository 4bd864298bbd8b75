"""
Measures what the instrumentation costs, compared with a handwritten span.

Variants take turns, so that noise of the machine affects all alike, and are timed by the thread's CPU clock. Nothing is
asserted: times depend on the machine, and ratios hold within one run.

    python tests/bench/overhead.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import NoOpTracerProvider

import otel_parallelism
from otel_parallelism import Settings, agent_turn, clock, install, profiled, uninstall, wait_for_reports
from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.dependencies.contents.values import values_of
from otel_parallelism.analysis.dependencies.contents.wanted import Wanted
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.model import Call, Content, Turn, TurnSpan
from otel_parallelism.pace import set_pace
from otel_parallelism.source.functions import SourceFile
from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

CALLS = 50
ATTRIBUTES = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "tool"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bench"}
Variant = Callable[[], Awaitable[list[float]]]
"""Runs some turns and returns what a call took in each of them, in µs of the thread's own time."""


class Nowhere(SpanExporter):
    """An exporter that does nothing."""

    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def provider() -> TracerProvider:
    """Return a provider with a batch processor whose queue is large enough to drop nothing."""
    made = TracerProvider(shutdown_on_exit=False)
    # Exported between the timed stretches, so that the exporting thread does not run within one of them.
    made.add_span_processor(
        BatchSpanProcessor(
            Nowhere(), max_queue_size=100_000, max_export_batch_size=50_000, schedule_delay_millis=3_600_000
        )
    )
    return made


async def bare(argument: int) -> int:
    """Do nothing."""
    return argument


def timed(turns: int, body: Callable[[], Awaitable[None]]) -> Variant:
    """Return a variant that runs *body*, a turn, *turns* times."""

    async def run() -> list[float]:
        taken = []
        for _ in range(turns):
            start_ns = time.thread_time_ns()
            await body()
            taken.append((time.thread_time_ns() - start_ns) / CALLS / 1e3)
        return taken

    return run


def within(
    turns: int, around: Callable[[], AbstractContextManager[object]], body: Callable[[], Awaitable[None]]
) -> Variant:
    """Return a variant that runs *body* inside *around* and does not count the cost of *around*."""

    async def run() -> list[float]:
        taken = []
        for _ in range(turns):
            with around():
                start_ns = time.thread_time_ns()
                await body()
                taken.append((time.thread_time_ns() - start_ns) / CALLS / 1e3)
        return taken

    return run


async def compare(variants: dict[str, Variant], repeats: int, flush: Callable[[], object]) -> dict[str, list[float]]:
    """Run the variants in turn, *repeats* times, and return the times of each one's turns."""
    found: dict[str, list[float]] = {name: [] for name in variants}
    order = list(variants)
    for repeat in range(repeats + 1):
        for name in order if repeat % 2 else reversed(order):
            gc.collect()
            taken = await variants[name]()
            flush()
            if repeat:  # the first round warms up
                found[name] += taken
    return found


def show(title: str, found: dict[str, list[float]], base: str) -> None:
    """Print the median and the quietest tenth of *found*, and their ratios to *base*: noise only adds time."""
    print(f"\n{title:<60}{'median':>11}{'ratio':>9}{'quiet':>13}{'ratio':>9}")
    for name, values in found.items():
        print(f"  {name:<58}", end="")
        for share in (0.5, 0.1):
            value, against = quantile(values, share), quantile(found[base], share)
            print(f"{value:8.2f} µs{value / against:7.3f} ×", end="  ")
        print()


def quantile(values: list[float], share: float) -> float:
    """Return the quantile *share* of *values*."""
    return sorted(values)[int(len(values) * share)]


async def calls(turns: int, repeats: int) -> None:
    """Compare a decorated call in a turn with a handwritten span."""
    plain, traced = provider(), provider()
    by_hand = "span by hand (start_as_current_span, 2 attributes)"
    tracer = plain.get_tracer("by hand")
    reader = InMemoryMetricReader()
    install(traced, settings=Settings(), meter_provider=MeterProvider([reader], shutdown_on_exit=False))
    tool = profiled(name="tool")(bare)

    async def no_span() -> None:
        for index in range(CALLS):
            await bare(index)

    async def manual() -> None:
        for index in range(CALLS):
            with tracer.start_as_current_span("execute_tool tool", attributes=ATTRIBUTES):
                await bare(index)

    async def decorated() -> None:
        for index in range(CALLS):
            await tool(index)

    async def manual_whole() -> None:
        with tracer.start_as_current_span("turn"):
            await manual()

    async def whole() -> None:
        with agent_turn("bench"):
            await decorated()

    found = await compare(
        {
            "bare await": timed(turns, no_span),
            by_hand: within(turns, lambda: tracer.start_as_current_span("turn"), manual),
            "@profiled in a turn of 50 calls": within(turns, lambda: agent_turn("bench"), decorated),
            "spans by hand, the turn's own included": timed(turns, manual_whole),
            "@profiled, the turn's own span, end and analysis included": timed(turns, whole),
        },
        repeats,
        lambda: (plain.force_flush(), traced.force_flush()),
    )
    uninstall()
    meters = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    install(NoOpTracerProvider(), settings=Settings(), meter_provider=meters)
    without = {
        by_hand: within(turns, lambda: tracer.start_as_current_span("turn"), manual),
        "@profiled in a turn of 50 calls, only metrics": within(turns, lambda: agent_turn("bench"), decorated),
        "@profiled, turn end and analysis included, only metrics": timed(turns, whole),
    }
    found_without = await compare(without, repeats, plain.force_flush)
    show("A call of an async no-op", found, by_hand)
    show("The same, without spans of ours", found_without, by_hand)
    uninstall()
    plain.shutdown()
    traced.shutdown()


async def others(turns: int, repeats: int) -> None:
    """Compare spans of other instrumentations with and without our processor: unrelated spans, and tool spans."""
    plain, watched = provider(), provider()
    install(watched, settings=Settings(), meter_provider=NoOpMeterProvider())
    attributes: dict[str, str | int] = {"http.request.method": "GET", "url.path": "/", "http.response.status_code": 200}

    def variant(traced: TracerProvider, *, nested: bool) -> Variant:
        tracer = traced.get_tracer("http")

        async def roots() -> None:
            for index in range(CALLS):
                with tracer.start_as_current_span("GET /", attributes=attributes):
                    await bare(index)

        async def children() -> None:
            with tracer.start_as_current_span("GET /", attributes=attributes):
                await roots()

        return timed(turns, children if nested else roots)

    def tools(traced: TracerProvider) -> Variant:
        tracer = traced.get_tracer("agents")

        async def run() -> None:
            for index in range(CALLS):
                attributes = {**ATTRIBUTES, "gen_ai.tool.call.id": f"call_{index}"}
                with tracer.start_as_current_span("execute_tool tool", attributes=attributes):
                    await bare(index)

        return within(turns, lambda: tracer.start_as_current_span("invoke_agent", attributes=AGENT), run)

    def flush() -> None:
        plain.force_flush()
        watched.force_flush()

    for nested, title in ((True, "A span inside another"), (False, "A root span")):
        found = await compare(
            {
                "without our processor": variant(plain, nested=nested),
                "with our processor": variant(watched, nested=nested),
            },
            repeats,
            flush,
        )
        show(f"{title} that has nothing to do with agents", found, "without our processor")
    found = await compare({"without our processor": tools(plain), "with our processor": tools(watched)}, repeats, flush)
    show("A tool's span of another instrumentation", found, "without our processor")
    uninstall()
    plain.shutdown()
    watched.shutdown()


def analysis(repeats: int) -> None:
    """Print the cost of a turn's end by its number of calls, for calls together and one by one."""
    print("\nNormalising and analysing a turn")
    settings = Settings()
    for title, step_ns in (("all at once", 0), ("one by one", 100_000_000)):
        per_call = []
        for count in (20, 2_000):
            turn = TurnSpan("1", "t", "", "turn", 0, 10**6 * 10**9)
            observations: list[Call | TurnSpan] = [
                turn,
                *(
                    Call("1", str(index), "t", f"tool{index % 7}", index * step_ns, index * step_ns + 100_000_000)
                    for index in range(count)
                ),
            ]
            best = []
            for _ in range(max(3, repeats * 20 // count)):
                start_ns = time.thread_time_ns()
                for found in normalize(observations, settings).turns:
                    analyze(found, settings)
                best.append((time.thread_time_ns() - start_ns) / 1e3)
            per_call.append(statistics.median(best) / count)
            print(f"  {count:>5} calls, {title:<44}{statistics.median(best):10.0f} µs{per_call[-1]:8.2f} µs a call")
        print(f"  {'':<57}per call {per_call[1] / per_call[0]:16.2f} ×")


async def five(a: object, b: object, c: object, d: object, e: object) -> object:
    """Return the last argument."""
    return e


async def evidence(turns: int, repeats: int) -> None:
    """Compare calls with and without evidence held, in turns too short for evidence to be examined."""
    traced = provider()
    install(traced, settings=Settings(), meter_provider=NoOpMeterProvider())
    tool = profiled(name="tool")(five)
    small, large = "x" * 1_000, "x" * 1_000_000
    fields = {"city": "Oslo", "day": 4, "rate": 0.5, "open": True, "note": None}
    kilobyte = {f"field{index:02}": f"{index:087}" for index in range(10)}

    def variant(settings: Settings, *given: object) -> Variant:
        async def body() -> None:
            with agent_turn("bench"):
                for _ in range(CALLS):
                    await tool(*given)

        run = timed(turns, body)

        async def configured() -> list[float]:
            REGISTRY.configure(settings)
            return await run()

        return configured

    for title, given in (
        ("five scalars, a result of 1 kB", ("Oslo", 4, 0.5, True, small)),
        ("five scalars, a result of 1 MB", ("Oslo", 4, 0.5, True, large)),
        ("a dict of 5 fields among them", (fields, 4, 0.5, True, "done")),
        ("a dict of 1 kB among them", (kilobyte, 4, 0.5, True, "done")),
    ):
        off = f"{title}: evidence off"
        found = await compare(
            {off: variant(Settings(evidence=False), *given), f"{title}: evidence on": variant(Settings(), *given)},
            repeats,
            traced.force_flush,
        )
        show("@profiled, turn end included", found, off)
    uninstall()
    traced.shutdown()


def chained_turn(size: int, kind: str) -> Turn:
    """Return a turn of *size* reads, one after another, each with five scalar arguments and a result of 1 kB."""
    rows = [{"id": f"ord_{index * 7919:08}", "name": f"row {index}", "price": index * 1.37} for index in range(18)]
    results = {"text": " ".join(f"word{index}" for index in range(125)), "rows": rows, "JSON text": json.dumps(rows)}
    return Turn(
        "1",
        "t",
        "turn",
        "bench",
        0,
        size * 10**9,
        calls=tuple(
            Call(
                "1",
                f"{index:x}",
                "t",
                f"get_part{index % 7}",
                index * 10**9,
                (index + 1) * 10**9,
                arguments=Content([f"key-{index}x", 7_000 + index, "Oslo", 0.125, True]),
                result=Content(results[kind]),
            )
            for index in range(size)
        ),
    )


def turn_end(repeats: int) -> None:
    """Print the cost of a turn's end when 20 calls form one chain."""
    print("\nThe end of a turn whose 20 calls are one chain, their contents looked at")
    for kind in ("text", "rows", "JSON text"):
        turn = chained_turn(20, kind)
        taken = []
        for _ in range(max(10, repeats)):
            start_ns = time.thread_time_ns()
            report = analyze(turn, Settings())
            taken.append((time.thread_time_ns() - start_ns) / 1e6)
        if report.max_chain_length != len(turn.calls):
            raise SystemExit("the calls are no chain")
        print(f"  {f'results of 1 kB, {kind}':<58}{statistics.median(taken):8.2f} ms")


WORDS = " ".join(f"word{index}" for index in range(125))


@profiled(effect="read")
async def get_part(key: str) -> str:
    """Return 1 kB a little later."""
    await asyncio.sleep(0.000_2)
    return f"{key} {WORDS}"


async def longest_stall(
    turn: AbstractContextManager[object], calls: int, part: Callable[[str], Awaitable[str]]
) -> float:
    """
    Return for how long, in ms, other tasks of the loop stood still at most, from the end of a turn until its report.

    It is measured by the processor time of the whole process between two rounds of the loop, so that other programs on
    the machine do not count. Where the analysis has paused several times, the loop could have gone on, and the machine
    did not let it: then the mean of a stretch counts. All garbage is collected before, because how long that takes
    depends on the program's objects.
    """
    longest_s, last_s = 0.0, time.process_time()
    pauses = 0
    sleep_s = clock.sleep_s

    def count(seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        sleep_s(seconds)

    async def tick() -> None:
        nonlocal longest_s, last_s, pauses
        while True:
            await asyncio.sleep(0)
            now_s = time.process_time()
            longest_s = max(longest_s, (now_s - last_s) / max(1, pauses))
            last_s, pauses = now_s, 0

    clock.sleep_s = count

    beside = asyncio.create_task(tick())
    with turn:
        for index in range(calls):
            await part(f"key-{index}x")
        gc.collect()
        await asyncio.sleep(0.01)
        longest_s = 0.0
    while not wait_for_reports(0):  # noqa: ASYNC110 - a thread that waits would make the analysis hurry
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)
    beside.cancel()
    clock.sleep_s = sleep_s
    return longest_s * 1e3


async def live_ends(repeats: int) -> None:
    """Print how long a turn's end stalls the event loop: serial calls whose results of 1 kB are compared."""
    plain, traced = provider(), provider()
    tracer = plain.get_tracer("by hand")
    settings = Settings(min_avoidable=0.001)
    print(f"\nThe longest stall of the loop at a turn's end, budget {settings.turn_end_budget * 1e3:.0f} ms", end="")
    print(f"{'median':>20}{'quiet':>12}")

    async def by_hand(key: str) -> str:
        with tracer.start_as_current_span("execute_tool get_part", attributes=ATTRIBUTES):
            return str(await get_part.__wrapped__(key))

    install(traced, settings=settings, meter_provider=NoOpMeterProvider())
    variants: dict[str, tuple[float, Any]] = {
        "spans by hand, without us": (0.001, by_hand),
        "with us": (0.001, get_part),
        "with us, no budget": (math.inf, get_part),
    }
    for calls in (20, 200, 2_000):
        for name, (budget, part) in variants.items():
            REGISTRY.configure(msgspec.structs.replace(settings, turn_end_budget=budget))
            taken = []
            for repeat in range(max(3, repeats if calls < 2_000 else repeats // 3) + 1):
                turn = tracer.start_as_current_span("turn") if part is by_hand else agent_turn("bench")
                stall_ms = await longest_stall(turn, calls, part)
                plain.force_flush()
                traced.force_flush()
                if repeat:  # the first one reads the source of this file
                    taken.append(stall_ms)
            print(f"  {f'{calls:,} calls, {name}':<58}{quantile(taken, 0.5):8.2f} ms {min(taken):8.2f} ms")
    uninstall()
    plain.shutdown()
    traced.shutdown()


def longest_step_ms(action: Callable[[], object]) -> float:
    """Return the longest time of *action* without a pause, in ms of the thread's own time; no garbage is collected."""
    longest_ns = last_ns = 0

    def paced(items: Iterable[Any]) -> Iterable[Any]:
        nonlocal longest_ns, last_ns
        for item in items:
            now_ns = time.thread_time_ns()
            longest_ns, last_ns = max(longest_ns, now_ns - last_ns), now_ns
            yield item

    gc.disable()
    last_ns = time.thread_time_ns()
    set_pace(paced)
    try:
        action()
    finally:
        set_pace(None)
        gc.enable()
    return max(longest_ns, time.thread_time_ns() - last_ns) / 1e6


def steps(repeats: int) -> None:
    """Print the longest steps of an analysis without a pause: of a file of source, a large result, and many calls."""
    print("\nThe longest step of an analysis without a pause")
    own, other = Path(__file__).read_text("utf-8"), Path(argparse.__file__).read_text("utf-8")
    text = " ".join(f"word{number % 997}" for number in range(12_500))
    known = Wanted([values_of(Content({"key": "word5 word7", "place": 20_155}), 1_000, 1_000_000, arguments=True)])
    chain = chained_turn(2_000, "text")
    cases: dict[str, Callable[[], object]] = {
        f"parsing this file, {len(own.splitlines())} lines in functions": lambda: SourceFile(own).parents,
        f"parsing argparse, {len(other.splitlines()):,} lines with a class of 900": lambda: SourceFile(other).parents,
        f"searching a result of {len(text) // 1_000} kB": lambda: values_of(Content(text), 1_000, 1_000_000, known),
        f"analysing a chain of {len(chain.calls):,} calls": lambda: analyze(chain, Settings()),
    }
    for title, action in cases.items():
        taken = statistics.median(longest_step_ms(action) for _ in range(repeats))
        print(f"  {title:<58}{taken:8.2f} ms")


def imports(repeats: int) -> None:
    """Print how long imports take: of the package, of what records calls, of what that needs, and of the SDK alone."""
    print("\nImport, in a fresh interpreter")
    statements = (
        "import opentelemetry.sdk.trace",
        "import otel_parallelism",
        "from otel_parallelism import agent_turn, install, profiled",
        "import msgspec, opentelemetry.metrics, opentelemetry.sdk.trace, wrapt",
    )
    modules: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(repeats):
        for statement, taken in modules.items():
            code = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
            taken.append(float(done.stdout) * 1e3)
    for statement, taken in modules.items():
        print(f"  {statement:<70}{statistics.median(taken):8.1f} ms")


def main() -> None:
    """Print everything."""
    quick = "--quick" in sys.argv[1:]
    turns, repeats = (20, 5) if quick else (60, 25)
    print(f"otel_parallelism from {otel_parallelism.__file__}, Python {sys.version.split()[0]}")
    asyncio.run(calls(turns, repeats))
    asyncio.run(others(turns, repeats))
    analysis(repeats)
    asyncio.run(evidence(turns, repeats))
    turn_end(repeats)
    asyncio.run(live_ends(3 if quick else 9))
    steps(3 if quick else 9)
    imports(3 if quick else 9)
    if REGISTRY.spans or REGISTRY.turns:
        raise SystemExit("spans or turns were left open")


if __name__ == "__main__":
    main()
