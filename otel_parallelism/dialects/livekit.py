"""
LiveKit Agents: turns of a voice agent, its model requests and function tools.

Attributes with content have ``pii`` in their names, in older versions they have not. Tools start while the
response still streams; only the model's calls have spans.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_parallelism import names
from otel_parallelism.model import AskedCall

from .parsing import messages
from .parsing.content import captured, decoded
from .parsing.facts import Dialect, Facts, text, whole_number
from .parsing.span_facts import call_facts, turn_facts

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_PREFIX = "lk."
_SCOPE = "livekit"
_SESSION = "agent_session"
_TURN, _MODEL, _TOOL = "agent_turn", "llm_node", "function_tool"
_REQUEST = "llm_request"
"""The request to the provider inside ``llm_node``; newer versions record the tokens only there."""


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's name, if the span is LiveKit's; its other spans are passages."""
    attributes = span.attributes
    if span.name not in {_SESSION, _TURN, _MODEL, _TOOL, _REQUEST} or not (
        span.instrumentation.startswith(_SCOPE) or any(key.startswith(_PREFIX) for key in attributes)
    ):
        return None
    if span.name == _SESSION:  # a workflow in the conventions' words, with many turns
        return Facts(kind="passage")
    if span.name == _TURN:
        return turn_facts(text(attributes, "gen_ai.agent.name", "lk.agent_label"), _private(attributes, "user_input"))
    if span.name == _TOOL:
        return call_facts(
            text(attributes, "lk.function_tool.name", names.TOOL_NAME),
            _private(attributes, "function_tool.arguments"),
            _private(attributes, "function_tool.output"),
            call_id=text(attributes, "lk.function_tool.id", names.TOOL_CALL_ID),
            failed=attributes.get("lk.function_tool.is_error") in (True, "true"),
        )
    calls = _private(attributes, "response.function_calls")
    return Facts(
        kind="step",
        requested=_requested(calls),
        streams=True,
        answer=captured(calls, _asked_calls),
        input_tokens=_tokens(attributes),
        cached_tokens=whole_number(attributes, "gen_ai.usage.cache_read.input_tokens"),
        words=captured(_private(attributes, "chat_ctx"), _words),
    )


def _private(attributes: Mapping[str, object], name: str) -> object:
    return attributes.get(f"lk.pii.{name}", attributes.get(f"lk.{name}"))


def _requested(calls: object) -> tuple[str, ...] | None:
    """Return the call ids in a list of function calls, whose items have ids of their own too."""
    items = decoded(calls)
    if not isinstance(items, list | tuple):
        return None
    found = [item.get("call_id") if isinstance(item, Mapping) else None for item in map(decoded, items)]
    ids = [call_id for call_id in found if isinstance(call_id, str) and call_id]
    return tuple(ids) if len(ids) == len(found) else None


def _asked_calls(calls: object) -> tuple[AskedCall, ...]:
    items = decoded(calls)
    found = [item for item in map(decoded, items) if isinstance(item, Mapping)] if isinstance(items, list) else []
    return tuple(AskedCall(text(item, "name"), decoded(item.get("arguments")), text(item, "call_id")) for item in found)


def _tokens(attributes: Mapping[str, object]) -> int | None:
    tokens = whole_number(attributes, names.INPUT_TOKENS)
    measured = decoded(attributes.get("lk.llm_metrics")) if tokens is None else None
    return whole_number(measured, "prompt_tokens") if isinstance(measured, Mapping) else tokens


def _words(value: object) -> list[object]:
    """Return the user's texts in a chat context, a mapping with ``items``."""
    data = decoded(value)
    return messages.user_words(data.get("items", data) if isinstance(data, Mapping) else data)


# A busy scope's spans are checked only at their end, by their keys.
_KEYS = frozenset({"lk.function_tool.id", "lk.pii.chat_ctx", "lk.chat_ctx", "lk.generation_id"})

DIALECT = Dialect(describe=_describe, rank=24, keys=_KEYS, names=(_SESSION, _TURN, _MODEL, _TOOL, _REQUEST))
