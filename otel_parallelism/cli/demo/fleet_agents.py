"""
The six agents of the demo's fleet. Each is written in a way that is common in real agents.

Tools and model wait as if for a service. Nothing here determines the verdict on a turn: it follows from how the turn
runs. Model requests are simulated; their spans are like those of an instrumented model client.
"""

from __future__ import annotations

import asyncio
import json
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from otel_parallelism import agent_turn, profiled, run_tools

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from random import Random

RequestedCall: TypeAlias = "dict[str, Any]"
"""A tool call in a model response: ``id``, ``name`` and ``arguments``."""

_tracer = trace.get_tracer("demo.framework")
_random: ContextVar[Random] = ContextVar("random")
_slowness: ContextVar[float] = ContextVar("slowness")


async def _wait(seconds: float) -> None:
    await asyncio.sleep(seconds * _slowness.get())


async def _request_model(input_tokens: int, *tools: str, **arguments: str) -> list[RequestedCall]:
    """Simulate a model request that returns calls of *tools*; its span lists the ids of the calls and no content."""
    attributes: Mapping[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "demo",
        "gen_ai.request.model": "demo-model",
    }
    with _tracer.start_as_current_span("chat demo-model", kind=SpanKind.CLIENT, attributes=attributes) as span:
        await _wait(0.2)
        ids = [f"call_{UUID(int=_random.get().getrandbits(128)).hex[:16]}" for _ in tools]
        parts = [{"type": "tool_call", "id": id_, "name": tool} for id_, tool in zip(ids, tools, strict=True)]
        reason = "tool_call" if tools else "stop"
        answer = [{"role": "assistant", "parts": parts, "finish_reason": reason}]
        span.set_attribute("gen_ai.output.messages", json.dumps(answer))
        span.set_attribute("gen_ai.response.finish_reasons", [reason])
        span.set_attribute("gen_ai.usage.input_tokens", input_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", 40 + 30 * len(tools))
    return [{"id": id_, "name": tool, "arguments": arguments} for id_, tool in zip(ids, tools, strict=True)]


@profiled(effect="read")
async def get_weather(city: str) -> str:
    """Return the weather forecast."""
    await _wait(0.35)
    return f"rain over {city}"


@profiled(effect="read")
async def find_hotel(city: str) -> str:
    """Return the hotels."""
    await _wait(0.4)
    return f"two hotels in {city}"


@profiled(effect="read")
async def find_museum(city: str) -> str:
    """Return a museum."""
    await _wait(0.3)
    return f"a tile museum in {city}"


@profiled(effect="read")
async def find_train(city: str) -> str:
    """Return the trains."""
    await _wait(0.38)
    return f"hourly to {city}"


_TRAVEL: Final = (get_weather, find_hotel, find_museum, find_train)


async def parallel_planner() -> None:
    """The model requests all calls in one response, and they run in parallel."""
    with agent_turn("parallel-planner"):
        calls = await _request_model(900, "get_weather", "find_hotel", "find_museum", "find_train", city="Lisbon")
        await run_tools(calls, _TRAVEL)
        await _request_model(1_400)


async def model_serial() -> None:
    """The model requests one call in each response, although no call needs the result of another."""
    with agent_turn("model-serial"):
        for number, tool in enumerate(("get_weather", "find_hotel", "find_train")):
            await run_tools(await _request_model(900 + 150 * number, tool, city="Porto"), _TRAVEL)
        await _request_model(1_400)


async def dispatch_serial() -> None:
    """A framework with its own spans: the model requests several calls at once, and the loop runs them one by one."""
    run = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "dispatch-serial"}
    with _tracer.start_as_current_span("invoke_agent dispatch-serial", attributes=run):
        for call in await _request_model(1_100, "get_price", "get_stock", "get_reviews", "get_delivery_date"):
            attributes = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": call["name"],
                "gen_ai.tool.call.id": call["id"],
            }
            with _tracer.start_as_current_span(f"execute_tool {call['name']}", attributes=attributes):
                await _wait(0.35)
        await _request_model(1_700)


@profiled(effect="read")
async def read_file(path: str) -> int:
    """Return the length of a file."""
    await _wait(0.32)
    return len(path)


async def code_serial() -> None:
    """Code without a model awaits one call after another."""
    with agent_turn("code-serial"):
        for path in ("src/alpha.py", "src/beta.py", "src/gamma.py", "src/delta.py"):
            await read_file(path)


_session = asyncio.Lock()


@profiled(effect="read")
async def query_database(table: str) -> str:
    """Return the rows of a table; all queries share one session."""
    async with _session:
        await _wait(0.8)
    return f"rows of {table}"


async def contended() -> None:
    """All calls start together and then wait for one session inside the tool."""
    with agent_turn("contended"):
        await asyncio.gather(*map(query_database, ("customers", "orders", "parcels", "refunds")))


@profiled(effect="read")
async def find_customer(mail: str) -> str:
    """Return the number of a customer."""
    await _wait(0.35)
    return f"customer-{sum(map(ord, mail)) * 7919}"


@profiled(effect="read")
async def latest_order(customer: str) -> str:
    """Return the number of a customer's latest order."""
    await _wait(0.4)
    return f"order-{sum(map(ord, customer)) * 6101}"


@profiled(effect="read")
async def track_parcel(order: str) -> str:
    """Return the place of an order's parcel."""
    await _wait(0.38)
    return f"{order} is in Aveiro"


async def serial_by_need() -> None:
    """Each call needs the result of the previous one."""
    with agent_turn("serial-by-need"):
        customer = await find_customer("ines@example.org")
        order = await latest_order(customer)
        await track_parcel(order)


AGENTS: Final[Mapping[str, Callable[[], Awaitable[None]]]] = {
    "parallel-planner": parallel_planner,
    "model-serial": model_serial,
    "dispatch-serial": dispatch_serial,
    "code-serial": code_serial,
    "contended": contended,
    "serial-by-need": serial_by_need,
}


async def take_turn(agent: str, random: Random) -> None:
    """Run one turn of *agent*; *random* determines its delays and its ids."""
    _random.set(random)
    _slowness.set(random.uniform(0.8, 1.25))
    await AGENTS[agent]()
