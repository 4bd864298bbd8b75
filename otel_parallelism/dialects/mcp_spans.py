"""Spans of the Model Context Protocol: mcp's client and server, and fastmcp, which makes three spans per call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism import names

from .parsing.facts import Dialect, Facts, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_METHOD = "mcp.method.name"
_NAMES = ("tools/call ", "MCP send tools/call ")
_SERVER = 2
"""OTLP's number of the span kind SERVER."""


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts of a call if the method is ``tools/call``; spans of other methods are passages."""
    method = text(span.attributes, _METHOD)
    named = span.name.startswith(_NAMES)
    if not method and not named:
        return None
    if method == "elicitation/create":
        return Facts(kind="waiting")  # the server asks the client's user
    if method not in {"", "tools/call"}:
        return Facts(kind="passage")
    tool = text(span.attributes, names.TOOL_NAME) or (span.name.partition("tools/call ")[2] if named else "")
    # A server may run in the process of its client: its span is another account of the call, even then.
    return Facts(kind="call", tool=tool, remote=bool(method) and span.kind == _SERVER)


DIALECT = Dialect(describe=_describe, rank=40, keys=frozenset({_METHOD}), names=_NAMES)
