"""Finds an open span of another instrumentation for the call, model request or turn that is about to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism import clock
from otel_parallelism.analysis.turns.counterparts import same_tool
from otel_parallelism.model import Call, Content, Passage, Step, TurnSpan
from otel_parallelism.tracing.sdk.current import SPAN_KEY, get_current

from .classification import classify_open_node
from .live_tree import open_node, parent_node
from .nodes import SCOPE_KEY, CallNode, Node, SpanNode, StepNode, TurnNode
from .registry import REGISTRY
from .user_words import hold_words

if TYPE_CHECKING:
    from collections.abc import Collection

    from otel_parallelism.model import Observation

_MAX_SPANS = 16
"""How many spans are searched outwards; spans of chains and routers lie in between."""


def around() -> Node | None:
    """Return the innermost open node in the current context, or None."""
    current = get_current()
    span: Any = current.get(SPAN_KEY)
    scope: Any = current.get(SCOPE_KEY)
    if scope is not None and scope.span is span:
        return scope if isinstance(scope, Node) else None
    return parent_node(scope, span)


def call_around(parent: Node | None, tool: str, call_id: str) -> SpanNode | CallNode | None:
    """
    Return the node of an open span around *parent* that stands for this very call, or None.

    Args:
        parent: The innermost node.
        tool: The tool's name.
        call_id: The model's id of the call, or an empty string.

    Returns:
        A `SpanNode` where another instrumentation made the span; a `CallNode` where a patch of ours reported the call.
    """
    if isinstance(parent, CallNode):
        same = parent.call_id == call_id if parent.call_id and call_id else same_tool(parent.tool.name, tool)
        # A call with children is another one: its function may call the same tool again.
        return parent if parent.framework and same and not parent.children else None
    node, call = _nearest(parent)
    if node is None or not isinstance(call, Call):
        return None
    if not (call.call_id == call_id if call.call_id and call_id else same_tool(call.tool, tool)):
        return None
    if node.facts is None:
        return node
    # Another patch of the framework has reported the call, and it is still open.
    return node.facts if isinstance(node.facts, CallNode) and not node.facts.end_ns else None


def step_around(parent: Node | None) -> SpanNode | StepNode | None:
    """Return the node of the open model request that *parent* is or lies directly in, or None."""
    if isinstance(parent, StepNode):
        return parent
    node, observation = _nearest(parent)
    return node if isinstance(observation, Step) else None


def claim_turn(scopes: Collection[str], words: Content | None) -> bool:
    """
    Add the user's words to the open span of another instrumentation for the turn that is about to start.

    Args:
        scopes: Parts of the names of the instrumentation scopes that make turn spans for this framework.
        words: The user's words, or None if unknown.

    Returns:
        Whether there is such a span. If so, the turn needs none of ours.
    """
    node, turn = _nearest(around())
    if node is None or not isinstance(turn, TurnSpan) or node.facts is not None:
        return False
    if not any(part in turn.instrumentation for part in scopes):
        return False
    node.facts = Content("", whole=False) if words is None else hold_words(words)
    return True


def place_duplicate(span: Any) -> None:
    """
    Place *span*, which just started, in the turn of ours that it duplicates, if its scope is a duplicate scope there.

    Some instrumentations do not attach their spans to the context, or choose other parents. By their parents alone,
    such spans would lie outside our turn.
    """
    scope: Any = get_current().get(SCOPE_KEY)
    turn = scope
    while turn is not None and type(turn) is not TurnNode:
        turn = turn.parent
    if turn is None or span.instrumentation_scope.name not in turn.duplicate_scopes or turn.finished or scope.end_ns:
        return
    own = None if span.parent is None else open_node(span.parent.span_id, scope)
    at = own
    while at is not None and at is not scope:
        at = at.parent
    around = scope if at is None else own
    start_ns = (span.start_time or 0) - clock.shift_ns()
    REGISTRY.open_span(
        SpanNode(around, span, span.get_span_context().span_id, start_ns, duplicate=True, shift=turn.shift)
    )


def _nearest(node: Node | None) -> tuple[SpanNode, Observation] | tuple[None, None]:
    """Return the innermost open span of another instrumentation that is not a passage, and its classification."""
    for _ in range(_MAX_SPANS):
        if not isinstance(node, SpanNode) or node.end_ns or node.span is None:
            break
        observation = classify_open_node(node)
        if not isinstance(observation, Passage):
            return node, observation
        node = node.parent
    return None, None
