"""OpenLIT's LangGraph: it tells every node as the run of an agent, the model's node and the tools' among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing.facts import Facts, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_SCOPE = "openlit.instrumentation.langgraph"
_MODEL_NODES = frozenset({"agent", "model", "llm", "call_model"})


def read(span: SpanRecord) -> Facts | None:
    """Return what a node is: the model's is a model request, the tools' parts the rounds; None for all else."""
    if span.instrumentation != _SCOPE or text(span.attributes, "gen_ai.operation.name") != "invoke_agent":
        return None
    node = text(span.attributes, "gen_ai.agent.id")
    if not node or node != text(span.attributes, "gen_ai.agent.name"):
        return None
    if node in _MODEL_NODES:
        return Facts(kind="step")
    return Facts(kind="cycle") if node == "tools" else None
