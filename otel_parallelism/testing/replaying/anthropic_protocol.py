"""Recorded responses in the protocol of Anthropic: messages, whole and as events of a stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .wire import arguments_object, call_id, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .recorded_responses import RecordedResponse


def message(response: RecordedResponse, number: int, model: str) -> dict[str, Any]:
    """Return the *response* with this *number*, from 1, as a message of *model*."""
    content: list[dict[str, Any]] = [{"type": "text", "text": text} for text in response.texts]
    content += [
        {
            "type": "tool_use",
            "id": call_id(call, number, position),
            "name": call.tool,
            "input": arguments_object(call),
        }
        for position, call in enumerate(response.calls)
    ]
    return {
        "id": f"msg_replayed_{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if response.calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": response.input_tokens, "output_tokens": 0},
    }


def message_events(whole: dict[str, Any]) -> Iterator[str]:
    """Yield a *whole* message as the events of a stream."""
    yield event({"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}, "message_start")
    for index, block in enumerate(whole["content"]):
        called = block["type"] == "tool_use"
        begun = {**block, "input": {}} if called else {**block, "text": ""}
        delta = (
            {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            if called
            else {"type": "text_delta", "text": block["text"]}
        )
        yield event({"type": "content_block_start", "index": index, "content_block": begun}, "content_block_start")
        yield event({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta")
        yield event({"type": "content_block_stop", "index": index}, "content_block_stop")
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield event({"type": "message_delta", "delta": ending, "usage": whole["usage"]}, "message_delta")
    yield event({"type": "message_stop"}, "message_stop")
