"""OpenLIT's LangGraph spans: every graph node is recorded as an agent run, also model nodes and tool nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing.facts import Dialect, Facts, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_SCOPE = "openlit.instrumentation.langgraph"
_NODE = "gen_ai.agent.id"
_MODEL_NODES = frozenset({"agent", "model", "llm", "call_model"})


def _describe(span: SpanRecord) -> Facts | None:
    """Return a step for a model node and a cycle for a tools node; None for other spans."""
    if span.instrumentation != _SCOPE or text(span.attributes, "gen_ai.operation.name") != "invoke_agent":
        return None
    node = text(span.attributes, _NODE)
    if not node or node != text(span.attributes, "gen_ai.agent.name"):
        return None
    if node in _MODEL_NODES:
        return Facts(kind="step")
    return Facts(kind="cycle") if node == "tools" else None


DIALECT = Dialect(describe=_describe, rank=10, beside_others=True, beside_keys=frozenset({_NODE}))
