"""Langfuse's observations: their type says what they are, their name is the span's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing import envelopes, messages
from .parsing.content import captured, decoded
from .parsing.facts import Facts, text, whole_number

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

    from .parsing.facts import Kind

TYPE = "langfuse.observation.type"
KEYS = frozenset({TYPE})
_INPUT = "langfuse.observation.input"
_OUTPUT = "langfuse.observation.output"
_LEVEL = "langfuse.observation.level"
_USAGE = "langfuse.observation.usage_details"
_METADATA = "langfuse.observation.metadata."
_KINDS: dict[str, Kind] = {"agent": "turn", "tool": "call", "generation": "step"}
_MODEL_NODES = frozenset({"agent", "model", "llm", "call_model"})


def read(span: SpanRecord) -> Facts | None:
    """Return the turn, call or step that an observation's type says it is; spans and chains only pass ancestry on."""
    attributes = span.attributes
    observation = text(attributes, TYPE).lower()
    if not observation:
        return None
    given, output = attributes.get(_INPUT), attributes.get(_OUTPUT)
    kind = _KINDS.get(observation)
    if kind is None and _metadata(span, "lc_agent_name") == span.name:
        kind = "turn"  # LangChain's agents are chains that bear their own name
    match kind:
        case "call":
            return Facts(
                kind="call",
                tool=span.name,
                call_id=_metadata(span, "tool_call_id") or envelopes.tool_call_id(output),
                arguments=captured(given, envelopes.arguments),
                result=captured(output, envelopes.result),
                failed=text(attributes, _LEVEL).upper() == "ERROR" or envelopes.tool_failed(output),
            )
        case "step":
            return Facts(
                kind="step",
                requested=None if output is None else messages.requested_ids(output),
                input_tokens=_tokens(attributes.get(_USAGE)),
                words=captured(given, messages.user_words),
            )
        case "turn" if span.name not in _MODEL_NODES or _metadata(span, "langgraph_node") != span.name:
            return Facts(kind="turn", agent=span.name, words=captured(given, messages.run_input))
    # Where LangGraph makes a node for one call, that call's round may have others.
    tools = "tool" in span.name.lower() and _metadata(span, "langgraph_node") == span.name
    return Facts(kind="cycle" if tools and "__pregel_push" not in _metadata(span, "langgraph_path") else None)


def _metadata(span: SpanRecord, key: str) -> str:
    """Return a text of the metadata, which is written as JSON."""
    return text(span.attributes, _METADATA + key).strip('"')


def _tokens(usage: object) -> int | None:
    data = decoded(usage)
    if not isinstance(data, dict):
        return None
    return whole_number(data, "input", "prompt_tokens", "input_tokens")
