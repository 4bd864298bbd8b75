"""What the protocols of model providers share: ids and arguments of tool calls, and events of streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_parallelism.model import AskedCall


def call_id(call: AskedCall, number: int, position: int) -> str:
    """Return the recorded id of *call*, or one for the call at this *position* of the response with this *number*."""
    return call.call_id or f"call_replayed_{number}_{position}"


def arguments_text(call: AskedCall) -> str:
    """Return the arguments of *call* as JSON, or as the text that was recorded instead."""
    if call.arguments is None:
        return "{}"
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False)


def arguments_object(call: AskedCall) -> dict[str, Any]:
    """Return the arguments of *call* by name; empty if they were recorded as anything else."""
    return dict(call.arguments) if isinstance(call.arguments, dict) else {}


def event(data: dict[str, Any], kind: str = "") -> str:
    """Return *data* as one server-sent event of this *kind*."""
    return (f"event: {kind}\n" if kind else "") + f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
