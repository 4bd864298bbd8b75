"""Counts the calls past the bounds on nodes: their totals are kept, their arguments and results are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.turns.bounded_calls import RunningTotals
from otel_parallelism.analysis.turns.tree import is_bookkeeping
from otel_parallelism.model import Call, TurnSpan
from otel_parallelism.names import TOOL_NAME
from otel_parallelism.tracing.sdk.compatibility.span_fields import raw_attributes
from otel_parallelism.tracing.sdk.records import is_tool_span
from otel_parallelism.tracing.state.classification import classify_open_node
from otel_parallelism.tracing.state.nodes import CallNode, Node, SpanNode, StepNode, TurnNode, release_call
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.user_words import release_words_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_call(node: Node) -> bool:
    """Whether *node* counts as one call of the turn around it: a call, or a nested turn."""
    if isinstance(node, (CallNode, TurnNode)):
        return True
    if not isinstance(node, SpanNode):
        return False
    # To classify a span takes ten times as long.
    return (node.span is not None and is_tool_span(node.span)) or type(classify_open_node(node)) in (Call, TurnSpan)


def begins_scope(node: Node) -> bool:
    """Return whether calls inside of *node* are held even if *node* itself is past a bound: it is a turn."""
    if type(node) is not SpanNode:
        return type(node) is TurnNode
    return node.is_turn or type(classify_open_node(node)) is TurnSpan


def count_past_bound(node: Node) -> None:
    """
    Count *node*, which is not linked because of a bound, in the totals of its turn, and let go of its evidence.

    The caller holds the registry's lock.
    """
    node.beyond = True
    is_counted = counts_as_call(node)
    if isinstance(node, CallNode):
        release_call(node)
    else:
        release_words_of(node)
    scope, own = _turn_around(node)
    if scope is None:
        return
    if not is_counted or (type(node) is TurnNode and not own):
        return
    totals = scope.past_bound
    if totals is None:
        totals = scope.past_bound = RunningTotals()
    if own:
        if not totals.calls:
            _begin(totals, scope, node.start_ns)
        totals.start(node.start_ns, kept=False)
        _watch(node, totals)
    else:
        totals.inner_since_ns = totals.inner_since_ns or node.start_ns
        totals.inner += 1


def count_end(node: Node) -> None:
    """Count the end of *node* in the totals that count its start, if any do; any thread may call this."""
    with REGISTRY.lock:
        totals, node.counted_in = node.counted_in, None
        if totals is not None:
            totals.end(node.start_ns, node.end_ns, kept=not node.beyond)


def counts_as_call(node: Node) -> bool:
    """Return whether *node* is a call of the turn around it, and not one of the tools that are no calls."""
    if isinstance(node, StepNode) or (isinstance(node, SpanNode) and node.duplicate) or not is_call(node):
        return False
    return not is_bookkeeping(_tool_of(node), REGISTRY.settings.bookkeeping)


def _tool_of(node: Node) -> str:
    """Return the name of the tool that *node* is a call of; an empty string for a turn."""
    if isinstance(node, CallNode):
        return node.tool.name
    if not isinstance(node, SpanNode):
        return ""
    named = None if node.span is None else raw_attributes(node.span).get(TOOL_NAME)
    if type(named) is str:
        return named
    observation = classify_open_node(node)
    return observation.tool if isinstance(observation, Call) else ""


def _turn_around(node: Node) -> tuple[Node | None, bool]:
    """Return the turn or local root around *node*, and whether no call lies between."""
    own = True
    at = node.parent
    while at is not None:
        around = (at.above if type(at) is CallNode else None) or at.parent
        if around is None or begins_scope(at):
            return at, own
        own = own and not is_call(at)
        at = around
    return None, own


def _begin(totals: RunningTotals, scope: Node, since_ns: int) -> None:
    """Begin to count calls in *totals*: the calls of *scope* that are kept and open count until they end."""
    totals.since_ns = totals.reached_ns = since_ns
    for node in _own_calls(scope):
        if not node.end_ns and node.counted_in is None and counts_as_call(node):
            totals.start(since_ns, kept=True)
            _watch(node, totals)


def _watch(node: Node, totals: RunningTotals) -> None:
    """Let the end of *node* be counted in *totals*."""
    node.counted_in = totals
    if isinstance(node, CallNode):
        node.watched = True
    if node.end_ns:
        # It ended meanwhile, in another thread, or before its span was known to be a call.
        count_end(node)


def _own_calls(scope: Node) -> Iterator[Node]:
    """Yield the calls of *scope* that it keeps, without those inside of other calls."""
    around = [scope]
    while around:
        for child in tuple(around.pop().children or ()):
            if is_call(child):
                yield child
            else:
                around.append(child)
