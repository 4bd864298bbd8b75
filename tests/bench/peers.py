"""
Measures what the decorators of other packages cost for each call, beside ours.

Each package runs in an environment of its own, with the newest versions that it allows. The span by hand is measured
again there, in turn with the decorated call, by the thread's CPU clock. Nothing is sent anywhere. The packages differ
in what they do meanwhile: most write arguments and results on the span, ours holds them until the turn's end, and
agentloop-profiler makes no spans.
Nothing is asserted: times depend on the machine, and ratios hold within one environment.

    python tests/bench/peers.py [PEER ...]

It needs ``uv`` and a package index.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Awaitable, Callable, Sequence

    from opentelemetry.sdk.trace import TracerProvider

CALLS: Final = 50
TURNS: Final = 30
ROUNDS: Final = 12
NOWHERE: Final = "http://127.0.0.1:9"
"""An address where nothing listens, for packages that insist on one."""
ATTRIBUTES: Final = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "tool"}


async def bare(argument: int) -> int:
    """Do nothing."""
    return argument


class Instrumented(NamedTuple):
    """The tool as a package decorates it, and the context manager of a turn."""

    tool: Callable[[int], Awaitable[int]]
    turn: Callable[[], contextlib.AbstractContextManager[Any]]


def ours(provider: TracerProvider) -> Instrumented:
    """Return the tool as we decorate it."""
    from otel_parallelism import agent_turn, install, profiled  # noqa: PLC0415 - each package is in one environment only

    install(provider)
    return Instrumented(profiled(name="tool")(bare), lambda: agent_turn("bench"))


def traceloop(provider: TracerProvider) -> Instrumented:
    """Return the tool as Traceloop's SDK decorates it; its spans go to its own provider."""
    from traceloop.sdk import Traceloop  # noqa: PLC0415 - as above
    from traceloop.sdk.decorators import tool  # noqa: PLC0415 - as above

    Traceloop.init(app_name="bench", exporter=exporter(), telemetry_enabled=False, instruments=set())
    return Instrumented(tool(name="tool")(bare), by_hand(provider))


def openinference(provider: TracerProvider) -> Instrumented:
    """Return the tool as OpenInference's tracer decorates it."""
    from openinference.instrumentation import OITracer, TraceConfig  # noqa: PLC0415 - as above

    tracer = OITracer(provider.get_tracer("bench"), TraceConfig())
    return Instrumented(tracer.tool(name="tool")(bare), by_hand(provider))


def logfire(provider: TracerProvider) -> Instrumented:
    """Return the tool as Logfire instruments it; its spans go to its own provider."""
    import logfire as package  # noqa: PLC0415 - as above

    package.configure(
        send_to_logfire=False, console=False, metrics=False, inspect_arguments=False,
        additional_span_processors=[processor()],
    )  # fmt: skip
    return Instrumented(package.instrument("tool", record_return=True)(bare), by_hand(provider))


def langfuse(provider: TracerProvider) -> Instrumented:
    """Return the tool as Langfuse observes it."""
    from langfuse import Langfuse, observe  # noqa: PLC0415 - as above

    Langfuse(
        public_key="pk",
        secret_key="sk",  # noqa: S106 - none
        base_url=NOWHERE,
        tracer_provider=provider,
        span_exporter=exporter(),
    )
    return Instrumented(observe(name="tool", as_type="tool")(bare), by_hand(provider))


def laminar(provider: TracerProvider) -> Instrumented:
    """Return the tool as Laminar observes it; its spans go to its own provider."""
    from lmnr import Laminar, observe  # noqa: PLC0415 - as above

    Laminar.initialize(
        project_api_key="key", base_url="http://127.0.0.1", http_port=9, grpc_port=9, instruments=set(),
        set_global_tracer_provider=False, otel_logger_level=100,
    )  # fmt: skip
    return Instrumented(observe(name="tool", span_type="TOOL")(bare), by_hand(provider))


def agentops(provider: TracerProvider) -> Instrumented:
    """Return the tool as AgentOps decorates it; its spans go to its own provider."""
    import agentops as package  # noqa: PLC0415 - as above
    from agentops.sdk.decorators import tool  # noqa: PLC0415 - as above

    package.init(
        api_key="00000000-0000-0000-0000-000000000000", endpoint=NOWHERE, exporter_endpoint=f"{NOWHERE}/v1/traces",
        instrument_llm_calls=False, auto_start_session=False, env_data_opt_out=True, log_level="CRITICAL",
        fail_safe=True,
    )  # fmt: skip
    return Instrumented(tool(name="tool")(bare), by_hand(provider))


def agentloop(_: TracerProvider) -> Instrumented:
    """Return the tool as agentloop-profiler traces it; it makes events of its own, no spans."""
    import agentloop as package  # noqa: PLC0415 - as above

    return Instrumented(package.trace_tool(name="tool")(bare), lambda: package.trace_agent("bench"))


