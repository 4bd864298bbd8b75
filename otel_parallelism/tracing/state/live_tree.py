"""
Finds and links the nodes of open spans.

Each open span that matters has a node. A node becomes a child of its parent once it, or a node below it, is a call,
a model request or a turn. A node is finished once; a finished node has no children.
"""

from __future__ import annotations

import random
from contextvars import Token
from typing import Any

from opentelemetry.context import Context

from otel_parallelism import clock
from otel_parallelism.tracing.sdk.compatibility.span_fields import parent_and_start, span_id_of
from otel_parallelism.tracing.sdk.current import attach, detach, get_current

from .bounds.past_bound import begins_scope, count_past_bound, counts_as_call
from .nodes import SCOPE_KEY, CallNode, Node, SpanNode, TurnNode, release_call
from .registry import REGISTRY

_LEAST_ROOM = 8
"""For how many calls a turn has room at first. Room is granted in blocks, so that most calls need no lock."""


def new_span_id() -> int:
    """Return a random span id, for a node whose span has no usable one."""
    return random.getrandbits(64) | 1


def parent_node(scope: Node | None, span: Any) -> Node | None:
    """
    Return the parent node of a call, request or turn that starts now.

    Args:
        scope: The innermost node of ours in the context.
        span: The current span of the context. It may belong to another instrumentation and lie further in than
            *scope*.
    """
    if span is not None:
        context = span.get_span_context()
        if context is not None:
            known = open_node(context.span_id, scope)
            if known is not None:
                return known
    return scope


def open_node(span_id: int, scope: Node | None) -> Node | None:
    """
    Return the node of the open span *span_id*, creating it if needed; None where no such span is open.

    Args:
        span_id: The span's id.
        scope: The innermost node of ours in the context. Decorated calls are found among its ancestors.
    """
    known = REGISTRY.spans.get(span_id)
    if known is None:
        while scope is not None and scope.span_id != span_id:
            scope = scope.parent
        return scope if scope is not None and not scope.end_ns else None
    if isinstance(known, Node):
        return known
    return add_span_node(known, scope)


def add_span_node(span: Any, scope: Node | None) -> SpanNode:
    """Return the node of *span*, a span of another instrumentation that is open or just ended."""
    parent_id, start_ns = parent_and_start(span)
    # A remote parent may belong to this process: an in-memory server, or an app that calls itself.
    node = span_node(span, span_id_of(span), start_ns, open_node(parent_id, scope) if parent_id else None)
    if span.end_time is None:
        with REGISTRY.lock:
            # Another thread may have added the node meanwhile.
            known = REGISTRY.spans.get(node.span_id)
            if isinstance(known, SpanNode):
                return known
            REGISTRY.spans[node.span_id] = node
    return node


def span_node(span: Any, span_id: int, start_ns: int, around: Node | None) -> SpanNode:
    """Return a new node of *span*, a span of another instrumentation inside *around*, by its own id and start time."""
    now_shift = clock.shift_ns()
    # A clock that steps within the turn must not move a part of it.
    shift = now_shift if around is None else around.shift
    return SpanNode(around, span, span_id, start_ns - now_shift, shift=shift)


def link_node(node: Node) -> bool:
    """
    Link *node* and its ancestors as children of their parents, and intercept the end of spans that may be turns.

    Returns:
        False where the turn around it has already ended, else True. A node past the bounds on spans or calls, or inside
        of a call past them, is counted in totals and not linked.
    """
    with REGISTRY.lock:
        return _link(node)


def _link(node: Node) -> bool:  # noqa: C901, PLR0912 - one walk outwards
    registry = REGISTRY
    root: Node = node
    turn: Node | None = None
    while (around := root.above or root.parent) is not None:
        root = around
        if root.finished and not root.beyond and turn is None:
            turn = _turn_below(root, node)
            if turn is None:
                return False
    if type(node) is CallNode and type(node.parent) is CallNode:
        # In deep recursion, each call would walk all levels.
        node.above = node.parent.above or node.parent
    if node.linked or node.parent is None:
        return True
    path = [node]
    around = node.parent
    while not (around.linked or around.beyond or around.parent is None or around is turn):
        path.append(around)
        around = around.parent
    # Once a call of a turn is past the bound, later ones are too, although room may have been given back.
    full = around.past_bound is not None and around.past_bound.calls > 0
    full = full or (len(around.children or ()) >= around.room and not _grant_room(around, root))
    if full or (around.beyond and not begins_scope(around)):
        for passed in path:
            passed.beyond = True
        count_past_bound(node)
        return True
    for passed in path:
        passed.linked = True
        parent = passed.parent
        if parent is None:
            break
        if parent.children is None:
            parent.children = []
        if parent is not around:
            _grant_room(parent, root)
        parent.children.append(passed)
        if registry.intercept_end is not None and type(parent) is SpanNode and not parent.end_ns:
            registry.intercept_end(parent)
    return True


def _turn_below(ended: Node, node: Node) -> Node | None:
    """Return the turn around *node* that goes on although *ended*, which is around it, has ended; None without one."""
    around = node.parent
    while around is not None and around is not ended:
        if begins_scope(around):
            return around
        around = around.parent
    return None


def _grant_room(node: Node, root: Node) -> bool:
    """Let *node* have more children, if the bounds on calls and on the spans below *root* allow; return whether."""
    least = _LEAST_ROOM if type(node) is TurnNode else 1
    more = min(max(least, node.room), REGISTRY.max_calls - node.room, REGISTRY.max_spans - root.held)
    if more <= 0:
        return False
    node.room += more
    root.held += more
    return True


def adopt_node(node: Node) -> bool:
    """Link *node*, which has no parent, to the only open turn; return False where there is not exactly one."""
    turn = REGISTRY.only_turn(node.start_ns)
    if turn is None:
        return False
    node.parent = turn
    return link_node(node)


def adopt_root_call(node: CallNode, span_around: Any) -> None:
    """
    Link the decorated call *node*, which has no parent node, to the only open turn, if there is one.

    Args:
        node: The call that starts; it gets a new span id where its span has no usable one of its own.
        span_around: The current span of the context, or None.
    """
    around = span_around.get_span_context() if span_around is not None else None
    if not node.span_id or (around is not None and around.span_id == node.span_id):
        node.span_id = new_span_id()
    if not adopt_node(node) and node.parent is not None:
        # That turn has ended meanwhile, in another thread.
        count_late_node(node)


def count_late_node(node: Node) -> None:
    """Count *node*, a call that began after its turn had ended, as uncovered, and finish it."""
    with REGISTRY.lock:
        REGISTRY.uncovered += counts_as_call(node)
    node.finished = True
    if isinstance(node, CallNode):
        release_call(node)


def leave_turn(node: TurnNode, token: Any) -> None:
    """Restore the context from before the turn *node*; *token* is that of the turn's context."""
    if not node.end_ns:
        node.thread = 0
    if get_current().get(SCOPE_KEY) is not node and type(token) is Token:
        # A turn that was opened inside this one may be left later, and then restores the context of this one.
        node.outer = Context() if token.old_value is Token.MISSING else token.old_value
    detach(token)
    ended: Any = get_current().get(SCOPE_KEY)
    while type(ended) is TurnNode and ended.outer is not None:
        attach(ended.outer)
        ended = get_current().get(SCOPE_KEY)
