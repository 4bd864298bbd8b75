"""
A travel agent written with strands and a model class of its own: it does not use otel_parallelism.

Usage: ``strands_agent.py burst|sequential|rounds [SPANS]``. The model requests three calls in one response, which
the agent runs together or one by one, or one call in each of three responses. Spans are written as JSON lines to the
file SPANS; without it the program sets up no tracing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from strands import Agent, tool
from strands.models import Model
from strands.tools.executors import ConcurrentToolExecutor, SequentialToolExecutor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterator

    from strands.types.content import Messages
    from strands.types.streaming import StreamEvent

WANTED = (
    ("get_weather", {"city": "Lisbon"}),
    ("search_flights", {"destination": "Porto"}),
    ("list_hotels", {"area": "Sintra"}),
)


@tool
async def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    await asyncio.sleep(0.2)
    return f"Sunny in {city}"


@tool
async def search_flights(destination: str) -> str:
    """List flights to a destination."""
    await asyncio.sleep(0.2)
    return f"Two flights to {destination}"


@tool
async def list_hotels(area: str) -> str:
    """List hotels in an area."""
    await asyncio.sleep(0.2)
    return f"Three hotels in {area}"


class ScriptedModel(Model):
    """A model that requests *at_once* calls in each response, then answers."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once

    def update_config(self, **model_config: Any) -> None:
        """Do nothing: the script is fixed."""

    def get_config(self) -> dict[str, Any]:
        """Return the configuration that strands reads from any model."""
        return {"model_id": "scripted", "context_window_limit": 100_000}

    def structured_output(self, *arguments: Any, **options: Any) -> AsyncGenerator[dict[str, Any], None]:
        """Raise: this model has no structured output."""
        raise NotImplementedError

    async def stream(self, messages: Messages, *arguments: Any, **options: Any) -> AsyncIterable[StreamEvent]:
        """Yield the events of one response."""
        await asyncio.sleep(0.05)
        done = sum("toolResult" in block for message in messages for block in message["content"])
        asked = WANTED[done : done + self.at_once]
        yield {"messageStart": {"role": "assistant"}}
        for number, (name, arguments_of_call) in enumerate(asked, start=done):
            yield {"contentBlockStart": {"start": {"toolUse": {"name": name, "toolUseId": f"tool-{number}"}}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(arguments_of_call)}}}}
            yield {"contentBlockStop": {}}
        if not asked:
            yield {"contentBlockStart": {"start": {}}}
            yield {"contentBlockDelta": {"delta": {"text": "Yes, go."}}}
            yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if asked else "end_turn"}}


def main(script: str, spans: str = "") -> None:
    """Ask one question."""
    model = ScriptedModel(at_once=1 if script == "rounds" else len(WANTED))
    with tracing(spans):
        agent = Agent(
            model,
            tools=[get_weather, search_flights, list_hotels],
            name="travel",
            callback_handler=None,
            tool_executor=SequentialToolExecutor() if script == "sequential" else ConcurrentToolExecutor(),
        )
        print(str(agent("Is next week a good time to go?")).strip())


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
