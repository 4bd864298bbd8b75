"""An MCP server over standard input and output whose annotations contradict the names of its tools."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp.types import ToolAnnotations

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:  # before version 2
    from mcp.server.fastmcp import FastMCP as MCPServer

server: Any = MCPServer("desk")


@server.tool(annotations=ToolAnnotations.model_validate({"readOnlyHint": False}))
async def get_token() -> str:
    """Make a new token."""
    await asyncio.sleep(0.1)
    return "tok_77123"


@server.tool(annotations=ToolAnnotations.model_validate({"readOnlyHint": True}))
async def get_receipt(order: str) -> str:
    """Tell what was paid for an order."""
    await asyncio.sleep(0.1)
    raise ValueError(order)


if __name__ == "__main__":
    server.run()
