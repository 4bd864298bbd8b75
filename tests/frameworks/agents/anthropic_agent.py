"""
A travel agent written with anthropic's tool runner, as its user would write it: it does not use otel_parallelism.

Usage: ``anthropic_agent.py MODEL [SPANS]``. Spans are written as JSON lines to SPANS; without it the program
sets up no tracing.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from anthropic import AsyncAnthropic, beta_async_tool
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

if TYPE_CHECKING:
    from collections.abc import Iterator


@beta_async_tool
async def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    await asyncio.sleep(0.2)
    return f"Sunny in {city}"


@beta_async_tool
async def search_flights(destination: str) -> str:
    """List flights to a destination."""
    await asyncio.sleep(0.2)
    return f"Two flights to {destination}"


@beta_async_tool
async def list_hotels(area: str) -> str:
    """List hotels in an area."""
    await asyncio.sleep(0.2)
    return f"Three hotels in {area}"


async def answer(model: str, question: str) -> str:
    """Return the agent's answer to *question*."""
    async with AsyncAnthropic() as client:
        runner = client.beta.messages.tool_runner(
            model=model,
            max_tokens=1024,
            tools=[get_weather, search_flights, list_hotels],
            messages=[{"role": "user", "content": question}],
        )
        final = await runner.until_done()
    return "".join(block.text for block in final.content if block.type == "text")


def main(model: str, spans: str = "") -> None:
    """Ask one question."""
    with tracing(spans):
        print(asyncio.run(answer(model, "Is next week a good time to go?")))


@contextmanager
def tracing(spans: str) -> Iterator[None]:
    """Set up the program's own tracing if a file is given."""
    if not spans:
        yield
        return
    with Path(spans).open("w", encoding="utf-8") as out:
        provider = TracerProvider()
        exporter = ConsoleSpanExporter(out=out, formatter=lambda span: f"{span.to_json(indent=None)}\n")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        yield
        provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
