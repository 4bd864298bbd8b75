"""Unlinks what is below a turn that has ended, and releases the contents that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.turns.normalization import holds
from otel_parallelism.pace import paced
from otel_parallelism.tracing.sdk.records import is_marked
from otel_parallelism.tracing.state.bounds.held_evidence import HELD
from otel_parallelism.tracing.state.nodes import CallNode, Node, SpanNode, TurnNode, release_call
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.user_words import held_words, release_words, release_words_of

if TYPE_CHECKING:
    from .observations import TurnContents
    from .turn_reports import TurnOutcome


def unlink(node: Node, found: TurnContents) -> None:
    """Unlink the nodes in *found*, which are below *node*, and count its calls. Needs the registry's lock."""
    REGISTRY.spans_ended += found.made + (type(node) is TurnNode)
    room = 0
    for visited in found.visited:
        visited.children = None
        room += visited.room
        visited.room = 0
    # A root that lives as long as the process needs room for later turns.
    root_of(node).held -= room
    if isinstance(node, (SpanNode, TurnNode)):
        node.emptied = any(holds(observation, REGISTRY.settings) for observation in found.observations[1:])


def release_contents(node: Node, found: TurnContents, outcome: TurnOutcome | None) -> None:
    """Release what the calls and spans in *found*, which are below *node*, hold."""
    wrapped = None if outcome is None else found.ended.get(outcome.report.turn.span_id)
    if wrapped is not None and isinstance(node, (SpanNode, TurnNode)):
        node.kept = [wrapped]
    # The last first, so that memory is given back to the system piece by piece, and not all at once.
    for call in paced(reversed(found.calls)):
        release_call(call)
    for span in found.spans:
        HELD.remove(span)
    _release_words(node, found, wrapped)
    if REGISTRY.on_change is not None:
        REGISTRY.on_change()


def discard(node: Node) -> None:
    """End *node*, a turn or a local root whose end was interrupted, without a report; unlink and release all below."""
    with REGISTRY.lock:
        _unlink_all(node)
    if REGISTRY.on_change is not None:
        REGISTRY.on_change()


def _unlink_all(node: Node) -> None:
    node.finished = True
    REGISTRY.turns.pop(id(node), None)
    below: list[Node] = [node]
    room = 0
    while below:
        visited = below.pop()
        below += visited.children or ()
        visited.children = None
        room += visited.room
        visited.room = 0
        if isinstance(visited, CallNode):
            release_call(visited)
        else:
            release_words_of(visited)
            if isinstance(visited, SpanNode):
                HELD.remove(visited)
    root_of(node).held -= room


def root_of(node: Node) -> Node:
    """Return the outermost node around *node*, or itself."""
    while node.parent is not None:
        node = node.parent
    return node


def _release_words(node: Node, found: TurnContents, wrapped: Node | None) -> None:
    """
    Release the user's words below *node*, and those of *node* unless an enclosing open turn still needs them.

    If *node* only wraps the turn *wrapped*, the enclosing turn needs those of both.
    """
    # No enclosing turn knows of a turn past a bound.
    around = None if node.beyond else node.parent
    while around is not None and (around.finished or (type(around) is SpanNode and not is_marked(around.span))):
        around = around.parent
    kept = held_words(wrapped) if around is not None and wrapped is not None else None
    own = held_words(node) if around is None else None
    for words in found.words if own is None else (own, *found.words):
        if words is not kept:
            release_words(words)
