"""Which turn and which call each span runs inside, where its parent ids do not tell or do not tell the truth."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from otel_parallelism.model import Call, Observation, Step, TurnSpan

from .tree import passage

if TYPE_CHECKING:
    from .tree import Tree

_TOLERANCE_NS = 1_000_000
_LEAST_CALLS_OF_A_ROOT = 2


def _holds(turn: Observation, span: Observation) -> bool:
    return turn.start_ns <= span.start_ns and span.end_ns <= turn.end_ns


def place_orphans(tree: Tree) -> set[str]:
    """
    Put calls and steps of which no parent is known into the innermost turn whose interval holds them.

    What hangs below a root that is known, and is no turn, is where it belongs.

    Returns:
        The span ids of the calls placed by time alone.
    """
    placed: set[str] = set()
    turns = sorted((s for s in tree.spans.values() if type(s) is TurnSpan), key=lambda turn: -turn.start_ns)
    orphans = [
        span
        for span in tree.spans.values()
        if type(span) in (Call, Step) and not tree.inside[span.span_id] and tree.is_cut_off(span.span_id)
    ]
    begun: list[Observation] = []
    # What begins first may hold turns that later ones belong to.
    for span in sorted(orphans, key=lambda span: (span.start_ns, -span.end_ns, span.span_id)) if turns else ():
        while turns and turns[-1].start_ns <= span.start_ns:
            begun.append(turns.pop())
        begun = [turn for turn in begun if turn.end_ns >= span.start_ns]
        around = {turn.span_id: tree.around(turn.span_id) for turn in begun if _holds(turn, span)}
        # What runs inside a call cannot hold it; neither can two turns of which none is inside the other.
        holding = sorted((t for t in around if span.span_id not in around[t]), key=lambda t: -len(around[t]))
        if holding and all(outer in around[inner] for inner, outer in itertools.pairwise(holding)):
            tree.inside[span.span_id] = holding[0]
            placed.add(span.span_id)
    return placed


def make_roots_turns(tree: Tree) -> None:
    """Make a local root that holds two calls or more, and no turn around them, the turn itself."""
    held: dict[str, int] = {}
    for span in tree.spans.values():
        if type(span) is Call and tree.turn_of(span.span_id) is None:
            above = tree.root_of(span.span_id)
            if above != span.span_id:
                held[above] = held.get(above, 0) + 1
    roots = {root_id for root_id, calls in held.items() if calls >= _LEAST_CALLS_OF_A_ROOT}
    for root_id in roots:
        tree.replace(_as_turn(tree.spans[root_id]))
    if roots:
        for span in tree.spans.values():
            if type(span) in (Call, Step, TurnSpan):
                _into_root(tree, span.span_id, roots)


def _into_root(tree: Tree, span_id: str, roots: set[str]) -> None:
    """Put a span into the turn that its root has become, if nothing of its own process is around it."""
    root_id = tree.root_of(span_id)
    inside = tree.inside[span_id]
    if (
        root_id in roots
        and root_id != span_id
        # What is around it in another process is around its root.
        and (not inside or tree.root_of(inside) != root_id)
        and span_id not in tree.around(root_id)
    ):
        tree.inside[span_id] = root_id


def _as_turn(root: Observation) -> TurnSpan:
    return TurnSpan(
        trace_id=root.trace_id,
        span_id=root.span_id,
        parent_id=root.parent_id,
        name=root.tool if isinstance(root, Call) else getattr(root, "name", ""),
        start_ns=root.start_ns,
        end_ns=root.end_ns,
        input=root.arguments if isinstance(root, Call) else None,
        source=root.source,
        instrumentation=root.instrumentation,
    )


def unwrap(tree: Tree) -> dict[str, tuple[str, ...]]:
    """
    Take out turns that hold nothing but one other turn.

    Returns:
        For each turn that had wrappers, their span ids, the outermost first.
    """
    content: dict[str, list[str]] = {}
    for span in tree.spans.values():
        if type(span) in (Call, Step, TurnSpan) and tree.inside[span.span_id]:
            content.setdefault(tree.inside[span.span_id], []).append(span.span_id)
    wrapped: dict[str, tuple[str, ...]] = {}
    turns = sorted((s for s in tree.spans.values() if type(s) is TurnSpan), key=lambda s: -len(tree.around(s.span_id)))
    for turn in turns:
        inner_ids = content.get(turn.span_id, ())
        if len(inner_ids) != 1:
            continue
        inner = tree.spans[inner_ids[0]]
        if type(inner) is not TurnSpan:
            continue
        outside = tree.inside[turn.span_id]
        wrapped[inner.span_id] = (turn.span_id, *wrapped.pop(turn.span_id, ()), *wrapped.get(inner.span_id, ()))
        tree.inside[inner.span_id] = outside
        tree.replace(passage(turn))
        if outside:
            content[outside] = [inner.span_id if i == turn.span_id else i for i in content[outside]]
    return wrapped


def lift_what_is_not_nested(tree: Tree) -> None:
    """Move a call that reaches outside its parent call's interval to the parent's own scope, outermost first."""
    nested = [
        span
        for span in tree.spans.values()
        if type(span) in (Call, TurnSpan) and type(tree.spans.get(tree.inside[span.span_id])) is Call
    ]
    nested.sort(key=lambda span: (len(tree.around(span.span_id)), span.span_id))
    for span in nested:
        parent = tree.spans.get(tree.inside[span.span_id])
        while (
            type(parent) is Call
            and parent.source == span.source
            and (span.start_ns < parent.start_ns - _TOLERANCE_NS or span.end_ns > parent.end_ns + _TOLERANCE_NS)
        ):
            tree.inside[span.span_id] = tree.inside[parent.span_id]
            parent = tree.spans.get(tree.inside[span.span_id])
