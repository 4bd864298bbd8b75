"""Spans of the Model Context Protocol: mcp's client and server, and fastmcp, which makes three spans per call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_parallelism import names

from .parsing import envelopes
from .parsing.content import captured, decoded
from .parsing.facts import Dialect, Facts, first_value, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_METHOD = "mcp.method.name"
_NAMES = ("tools/call ", "MCP send tools/call ")
_ARGUMENTS = (names.TOOL_CALL_ARGUMENTS, "mcp.request.argument")
_RESULTS = (names.TOOL_CALL_RESULT, "mcp.response.value")
_PARAMETERS = frozenset({"name", "arguments", "_meta", "task"})
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
    output = first_value(span.attributes, _RESULTS)
    return Facts(
        kind="call",
        tool=tool,
        call_id=text(span.attributes, names.TOOL_CALL_ID),
        arguments=captured(first_value(span.attributes, _ARGUMENTS), _arguments),
        result=captured(output, envelopes.result),
        failed=envelopes.tool_failed(output),
        # A server may run in the process of its client: its span is another account of the call, even then.
        remote=bool(method) and span.kind == _SERVER,
    )


def _arguments(value: object) -> object:
    """Return the arguments in a request's parameters, ``{"name": …, "arguments": …}``, or *value* as it is."""
    data = decoded(value)
    if isinstance(data, Mapping) and "arguments" in data and data.keys() <= _PARAMETERS:
        return envelopes.arguments(data["arguments"])
    return envelopes.arguments(data)


DIALECT = Dialect(describe=_describe, rank=40, keys=frozenset({_METHOD}), names=_NAMES)
