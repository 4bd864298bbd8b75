"""Writes results of tool calls as the messages that a provider expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.dialects.parsing.call_shapes import CallForm

    from .tool_calls import RequestedTool, ResponseCalls

# Types of content blocks that a provider accepts in a result; a list of such blocks is passed on unchanged.
_BLOCKS: Final[dict[CallForm, frozenset[str]]] = {
    "anthropic": frozenset({"text", "image", "document", "search_result", "tool_reference"}),
    "chat": frozenset({"text"}),
    "responses": frozenset({"input_text", "input_image", "input_file"}),
    "plain": frozenset(),
}


class ToolResult(msgspec.Struct, frozen=True):
    """The result of one call: a text or a provider's content blocks, and whether it is an error."""

    content: Any
    is_error: bool = False


def success_result(value: Any, form: CallForm) -> ToolResult:
    """
    Return the *value* that a tool returned as content: text unchanged, other values as JSON.

    Raises:
        TypeError: *value* cannot be written as JSON.
    """
    if isinstance(value, str):
        return ToolResult(value)
    if value is None:
        return ToolResult("")
    if isinstance(value, list) and value and all(_is_block(part, form) for part in value):
        return ToolResult(value)
    return ToolResult(msgspec.json.encode(value, enc_hook=_plain).decode())


def error_result(error: BaseException | str) -> ToolResult:
    """Return the result for *error*: its type and its message."""
    if isinstance(error, str):
        return ToolResult(f"Error: {error}", is_error=True)
    message = str(error)
    return ToolResult(f"{type(error).__name__}: {message}" if message else type(error).__name__, is_error=True)


def result_messages(asked: ResponseCalls, results: Sequence[ToolResult]) -> list[dict[str, Any]]:
    """Return the messages for *results*: one for all results (Anthropic) or one per result; none without calls."""
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
    """Return a JSON value for *value*: the fields of a pydantic model, or else its text."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else str(value)
