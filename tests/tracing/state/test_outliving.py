"""Turns that end after the turn around them, as where an async generator is closed late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from opentelemetry import trace

from otel_parallelism import agent_turn, names, profiled

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.conftest import Kit


@profiled(effect="read")
async def look(key: int) -> int:
    await asyncio.sleep(0.06)
    return key


async def test_turn_that_outlives_its_wrapper_keeps_its_calls(kit: Kit) -> None:
    @agent_turn("inner")
    async def serve() -> AsyncGenerator[int, None]:
        for key in range(3):
            await look(key)
        yield 3

    served = serve()
    with agent_turn("outer"):
        assert await anext(served) == 3
    assert kit.reports == []
    await served.aclose()
    (report,) = kit.reports
    assert (report.turn.name, report.calls, report.verdict) == ("inner", 3, "possibly_sequential")
    assert kit.result("invoke_agent outer")["calls"] == 3


async def test_foreign_turn_that_outlives_its_wrapper_keeps_its_calls(kit: Kit) -> None:
    tracer = kit.tracer()
    marked = {names.OPERATION_NAME: names.INVOKE_AGENT}
    with tracer.start_as_current_span("invoke_agent outer", attributes=marked):
        inner = tracer.start_span("invoke_agent inner", attributes=marked)
        with trace.use_span(inner):
            await asyncio.gather(*(look(key) for key in range(2)))
    inner.end()
    (report,) = kit.reports
    assert (report.turn.name, report.calls, report.verdict) == ("invoke_agent inner", 2, "parallel")
