"""Langfuse's observations: their type says what they are, their name is the span's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import envelopes, messages
from .content import captured, decoded
from .facts import Facts, text, whole_number

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

    from .facts import Kind

TYPE = "langfuse.observation.type"
KEYS = frozenset({TYPE})
_INPUT = "langfuse.observation.input"
_OUTPUT = "langfuse.observation.output"
_USAGE = "langfuse.observation.usage_details"
_NODE = "langfuse.observation.metadata.langgraph_node"
_KINDS: dict[str, Kind] = {"agent": "turn", "tool": "call", "generation": "step"}
_MODEL_NODES = frozenset({"agent", "model", "llm", "call_model"})


def read(span: SpanRecord) -> Facts | None:
    """Return the turn, call or step that an observation's type says it is; spans and chains only pass ancestry on."""
    attributes = span.attributes
    observation = text(attributes, TYPE).lower()
    if not observation:
        return None
    given, output = attributes.get(_INPUT), attributes.get(_OUTPUT)
    match _KINDS.get(observation):
        case "call":
            return Facts(
                kind="call",
                tool=span.name,
                call_id=envelopes.tool_call_id(output),
                arguments=captured(given, envelopes.arguments),
                result=captured(output, envelopes.result),
                failed=text(attributes, "langfuse.observation.level").upper() == "ERROR",
            )
        case "step":
            return Facts(
                kind="step",
                requested=None if output is None else messages.requested_ids(output),
                input_tokens=_tokens(attributes.get(_USAGE)),
                words=captured(given, messages.user_words),
            )
        case "turn" if span.name not in _MODEL_NODES or text(attributes, _NODE) != span.name:
            return Facts(kind="turn", agent=span.name, words=captured(given, messages.run_input))
    return Facts(kind="cycle" if span.name == "tools" else None)


def _tokens(usage: object) -> int | None:
    data = decoded(usage)
    if not isinstance(data, dict):
        return None
    return whole_number(data, "input", "prompt_tokens", "input_tokens")
