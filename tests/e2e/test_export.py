"""A turn's result arrives at a real receiver on the turn's span, and the span's end is unchanged."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_parallelism import agent_turn, install, names, profiled, uninstall

from .conftest import attributes

if TYPE_CHECKING:
    from .conftest import Receiver

KINDS = {"double": float, "int": int, "string": str}
APART_NS = 1_000_000
"""By how much the clock that never steps and the time of day may differ; see ``clock.shift_ns``."""


# pytest rewrites the function around the loop, so its source does not count: the reads are declared to be free.
@profiled(effect="read", depends_on=[])
async def fetch(key: int) -> int:
    await asyncio.sleep(0.08)
    return key


async def export(receiver: Receiver, *, foreign: bool) -> tuple[int, int]:
    """Run and export a turn of three calls one by one; return the earliest and latest possible end."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{receiver.endpoint}/v1/traces")))
    install(provider)
    if foreign:
        span = provider.get_tracer("theirs").start_span(
            "invoke_agent clerk", attributes={names.OPERATION_NAME: "invoke_agent", "user.id": "u1"}
        )
        with trace.use_span(span):
            for key in range(3):
                await fetch(key)
        before = time.time_ns()
        span.end()
        after = time.time_ns()
    else:
        with agent_turn("clerk"):
            for key in range(3):
                await fetch(key)
            before = time.time_ns()
        after = time.time_ns()
    await asyncio.to_thread(provider.force_flush)
    await receiver.settle(4)
    uninstall()
    await asyncio.to_thread(provider.shutdown)
    return before, after


@pytest.mark.parametrize("foreign", [False, True])
async def test_result_arrives_on_the_span_of_the_turn(receiver: Receiver, foreign: bool) -> None:
    before, after = await export(receiver, foreign=foreign)
    span = receiver.span("invoke_agent clerk")
    found = attributes(span)
    assert found[names.VERDICT] == "sequential"
    assert found[names.RATIO] == pytest.approx(1.0, abs=0.15)
    assert found[names.CALLS] == 3
    assert found[names.AVOIDABLE] == pytest.approx(0.29, abs=0.15)
    assert not foreign or found["user.id"] == "u1"
    for attribute in names.TURN_ATTRIBUTES:
        assert type(found[attribute.key]) is KINDS[attribute.type], attribute.key
    (event,) = span.events
    assert event.name == names.FINDING_EVENT
    assert attributes(event)[names.FINDING_TOOLS] == ["fetch"] * 3
    # The end is when the program ended the span, not when the analysis was done.
    assert before - APART_NS <= span.end_time_unix_nano <= after + APART_NS
    assert span.end_time_unix_nano - before < (after - before) / 2
    calls = [call for call in receiver.spans if call.name == "execute_tool fetch"]
    assert {call.parent_span_id for call in calls} == {span.span_id}
    assert max(call.end_time_unix_nano for call in calls) <= span.end_time_unix_nano


async def test_explicit_end_time_is_kept(receiver: Receiver) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{receiver.endpoint}/v1/traces")))
    install(provider)
    span = provider.get_tracer("theirs").start_span(
        "agent", attributes={names.OPERATION_NAME: "invoke_agent"}, start_time=10**18
    )
    span.end(10**18 + 12_345)
    await asyncio.to_thread(provider.force_flush)
    await receiver.settle(1)
    uninstall()
    await asyncio.to_thread(provider.shutdown)
    arrived = receiver.span("agent")
    assert arrived.end_time_unix_nano == 10**18 + 12_345
    assert attributes(arrived)[names.CALLS] == 0
