"""Finds the open turn that the links of a span lead to, for a call or a request without a parent in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from otel_parallelism.analysis.turns.across.linked_spans import may_join
from otel_parallelism.dialects.parsing.link_kinds import link_types
from otel_parallelism.model import Call, Observation, Step, TurnSpan

from .classification import classify_open_node
from .nodes import CallNode, Node, SpanNode, StepNode, TurnNode
from .registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LINKS = 32
_MOST_NODES = 2_000
_NEVER_NS = 1 << 63


def linked_parent(node: SpanNode, item: Call | Step) -> Node | None:
    """
    Return the node that *node* belongs below by the links of its span; None if they lead to no turn, or to several.

    Args:
        node: A span without a parent node.
        item: What the span is.
    """
    links = list(getattr(node.span, "links", None) or ())[:_MOST_LINKS]
    if not links:
        return None
    types = link_types([link.attributes for link in links]) or ("",) * len(links)
    found: dict[int, Node] = {}
    for link, kind in zip(links, types, strict=True):
        target = _open_target(link.context.span_id)
        seen = None if target is None or target is node else _seen(target)
        if target is None or seen is None or not may_join(item, seen, kind):
            continue
        parent = _around(target, seen)
        turn = None if parent is None else _turn_of(parent, node)
        if parent is not None and turn is not None:
            found.setdefault(id(turn), parent)
    return next(iter(found.values())) if len(found) == 1 else None


def _open_target(span_id: int) -> Node | None:
    """Return the node of a span that is open, or that lies in an open turn; None if there is none."""
    known = REGISTRY.spans.get(span_id)
    if isinstance(known, Node):
        return known
    return next((node for node in _nodes_of_open_turns() if node.span_id == span_id), None)


def _nodes_of_open_turns() -> Iterator[Node]:
    """Yield the nodes of all open turns, the latest first, at most `_MOST_NODES`."""
    with REGISTRY.lock:
        waiting: list[Node] = list(REGISTRY.turns.values())
    left = _MOST_NODES
    while waiting and left:
        left -= 1
        node = waiting.pop()
        yield node
        waiting += node.children or ()


def _seen(node: Node) -> Observation | None:
    """Return what *node* is, with its times; None if it is no call, request or turn."""
    if isinstance(node, SpanNode):
        seen = classify_open_node(node)
        if not isinstance(seen, (Call, Step, TurnSpan)):
            return None
        return seen if node.end_ns else replace(seen, end_ns=_NEVER_NS)
    times = (node.start_ns, node.end_ns or _NEVER_NS)
    if isinstance(node, CallNode):
        return Call("", str(node.span_id), "", node.tool.name, *times)
    if isinstance(node, StepNode):
        return Step("", str(node.span_id), "", *times)
    return TurnSpan("", str(node.span_id), "", node.name, *times) if isinstance(node, TurnNode) else None


def _around(target: Node, seen: Observation) -> Node | None:
    """Return the node below which a span that links to *target* lies: an open turn or call itself, else around it."""
    inside = isinstance(seen, TurnSpan) or (isinstance(seen, Call) and not target.end_ns)
    return target if inside else target.parent


def _turn_of(node: Node, below: Node) -> Node | None:
    """Return the innermost open turn around *node*, itself included; None if there is none, or *below* is around it."""
    at: Any = node
    while at is not None and at is not below:
        if isinstance(_seen(at), TurnSpan):
            return None if at.end_ns or at.finished else at
        at = at.parent
    return None
