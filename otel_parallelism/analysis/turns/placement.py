"""Corrects the enclosing turn or call of spans whose parent ids are missing or wrong."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from otel_parallelism.model import Call, Observation, Step, TurnSpan

from .counterparts import TOLERANCE_NS
from .tree import as_passage

if TYPE_CHECKING:
    from .tree import Tree

_MIN_CALLS_OF_ROOT = 2


def place_orphans(tree: Tree) -> set[str]:
    """
    Put calls and steps with a missing parent into the innermost turn whose interval contains them.

    Spans below a known root that is no turn stay there.

    Returns:
        The span ids of the calls and steps that were placed by time alone.
    """
    placed: set[str] = set()
    turns = sorted((s for s in tree.spans.values() if type(s) is TurnSpan), key=lambda turn: -turn.start_ns)
    orphans = [
        span
        for span in tree.spans.values()
        if type(span) in (Call, Step) and not tree.inside[span.span_id] and tree.is_cut_off(span.span_id)
    ]
    begun: list[Observation] = []
    # In order of start: an orphan may enclose turns that later orphans belong to.
    for span in sorted(orphans, key=lambda span: (span.start_ns, -span.end_ns, span.span_id)) if turns else ():
        while turns and turns[-1].start_ns <= span.start_ns:
            begun.append(turns.pop())
        begun = [turn for turn in begun if turn.end_ns >= span.start_ns]
        around = {turn.span_id: tree.around(turn.span_id) for turn in begun if _contains(turn, span)}
        # A turn inside the orphan cannot enclose it. If two candidates are not nested, neither is chosen.
        holding = sorted((t for t in around if span.span_id not in around[t]), key=lambda t: -len(around[t]))
        if holding and all(outer in around[inner] for inner, outer in itertools.pairwise(holding)):
            tree.inside[span.span_id] = holding[0]
            placed.add(span.span_id)
    return placed


def _contains(turn: Observation, span: Observation) -> bool:
    return turn.start_ns <= span.start_ns and span.end_ns <= turn.end_ns


def make_roots_turns(tree: Tree) -> None:
    """Turn each local root into a turn if it contains at least two calls that no turn encloses."""
    calls_below: dict[str, int] = {}
    for span in tree.spans.values():
        if type(span) is Call and tree.turn_of(span.span_id) is None:
            above = tree.root_of(span.span_id)
            if above != span.span_id:
                calls_below[above] = calls_below.get(above, 0) + 1
    roots = {root_id for root_id, calls in calls_below.items() if calls >= _MIN_CALLS_OF_ROOT}
    for root_id in roots:
        tree.replace(_as_turn(tree.spans[root_id]))
    if roots:
        for span in tree.spans.values():
            if type(span) in (Call, Step, TurnSpan):
                _into_root(tree, span.span_id, roots)


def _into_root(tree: Tree, span_id: str, roots: set[str]) -> None:
    """Put a span into the turn that its root has become, if no turn or call of its own process encloses it."""
    root_id = tree.root_of(span_id)
    inside = tree.inside[span_id]
    if (
        root_id in roots
        and root_id != span_id
        # A turn or call of another process encloses the root as well.
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


def remove_wrappers(tree: Tree) -> dict[str, tuple[str, ...]]:
    """
    Make turns that contain only one other turn passages.

    Returns:
        The span ids of the wrappers of each turn that had any, the outermost first.
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
        tree.replace(as_passage(turn))
        if outside:
            content[outside] = [inner.span_id if i == turn.span_id else i for i in content[outside]]
    return wrapped


def lift_misplaced_calls(tree: Tree) -> None:
    """Move each call that reaches outside the interval of its enclosing call to the scope of that call."""
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
            and (span.start_ns < parent.start_ns - TOLERANCE_NS or span.end_ns > parent.end_ns + TOLERANCE_NS)
        ):
            tree.inside[span.span_id] = tree.inside[parent.span_id]
            parent = tree.spans.get(tree.inside[span.span_id])
