"""LangSmith's OpenTelemetry export: LangChain runs as spans with a kind, made after the run with explicit times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing import envelopes, messages
from .parsing.content import captured
from .parsing.facts import Dialect, Facts, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_KIND = "langsmith.span.kind"
_INPUT = "gen_ai.prompt"
_OUTPUT = "gen_ai.completion"
_NODE = "langsmith.metadata.langgraph_node"
_AGENT = "langsmith.metadata.lc_agent_name"
_PARTS = frozenset({"prompt", "parser", "retriever", "embedding"})
_PATH = "langsmith.metadata.langgraph_path"


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts in a run's kind, input and output."""
    attributes = span.attributes
    kind = text(attributes, _KIND)
    if not kind:
        return None
    given, output = attributes.get(_INPUT), attributes.get(_OUTPUT)
    if kind == "tool":
        return Facts(
            kind="call",
            tool=text(attributes, "gen_ai.tool.name") or span.name,
            call_id=envelopes.tool_call_id(output),
            arguments=captured(given, envelopes.arguments),
            result=captured(output, envelopes.result),
            failed=envelopes.tool_failed(output),
        )
    if kind == "llm":
        requested = None if output is None else messages.requested_ids(output)
        answer = captured(output, messages.asked_calls)
        return Facts(kind="step", requested=requested, answer=answer, words=captured(given, messages.user_words))
    if kind in _PARTS:
        return Facts(kind="passage")  # some are exported as model requests, and are none
    if text(attributes, _AGENT) == span.name:  # LangChain records agents as chains with the agent's name
        return Facts(kind="turn", agent=span.name, words=captured(given, messages.run_input))
    node = text(attributes, _NODE) == span.name and "tool" in span.name.lower()
    return Facts(kind="cycle" if node and "__pregel_push" not in text(attributes, _PATH) else None)


DIALECT = Dialect(describe=_describe, rank=20, keys=frozenset({_KIND}))
