"""Spans of one agent that lie in traces of their own."""

from __future__ import annotations

import json
from typing import Any

from otel_parallelism.model import SpanRecord

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
CONVERSATION = "conv_5j66Up"


def record(span_id: str, start: float, end: float, attributes: dict[str, Any], **fields: Any) -> SpanRecord:
    """Return a span from *start* to *end*, in seconds; by default the root of a trace of its own."""
    known = {"trace_id": f"trace of {span_id}", "parent_id": "", "name": span_id, "source": "app", **fields}
    at = (START_NS + round(start * SECOND_NS), START_NS + round(end * SECOND_NS))
    return SpanRecord(span_id=span_id, start_ns=at[0], end_ns=at[1], attributes=attributes, **known)


def chat(
    span_id: str,
    start: float,
    end: float,
    asks: tuple[str, ...] | None = (),
    said: tuple[str, ...] | None = None,
    *,
    conversation: str = CONVERSATION,
    **fields: Any,
) -> SpanRecord:
    """Return a model request that asks for calls with these ids (None: not captured), after what the user said."""
    attributes: dict[str, Any] = {"gen_ai.operation.name": "chat"}
    if conversation:
        attributes["gen_ai.conversation.id"] = conversation
    if asks is not None:
        parts = [{"type": "tool_call", "id": call_id, "name": "get_rows", "arguments": {}} for call_id in asks]
        output = [{"role": "assistant", "parts": parts or [{"type": "text", "content": "done"}]}]
        attributes["gen_ai.output.messages"] = json.dumps(output)
    if said is not None:
        words = [{"role": "user", "parts": [{"type": "text", "content": text}]} for text in said]
        attributes["gen_ai.input.messages"] = json.dumps(words)
    return record(span_id, start, end, attributes, **fields)


def tool(span_id: str, start: float, end: float, *, conversation: str = CONVERSATION, **fields: Any) -> SpanRecord:
    """Return a call with its span's id as the model's id of it."""
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_rows",
        "gen_ai.tool.call.id": span_id,
        "gen_ai.tool.call.arguments": json.dumps({"table": span_id}),
        "gen_ai.tool.call.result": "rows",
    }
    if conversation:
        attributes["gen_ai.conversation.id"] = conversation
    return record(span_id, start, end, attributes, **fields)


def agent(span_id: str, start: float, end: float, **fields: Any) -> SpanRecord:
    """Return the span of an agent run."""
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": span_id}
    return record(span_id, start, end, attributes, **fields)
