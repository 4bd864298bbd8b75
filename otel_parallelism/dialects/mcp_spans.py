"""Spans of the Model Context Protocol: of mcp's own client and server, and of fastmcp, which makes three a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism import names

from .parsing.facts import Facts, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

METHOD = "mcp.method.name"
KEYS = frozenset({METHOD})
NAMES = ("tools/call ", "MCP send tools/call ")


def read(span: SpanRecord) -> Facts | None:
    """Return the call that *span* is if its method is ``tools/call``; every other method only passes ancestry on."""
    method = text(span.attributes, METHOD)
    named = span.name.startswith(NAMES)
    if not method and not named:
        return None
    if method not in {"", "tools/call"}:
        return Facts(kind="passage")
    tool = text(span.attributes, names.TOOL_NAME) or (span.name.partition("tools/call ")[2] if named else "")
    return Facts(kind="call", tool=tool)
