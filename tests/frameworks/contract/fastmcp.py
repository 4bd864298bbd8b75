"""A hand-written host with a FastMCP client and a FastMCP server in the same process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastmcp import Client, FastMCP
from fastmcp.tools import Tool
from openai import AsyncOpenAI
from otel_parallelism import agent_turn

from frameworks.behaviour import Behaviour
from frameworks.contract.mcp import READS, conversation, native, openinference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The client's own spans, which are the calls, have no ids. The server runs blocking tools in threads; the contract of
# mcp covers a server that runs one call at a time.
BEHAVIOUR = Behaviour(
    modules=("fastmcp", "mcp", "openai"),
    distribution="fastmcp",
    blocking=None,
    ids=False,
    streams=False,
    turns=False,
    round_trip=0.06,
)


class Agent:
    """A host that runs the calls of a response together, within a turn that it opens."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        server = FastMCP("desk")
        for tool in tools:
            server.tool(tool, annotations=READS)
        async with Client(server) as client, AsyncOpenAI(base_url=self.url + "/v1", api_key="none") as model:
            listed = [tool.name for tool in await client.list_tools()]

            async def call_tool(name: str, arguments: dict[str, Any]) -> Any:
                return await client.call_tool(name, arguments, raise_on_error=False)

            with agent_turn("helper", input=prompt):
                return await conversation(model, call_tool, listed, prompt)


BESIDE = {"native": native, "openinference": openinference}


def tool_schemas(function: Any) -> list[Any]:
    """Return what fastmcp makes of *function*, in each of the ways that it makes tools."""
    server: Any = FastMCP("server")
    server.tool(function)
    tools: list[Any] = [Tool.from_function(function), *asyncio.run(server.list_tools())]
    return [(one.name, one.description, one.parameters, getattr(one, "output_schema", None)) for one in tools]
