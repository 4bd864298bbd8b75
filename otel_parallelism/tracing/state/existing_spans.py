"""What others' open spans already tell of a call, a model request or a turn that is about to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

_FARTHEST = 16
"""Spans looked through: chains and routers that only pass on what happens inside."""


def around() -> Node | None:
    """Return the innermost open node in the current context, somebody else's span or ours; None outside of all."""
    current = get_current()
    span: Any = current.get(SPAN_KEY)
    scope: Any = current.get(SCOPE_KEY)
    if scope is not None and scope.span is span:
        return scope if isinstance(scope, Node) else None
    return parent_node(scope, span)


def call_around(parent: Node | None, tool: str, call_id: str) -> SpanNode | CallNode | None:
    """
    Return the open span around, *parent* or beyond, that tells of this very call already; our node if we told it.

    Args:
        parent: The innermost node.
        tool: The tool's name.
        call_id: What the model calls the call, or an empty string.
    """
    if isinstance(parent, CallNode):
        same = parent.call_id == call_id if parent.call_id and call_id else same_tool(parent.tool.name, tool)
        # Its function may well call the tool again, but not before anything else has happened in it.
        return parent if parent.framework and same and not parent.children else None
    node, call = _nearest(parent)
    if node is None or not isinstance(call, Call):
        return None
    if not (call.call_id == call_id if call.call_id and call_id else same_tool(call.tool, tool)):
        return None
    if node.facts is None:
        return node
    # Told by another seam of the framework already, which is still around.
    return node.facts if isinstance(node.facts, CallNode) and not node.facts.end_ns else None


def step_around(parent: Node | None) -> SpanNode | StepNode | None:
    """Return the open span of the model request that *parent* is, or that is around it with nothing between."""
    if isinstance(parent, StepNode):
        return parent
    node, observation = _nearest(parent)
    return node if isinstance(observation, Step) else None


def claim_turn(scopes: Collection[str], words: Content | None) -> bool:
    """
    Say whether the turn that is about to begin has a span of somebody else's already, and tell that the user's words.

    Args:
        scopes: Parts of the names of the instrumentation scopes that make such spans for this framework.
        words: What the user said, if known.
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
    Put *span*, just started by somebody who tells again what ours tell, where ours are, if a turn of ours says so.

    Such an instrumentation may not attach its spans to the context, or give them parents of its own choice: then they
    are beside ours and not around them.
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
    REGISTRY.open_span(SpanNode(around, span, span.get_span_context().span_id, span.start_time or 0, duplicate=True))


def _nearest(node: Node | None) -> tuple[SpanNode, Observation] | tuple[None, None]:
    """Return the innermost of others' open spans that is more than a passage, and what it is."""
    for _ in range(_FARTHEST):
        if not isinstance(node, SpanNode) or node.end_ns or node.span is None:
            break
        observation = classify_open_node(node)
        if not isinstance(observation, Passage):
            return node, observation
        node = node.parent
    return None, None
