"""What the span of a node is, as its dialect classifies it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.turns.tree import passage
from otel_parallelism.model import Observation, TurnSpan
from otel_parallelism.tracing.sdk.records import observe

if TYPE_CHECKING:
    from .nodes import SpanNode


def classify_node(node: SpanNode, end_ns: int) -> Observation:
    """Return what *node*'s span is; an echo is no turn, whatever it says."""
    observation = observe(node.span, end_ns)
    return passage(observation) if node.duplicate and isinstance(observation, TurnSpan) else observation
