"""Handwritten agent loops for OpenAI's client, with chat completions and responses, without and with run_tools."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from openai import AsyncOpenAI

from otel_parallelism import agent_turn, profiled, run_tools
from otel_parallelism.execution import prompt

MODEL = "gpt-6.2-sol"
QUESTION = "Is next week a good time to go?"


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


def function(tool: Any, parameter: str) -> dict[str, Any]:
    """Return the tool's definition for the client."""
    schema = {"type": "object", "properties": {parameter: {"type": "string"}}, "required": [parameter]}
    return {"name": tool.__name__, "description": tool.__doc__, "parameters": schema}


FUNCTIONS = [function(get_weather, "city"), function(search_flights, "destination"), function(list_hotels, "area")]


async def chat_one_by_one(client: AsyncOpenAI) -> str:
    """Run the calls of a chat completion one by one."""
    by_name = {tool.__name__: tool for tool in TOOLS}
    tools: Any = [{"type": "function", "function": given} for given in FUNCTIONS]
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    while True:
        completion = await client.chat.completions.create(model=MODEL, tools=tools, messages=messages)
        message: Any = completion.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            return str(message.content)
        for call in message.tool_calls:
            result = await by_name[call.function.name](**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


async def chat_together(client: AsyncOpenAI) -> str:
    """Run the calls of a chat completion together, with run_tools."""
    tools: Any = [{"type": "function", "function": given} for given in FUNCTIONS]
    messages: list[Any] = [{"role": "system", "content": prompt(TOOLS)}, {"role": "user", "content": QUESTION}]
    while True:
        completion = await client.chat.completions.create(model=MODEL, tools=tools, messages=messages)
        message = completion.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            return str(message.content)
        messages += await run_tools(message, TOOLS)


async def responses_together(client: AsyncOpenAI) -> str:
    """Run the calls of a response together, with run_tools."""
    tools: Any = [{"type": "function", **given} for given in FUNCTIONS]
    items: list[Any] = [{"role": "user", "content": QUESTION}]
    while True:
        response = await client.responses.create(model=MODEL, instructions=prompt(TOOLS), tools=tools, input=items)
        items += response.output
        results = await run_tools(response, TOOLS)
        if not results:
            return response.output_text
        items += results


async def main() -> None:
    """Ask the same question in all three ways."""
    async with AsyncOpenAI() as client:
        for way in (chat_one_by_one, chat_together, responses_together):
            async with agent_turn(way.__name__) as turn:
                answer = await way(client)
            if turn.report:
                print(f"{way.__name__}: ratio {turn.report.ratio:.1f}, {turn.report.verdict}: {answer}")


if __name__ == "__main__":
    asyncio.run(main())
