"""
Codex: turns, sampling requests and tool dispatches among many spans of its implementation.

The results of its tools are log records, and so no part of its spans. A turn's usage is the sum of all requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing.facts import Dialect, Facts, text, whole_number

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_TURN, _REQUEST = "session_task.turn", "try_run_sampling_request"
_TOOL, _CALL_ID = "tool_name", "call_id"
_ABORTED = "aborted"


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's name; a tool's dispatch is named after the tool and has its call id."""
    attributes = span.attributes
    if span.name == _TURN:
        return Facts(kind="turn", agent="codex")
    if span.name == _REQUEST:
        return Facts(kind="step", input_tokens=whole_number(attributes, "gen_ai.usage.input_tokens", "input_tokens"))
    tool, call_id = text(attributes, _TOOL), text(attributes, _CALL_ID)
    if _ABORTED in attributes and tool and call_id:
        return Facts(kind="call", tool=tool, call_id=call_id, failed=attributes[_ABORTED] in (True, "true"))
    return None


DIALECT = Dialect(describe=_describe, rank=29, keys=frozenset({_ABORTED}), names=(_TURN, _REQUEST))
