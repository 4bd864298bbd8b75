"""Export is intact and numbers are right, whichever code sets the provider, before or after install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism import names

from .conftest import INSTRUMENT, PYTHON, attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Receiver

AGENT = """
    import asyncio
    import atexit
    from opentelemetry import trace
    from otel_parallelism import agent_turn, coverage, profiled, subscribe

    reports = []
    subscribe(reports.append)
    atexit.register(lambda: print([(r.turn.name, r.calls, r.verdict) for r in reports], coverage().calls_without_turn))

    @profiled(effect="read")
    async def fetch(key):
        await asyncio.sleep(0.06)

    async def main():
        with trace.get_tracer("theirs").start_as_current_span("request"):
            with agent_turn("serial"):
                for key in range(3):
                    await fetch(key)
            attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "theirs"}
            with trace.get_tracer("theirs").start_as_current_span("agent", attributes=attributes):
                await asyncio.gather(*(fetch(key) for key in range(3)))
"""
PROVIDER = """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    def provide():
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
"""
BOTH = "[('serial', 3, 'sequential'), ('agent', 3, 'parallel')] 0\n"


def check(receiver: Receiver) -> None:
    """Assert that nine spans of one trace arrived, with a result on each turn and on no other span."""
    assert sorted(span.name for span in receiver.spans) == [
        "agent",
        *["execute_tool fetch"] * 6,
        "invoke_agent serial",
        "request",
    ]
    assert len({span.trace_id for span in receiver.spans}) == 1
    assert attributes(receiver.span("invoke_agent serial"))[names.VERDICT] == "sequential"
    assert attributes(receiver.span("agent"))[names.VERDICT] == "parallel"
    assert attributes(receiver.span("agent"))[names.CALLS] == 3
    assert attributes(receiver.span("request")) == {}


async def test_a_program_that_sets_its_provider_after_we_were_installed(
    receiver: Receiver, script: Callable[[str], str]
) -> None:
    program = script(f"""{AGENT}{PROVIDER}
    import otel_parallelism
    otel_parallelism.install()
    provide()
    asyncio.run(main())
    """)
    assert await receiver.run(PYTHON, program) == BOTH
    await receiver.settle(9)
    check(receiver)


async def test_a_program_that_never_sets_one(receiver: Receiver, script: Callable[[str], str]) -> None:
    program = script(f"""{AGENT}
    import otel_parallelism
    otel_parallelism.install()
    asyncio.run(main())
    """)
    # Without a provider other instrumentations make no spans, so their turn is unknown and its calls count as outside.
    assert await receiver.run(PYTHON, program) == "[('serial', 3, 'sequential')] 3\n"
    assert receiver.spans == []


async def test_a_program_under_opentelemetry_instrument(receiver: Receiver, script: Callable[[str], str]) -> None:
    program = script(f"""{AGENT}
    asyncio.run(main())
    """)
    printed = await receiver.run(
        INSTRUMENT,
        PYTHON,
        program,
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_SERVICE_NAME="agent",
        OTEL_LOGS_EXPORTER="none",
    )
    assert printed == BOTH
    await receiver.settle(9)
    check(receiver)
    arrived = {metric.name for metric in receiver.metrics}
    assert {names.METRIC_RATIO.name, names.METRIC_TURN_DURATION.name, names.METRIC_TIME_LOST.name} <= arrived
