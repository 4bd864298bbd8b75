"""Recorded responses in the protocols of OpenAI: chat completions and responses, whole and as events of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .wire import arguments_text, call_id, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .recorded_responses import RecordedResponse


def chat_completion(response: RecordedResponse, number: int, model: str) -> dict[str, Any]:
    """Return the *response* with this *number*, from 1, as a chat completion of *model*."""
    calls = [
        {
            "id": call_id(call, number, position),
            "type": "function",
            "function": {"name": call.tool, "arguments": arguments_text(call)},
        }
        for position, call in enumerate(response.calls)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": "\n".join(response.texts) or (None if calls else "")}
    if calls:
        message["tool_calls"] = calls
    tokens = response.input_tokens
    return {
        "id": f"chatcmpl-replayed-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
        "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens},
    }


def chat_completion_events(completion: dict[str, Any]) -> Iterator[str]:
    """Yield a chat *completion* as the events of a stream: the text, each tool call, the reason of the end."""
    choice = completion["choices"][0]
    message = dict(choice["message"])
    calls = message.pop("tool_calls", [])
    head = {**completion, "object": "chat.completion.chunk", "usage": None}
    for delta in (message, *({"tool_calls": [{"index": at, **call}]} for at, call in enumerate(calls))):
        yield event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    yield event({**head, "choices": [], "usage": completion["usage"]})
    yield "data: [DONE]\n\n"


def response_object(response: RecordedResponse, number: int, model: str) -> dict[str, Any]:
    """Return the *response* with this *number*, from 1, as an object of the responses API of *model*."""
    output: list[dict[str, Any]] = []
    if response.texts or not response.calls:
        texts = response.texts or ("",)
        content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []} for text in texts]
        output.append(
            {
                "type": "message",
                "id": f"msg_replayed_{number}",
                "role": "assistant",
                "status": "completed",
                "content": content,
            }
        )
    for position, call in enumerate(response.calls):
        output.append(
            {
                "type": "function_call",
                "id": f"fc_replayed_{number}_{position}",
                "call_id": call_id(call, number, position),
                "name": call.tool,
                "arguments": arguments_text(call),
                "status": "completed",
            }
        )
    tokens = response.input_tokens
    return {
        "id": f"resp_replayed_{number}",
        "object": "response",
        "created_at": 0,
        "model": model,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens,
        },
    }


def response_events(response: dict[str, Any]) -> Iterator[str]:
    """Yield a *response* of the responses API as the events of a stream."""
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response, "status": "in_progress", "output": [], "usage": None}}
    ]
    for index, item in enumerate(response["output"]):
        events += _item_events(item, {"output_index": index, "item_id": item["id"]})
    events.append({"type": "response.completed", "response": response})
    for number, one in enumerate(events):
        yield event({**one, "sequence_number": number}, one["type"])


def _item_events(item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events of one *item* of a response at its *place*."""
    called = item["type"] == "function_call"
    empty: dict[str, Any] = {"arguments": ""} if called else {"content": []}
    begun = {**item, "status": "in_progress", **empty}
    yield {"type": "response.output_item.added", "item": begun, **place}
    if called:
        text = item["arguments"]
        yield {"type": "response.function_call_arguments.delta", "delta": text, **place}
        yield {"type": "response.function_call_arguments.done", "arguments": text, "name": item["name"], **place}
    for number, part in enumerate(() if called else item["content"]):
        at = {"content_index": number, **place}
        yield {"type": "response.content_part.added", "part": {**part, "text": ""}, **at}
        yield {"type": "response.output_text.delta", "delta": part["text"], "logprobs": [], **at}
        yield {"type": "response.output_text.done", "text": part["text"], "logprobs": [], **at}
        yield {"type": "response.content_part.done", "part": part, **at}
    yield {"type": "response.output_item.done", "item": item, **place}
