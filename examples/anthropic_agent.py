"""A handwritten agent loop for Anthropic's client, first with calls one by one, then with run_tools."""

from __future__ import annotations

import asyncio
from typing import Any

from anthropic import AsyncAnthropic

from otel_parallelism import agent_turn, profiled, run_tools
from otel_parallelism.execution import prompt


@profiled(effect="read")
async def get_weather(city: str) -> str:
    """Return the weather in a city."""
    await asyncio.sleep(0.2)
    return f"Sunny in {city}."


@profiled(effect="read")
async def search_flights(destination: str) -> str:
    """List flights to a destination."""
    await asyncio.sleep(0.2)
    return f"Two flights to {destination}."


@profiled(effect="read")
async def list_hotels(area: str) -> str:
    """List hotels in an area."""
    await asyncio.sleep(0.2)
    return f"Three hotels in {area}."


TOOLS = [get_weather, search_flights, list_hotels]


def definition(tool: Any, parameter: str) -> Any:
    """Return the tool's definition for the client."""
    schema = {"type": "object", "properties": {parameter: {"type": "string"}}, "required": [parameter]}
    return {"name": tool.__name__, "description": tool.__doc__, "input_schema": schema}


DEFINITIONS = [
    definition(get_weather, "city"),
    definition(search_flights, "destination"),
    definition(list_hotels, "area"),
]


async def ask(client: AsyncAnthropic, messages: list[Any]) -> Any:
    """Ask the model, and append its message to *messages*."""
    message = await client.messages.create(
        model="claude-sonnet-5-5", max_tokens=1024, system=prompt(TOOLS), tools=DEFINITIONS, messages=messages
    )
    messages.append({"role": "assistant", "content": message.content})
    return message


async def one_by_one(client: AsyncAnthropic, messages: list[Any]) -> str:
    """Run the calls one by one."""
    by_name = {tool.__name__: tool for tool in TOOLS}
    while (message := await ask(client, messages)).stop_reason == "tool_use":
        results = []
        for block in message.content:
            if block.type == "tool_use":
                result = await by_name[block.name](**block.input)
                results.append({"type": "tool_result", "tool_use_id": block.id, "content": result})
        messages.append({"role": "user", "content": results})
    return str(message.content[0].text)


async def together(client: AsyncAnthropic, messages: list[Any]) -> str:
    """Run the calls of a message together, with run_tools."""
    while (message := await ask(client, messages)).stop_reason == "tool_use":
        messages += await run_tools(message, TOOLS)
    return str(message.content[0].text)


async def main() -> None:
    """Ask the same question in both ways."""
    async with AsyncAnthropic() as client:
        for way in (one_by_one, together):
            async with agent_turn(way.__name__) as turn:
                answer = await way(client, [{"role": "user", "content": "Is next week a good time to go?"}])
            if turn.report:
                print(f"{way.__name__}: ratio {turn.report.ratio:.1f}, {turn.report.verdict}: {answer}")


if __name__ == "__main__":
    asyncio.run(main())
