"""A hand-written host and an MCP server in the same process."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from mcp.types import ToolAnnotations
from openai import AsyncOpenAI
from otel_parallelism import agent_turn

from frameworks import scenarios
from frameworks.behaviour import LOCKED, QUEUED, Behaviour

try:
    from mcp import Client
    from mcp.server.mcpserver import MCPServer
except ImportError:  # before version 2
    from mcp.server.fastmcp import FastMCP as MCPServer
    from mcp.shared.memory import create_connected_server_and_client_session

    NEW = False

    def connected(server: Any) -> Any:
        return create_connected_server_and_client_session(server._mcp_server)
else:
    NEW = True

    def connected(server: Any) -> Any:
        return Client(server, mode="legacy")


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

# The server of the blocking tools takes one call at a time.
BEHAVIOUR = Behaviour(
    modules=("mcp", "openai"),
    distribution="mcp",
    blocking=LOCKED if NEW else QUEUED,
    streams=False,
    turns=False,
    round_trip=0.04,
    functions=NEW,  # before, a server received no context of its client's call
)
READS = ToolAnnotations.model_validate({"readOnlyHint": True})


class Agent:
    """A host that runs the calls of a response together, within a turn that it opens."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        async with (
            connected(served(tools)) as session,
            AsyncOpenAI(base_url=self.url + "/v1", api_key="none") as model,
        ):
            listed = await session.list_tools()
            with agent_turn("helper", input=prompt):
                return await conversation(model, session.call_tool, [tool.name for tool in listed.tools], prompt)


async def conversation(model: AsyncOpenAI, call_tool: Callable[..., Any], tools: list[str], prompt: str) -> str:
    """Send model requests until an answer requests no calls."""
    messages: list[Any] = [{"role": "system", "content": scenarios.SYSTEM}, {"role": "user", "content": prompt}]
    known: Any = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in tools]
    while True:
        answer = await model.chat.completions.create(model="stub", messages=messages, tools=known)
        message = answer.choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message.model_dump(exclude_none=True))
        asked: list[Any] = list(message.tool_calls)
        results = await asyncio.gather(
            *(call_tool(each.function.name, json.loads(each.function.arguments)) for each in asked)
        )
        messages += [
            {"role": "tool", "tool_call_id": each.id, "content": result.content[0].text}
            for each, result in zip(asked, results, strict=True)
        ]


def served(tools: Sequence[Callable[..., Any]]) -> Any:
    """Return a server that runs *tools*; blocking ones one at a time."""
    server: Any = MCPServer("desk")
    lock = asyncio.Lock()
    for tool in tools:
        if inspect.iscoroutinefunction(tool):
            server.tool(annotations=READS)(tool)
        else:
            # Text only: validating the first structured result of a session takes time, which is not queueing.
            server.tool(annotations=READS, structured_output=False)(one_at_a_time(tool, lock))
    return server


def one_at_a_time(tool: Callable[..., Any], lock: asyncio.Lock) -> Callable[..., Any]:
    @functools.wraps(tool)
    async def waiting(**arguments: Any) -> Any:
        async with lock:
            return await anyio.to_thread.run_sync(functools.partial(tool, **arguments))

    return waiting


def native(provider: TracerProvider) -> None:
    """Do nothing: the framework makes its own spans if there is a provider."""


def openinference(provider: TracerProvider) -> None:
    """Switch on the propagation of the context to the server; the spans are the framework's own."""
    from openinference.instrumentation.mcp import MCPInstrumentor

    MCPInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.mcp import McpInstrumentor

    McpInstrumentor().instrument(tracer_provider=provider)


# Version 2 makes its own spans, and lacks the functions that Traceloop's instrumentation wraps.
BESIDE = {"native": native, "openinference": openinference} if NEW else {"traceloop": traceloop}


def tool_schemas(function: Any) -> list[Any]:
    """Return what a server makes of *function*."""
    server: Any = MCPServer("server")
    server.add_tool(function)
    return [one.model_dump() for one in asyncio.run(server.list_tools())]
