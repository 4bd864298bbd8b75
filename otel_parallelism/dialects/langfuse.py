"""Langfuse: spans with an observation type; the span's name is the observation's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing import envelopes, messages
from .parsing.content import captured, decoded
from .parsing.facts import Dialect, Facts, text
from .parsing.usage import NO_USAGE, InputUsage, input_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import SpanRecord

    from .parsing.facts import Kind

_TYPE = "langfuse.observation.type"
_INPUT = "langfuse.observation.input"
_OUTPUT = "langfuse.observation.output"
_LEVEL = "langfuse.observation.level"
_STATUS = "langfuse.observation.status_message"
_FINE = frozenset({"", "ok", "success", "successful", "done", "completed", "finished"})
_USAGE = "langfuse.observation.usage_details"
_TOKENS = ("input", "prompt_tokens", "input_tokens")
_CACHE_READ = ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens")
_CACHE_WRITTEN = ("input_cache_creation", "cache_creation_input_tokens")
_METADATA = "langfuse.observation.metadata."
OBSERVATION_KINDS: dict[str, Kind] = {"agent": "turn", "tool": "call", "retriever": "call", "generation": "step"}
_MODEL_NODES = frozenset({"agent", "model", "llm", "call_model"})


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts of a turn, call or step by the observation's type; other types have no kind."""
    attributes = span.attributes
    observation = text(attributes, _TYPE).lower()
    if not observation:
        return None
    given, output = attributes.get(_INPUT), attributes.get(_OUTPUT)
    kind = OBSERVATION_KINDS.get(observation)
    if kind is None and _metadata(span, "lc_agent_name") == span.name:
        kind = "turn"  # LangChain records agents as chains with the agent's name
    match kind:
        case "call":
            return Facts(
                kind="call",
                tool=span.name,
                call_id=_metadata(span, "tool_call_id") or envelopes.tool_call_id(output),
                # A retriever's input is the query; which index it searched is not recorded.
                arguments=captured(given, envelopes.arguments, whole=observation == "tool"),
                result=captured(output, envelopes.result, whole=_is_fine(attributes)),
                failed=text(attributes, _LEVEL).upper() == "ERROR" or envelopes.tool_failed(output),
                effect="read" if observation == "retriever" else "unknown",
                effect_source="framework" if observation == "retriever" else "",
            )
        case "step":
            usage = _input_usage(attributes.get(_USAGE))
            return Facts(
                kind="step",
                requested=None if output is None else messages.requested_ids(output),
                answer=captured(output, messages.asked_calls),
                input_tokens=usage.tokens,
                cached_tokens=usage.cached,
                words=captured(given, messages.user_words),
            )
        case "turn" if span.name not in _MODEL_NODES or _metadata(span, "langgraph_node") != span.name:
            return Facts(kind="turn", agent=span.name, words=captured(given, messages.run_input))
    # A node that LangGraph makes for one call does not hold the whole round.
    tools = "tool" in span.name.lower() and _metadata(span, "langgraph_node") == span.name
    return Facts(kind="cycle" if tools and "__pregel_push" not in _metadata(span, "langgraph_path") else None)


def _is_fine(attributes: Mapping[str, object]) -> bool:
    """Return whether neither a warning nor a message beside a result says that it may be a part."""
    fine = text(attributes, _STATUS).strip(" .").lower() in _FINE
    return fine and text(attributes, _LEVEL).upper() != "WARNING"


def _metadata(span: SpanRecord, key: str) -> str:
    """Return the text of a metadata entry, which is stored as JSON."""
    return text(span.attributes, _METADATA + key).strip('"')


def _input_usage(details: object) -> InputUsage:
    """Return the usage in Langfuse's details, whose ``input`` leaves cached tokens out; other names include them."""
    data = decoded(details)
    if not isinstance(data, dict):
        return NO_USAGE
    return input_usage(data, _TOKENS, _CACHE_READ, _CACHE_WRITTEN, beside="input" in data)


DIALECT = Dialect(describe=_describe, rank=60, keys=frozenset({_TYPE}))
