"""Writes what tool calls came to, as the messages that a provider expects after its response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.dialects.parsing.call_shapes import CallForm

    from .tool_calls import RequestedTool, ResponseCalls

# Content that a provider takes as it is, beside text: a list of such blocks is passed on.
_BLOCKS: Final[dict[CallForm, frozenset[str]]] = {
    "anthropic": frozenset({"text", "image", "document", "search_result", "tool_reference"}),
    "chat": frozenset({"text"}),
    "responses": frozenset({"input_text", "input_image", "input_file"}),
    "plain": frozenset(),
}


class ToolResult(msgspec.Struct, frozen=True):
    """What one call came to: a text or a provider's content blocks, and whether that tells of an error."""

    content: Any
    is_error: bool = False


def tool_result(value: Any, form: CallForm) -> ToolResult:
    """
    Return *value*, which a tool returned, as content: text as it is, all else as JSON.

    Raises:
        TypeError: It holds something that JSON has no form for.
    """
    if isinstance(value, str):
        return ToolResult(value)
    if value is None:
        return ToolResult("")
    if isinstance(value, list) and value and all(_is_block(part, form) for part in value):
        return ToolResult(value)
    return ToolResult(msgspec.json.encode(value, enc_hook=_plain).decode())


def error_result(error: BaseException | str) -> ToolResult:
    """Return what the model is told of *error*: its type and its message."""
    if isinstance(error, str):
        return ToolResult(f"Error: {error}", is_error=True)
    message = str(error)
    return ToolResult(f"{type(error).__name__}: {message}" if message else type(error).__name__, is_error=True)


def result_messages(asked: ResponseCalls, results: Sequence[ToolResult]) -> list[dict[str, Any]]:
    """Return the messages to go on with: one with all results where the provider wants that, else one a result."""
    if not asked.calls:
        return []
    write = _WRITERS[asked.form]
    written = [write(call, result) for call, result in zip(asked.calls, results, strict=True)]
    return [{"role": "user", "content": written}] if asked.form == "anthropic" else written


def _anthropic(call: RequestedTool, result: ToolResult) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": call.call_id,
        "content": result.content,
        "is_error": result.is_error,
    }


def _chat(call: RequestedTool, result: ToolResult) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call.call_id, "content": result.content}


def _responses(call: RequestedTool, result: ToolResult) -> dict[str, Any]:
    kind = "custom_tool_call_output" if call.custom else "function_call_output"
    return {"type": kind, "call_id": call.call_id, "output": result.content}


def _plain_result(call: RequestedTool, result: ToolResult) -> dict[str, Any]:
    return {"id": call.call_id, "name": call.name, "content": result.content, "is_error": result.is_error}


_WRITERS: Final = {"anthropic": _anthropic, "chat": _chat, "responses": _responses, "plain": _plain_result}


def _is_block(part: Any, form: CallForm) -> bool:
    return isinstance(part, dict) and part.get("type") in _BLOCKS[form]


def _plain(value: Any) -> Any:
    """*value*, which has no form in JSON, as something that has: a pydantic model's fields, else what it prints as."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else str(value)