class Peer(NamedTuple):
    """What has to be installed, and what decorates the tool."""

    requirements: tuple[str, ...]
    instrument: Callable[[TracerProvider], Instrumented]


PEERS: Final = {
    "otel-parallelism": Peer((str(Path(__file__).parents[2]),), ours),
    "traceloop-sdk": Peer(("traceloop-sdk", "httpx"), traceloop),
    "openinference-instrumentation": Peer(("openinference-instrumentation",), openinference),
    "logfire": Peer(("logfire",), logfire),
    "langfuse": Peer(("langfuse",), langfuse),
    "lmnr": Peer(("lmnr",), laminar),
    "agentops": Peer(("agentops",), agentops),
    "agentloop-profiler": Peer(("agentloop-profiler",), agentloop),
}


def exporter() -> Any:
    """Return an exporter that does nothing."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult  # noqa: PLC0415 - as above

    class Nowhere(SpanExporter):
        def export(self, spans: object) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    return Nowhere()


def processor() -> Any:
    """Return a batch processor whose queue is large enough to drop nothing."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above

    return BatchSpanProcessor(exporter(), max_queue_size=100_000, max_export_batch_size=50_000)


def by_hand(provider: TracerProvider) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    """Return what opens the span of a turn."""
    tracer = provider.get_tracer("by hand")
    return lambda: tracer.start_as_current_span("turn")


async def measured(instrumented: Instrumented, providers: Sequence[TracerProvider]) -> dict[str, float]:
    """Return the µs that a call takes: the quietest tenth of all turns, with a span by hand and decorated."""
    tracer = providers[-1].get_tracer("by hand")

    async def manual(argument: int) -> int:
        with tracer.start_as_current_span("execute_tool tool", attributes=ATTRIBUTES):
            return await bare(argument)

    variants = {"by hand": Instrumented(manual, by_hand(providers[-1])), "decorated": instrumented}
    found: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(ROUNDS):
        for name, (tool, turn) in variants.items():
            gc.collect()
            for _ in range(TURNS):
                with turn():
                    assert await tool(1) == 1
                    start_ns = time.thread_time_ns()
                    for index in range(CALLS):
                        await tool(index)
                    taken_ns = time.thread_time_ns() - start_ns
                if number:  # the first round warms up
                    found[name].append(taken_ns / CALLS / 1e3)
            for provider in providers:
                provider.force_flush()
    return {name: sorted(values)[len(values) // 10] for name, values in found.items()}


def inside(name: str) -> None:
    """Measure the package *name*, which is installed here, and print the result as JSON."""
    from importlib.metadata import version  # noqa: PLC0415 - needed here only

    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above

    # Two providers: some packages add processors that look at each span, by hand or not.
    providers = [TracerProvider(shutdown_on_exit=False) for _ in range(2)]
    for provider in providers:
        provider.add_span_processor(processor())
    instrumented = PEERS[name].instrument(providers[0])
    result = asyncio.run(measured(instrumented, providers))
    print(json.dumps({**result, "version": version(name), "sdk": version("opentelemetry-sdk")}), flush=True)
    os._exit(0)  # some packages wait at exit for a server that is not there


def main(peers: list[str]) -> None:
    """Print a row for each package."""
    unknown = set(peers) - PEERS.keys()
    if unknown:
        raise SystemExit(f"{', '.join(sorted(unknown))}: expected some of {', '.join(PEERS)}")
    print(f"{'':<46}{'SDK':>8}{'by hand':>12}{'decorated':>12}{'ratio':>9}")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "VIRTUAL_ENV"))}
    with tempfile.TemporaryDirectory() as folder:
        for name in peers or PEERS:
            place = Path(folder, name)
            python = place / "bin" / "python"
            packages = [*PEERS[name].requirements, "opentelemetry-sdk"]
            for command in (
                ["uv", "venv", "--quiet", "--python", sys.executable, place],
                ["uv", "pip", "install", "--quiet", "--python", python, *packages],
            ):
                subprocess.run(command, check=True)  # noqa: S603 - ours
            command = [python, __file__, "--inside", name]
            done = subprocess.run(command, env=clean, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - ours
            line = next((line for line in done.stdout.splitlines() if line.startswith('{"by hand"')), "")
            if not line:
                print(f"{name}: {(done.stderr.strip().splitlines() or ['no result'])[-1]}")
                continue
            row = json.loads(line)
            print(
                f"{name} {row['version']}".ljust(46)
                + f"{row['sdk']:>8}{row['by hand']:9.2f} µs{row['decorated']:9.2f} µs"
                + f"{row['decorated'] / row['by hand']:7.2f} ×",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2])
    else:
        main(sys.argv[1:])
