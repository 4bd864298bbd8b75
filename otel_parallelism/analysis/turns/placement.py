"""Corrects the enclosing turn or call of spans whose parent ids are missing or wrong."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from otel_parallelism.model import Call, Observation, Step, TurnSpan
from otel_parallelism.pace import ordered, paced

from .counterparts import TOLERANCE_NS
from .tree import as_passage

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    turns = sorted((s for s in paced(tree.spans.values()) if type(s) is TurnSpan), key=lambda turn: -turn.start_ns)
    orphans = [
        span
        for span in paced(tree.spans.values())
        if type(span) in (Call, Step) and not tree.inside[span.span_id] and tree.is_cut_off(span.span_id)
    ]
    if not turns or not orphans:
        return placed
    outside = _Outermost(tree)
    # Ends and ids of the turns that have begun and not ended, in order of their ends.
    begun: list[tuple[int, str]] = []
    # In order of start: an orphan may enclose turns that later orphans belong to.
    for span in paced(ordered(orphans, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))):
        while turns and turns[-1].start_ns <= span.start_ns:
            turn = turns.pop()
            insort(begun, (turn.end_ns, turn.span_id))
        del begun[: bisect_left(begun, (span.start_ns, ""))]
        later = (begun[at][1] for at in range(bisect_left(begun, (span.end_ns, "")), len(begun)))
        # A turn inside the orphan cannot enclose it.
        holding = (turn_id for turn_id in later if outside.outermost(turn_id) != span.span_id)
        if inner := _innermost(tree, holding):
            tree.inside[span.span_id] = outside.above[span.span_id] = inner
            placed.add(span.span_id)
    return placed


class _Outermost:
    """Finds the outermost turn or call around spans while spans are put into turns, without going up each time."""

    def __init__(self, tree: Tree) -> None:
        self.above: dict[str, str] = dict(tree.inside)

    def outermost(self, span_id: str) -> str:
        """Return the id of the outermost turn or call around *span_id*, or *span_id* itself where there is none."""
        above = self.above
        passed = []
        while above[span_id]:
            passed.append(span_id)
            span_id = above[span_id]
        above.update(dict.fromkeys(passed, span_id))
        return span_id


def _innermost(tree: Tree, turn_ids: Iterator[str]) -> str:
    """Return the one of *turn_ids* that all others of them enclose; an empty string if two of them are not nested."""
    inner = next(turn_ids, "")
    nested: set[str] = set()
    for turn_id in turn_ids:
        if not nested:
            nested.update(_outwards(tree, inner, nested))
        if turn_id in nested:
            continue
        path = _outwards(tree, turn_id, nested)
        if tree.inside[path[-1]] != inner:
            return ""
        nested.update(path)
        inner = turn_id
    return inner


def _outwards(tree: Tree, span_id: str, known: set[str]) -> list[str]:
    """Return *span_id* and what encloses it, from the inside out, as far as it is not *known*."""
    path = []
    while span_id and span_id not in known:
        path.append(span_id)
        span_id = tree.inside[span_id]
    return path


def make_roots_turns(tree: Tree) -> None:
    """Turn each local root into a turn if it contains at least two calls that no turn encloses."""
    calls_below: dict[str, int] = {}
    turns = tree.innermost_turns([span.span_id for span in paced(tree.spans.values()) if type(span) is Call])
    for call_id, turn_id in paced(turns.items()):
        if not turn_id:
            above = tree.root_of(call_id)
            if above != call_id:
                calls_below[above] = calls_below.get(above, 0) + 1
    roots = {root_id for root_id, calls in calls_below.items() if calls >= _MIN_CALLS_OF_ROOT}
    for root_id in roots:
        tree.replace(_as_turn(tree.spans[root_id]))
    if roots:
        around = _AroundRoots(tree)
        for span in paced(tree.spans.values()):
            if type(span) in (Call, Step, TurnSpan):
                _into_root(tree, span.span_id, roots, around)


def _into_root(tree: Tree, span_id: str, roots: set[str], around: _AroundRoots) -> None:
    """Put a span into the turn that its root has become, if no turn or call of its own process encloses it."""
    root_id = tree.root_of(span_id)
    inside = tree.inside[span_id]
    if (
        root_id in roots
        and root_id != span_id
        # A turn or call of another process encloses the root as well.
        and (not inside or tree.root_of(inside) != root_id)
        and not around.holds(root_id, span_id)
    ):
        around.move(span_id, root_id)


class _AroundRoots:
    """Knows what encloses roots while spans are moved; what encloses a root is gone through once, as a rule."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._around: dict[str, set[str]] = {}
        self._all: set[str] = set()

    def holds(self, root_id: str, span_id: str) -> bool:
        """Return whether *span_id* encloses *root_id*."""
        if not self._tree.inside[root_id]:
            return False
        around = self._around.get(root_id)
        if around is None:
            around = self._around[root_id] = set(self._tree.around(root_id))
            self._all |= around
        return span_id in around

    def move(self, span_id: str, root_id: str) -> None:
        """Put *span_id* directly into *root_id*."""
        self._tree.inside[span_id] = root_id
        if span_id in self._all:
            self._around.clear()
            self._all.clear()


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


def remove_wrappers(tree: Tree, bounded: str) -> dict[str, tuple[str, ...]]:
    """
    Make turns that contain only one other turn passages; the turn *bounded* contains more than *tree* has.

    Returns:
        The span ids of the wrappers of each turn that had any, the outermost first.
    """
    turns = [span for span in paced(tree.spans.values()) if type(span) is TurnSpan]
    if len(turns) < 2:  # noqa: PLR2004 - a wrapper and what it wraps
        return {}
    content: dict[str, set[str]] = {}
    for span in paced(tree.spans.values()):
        if type(span) in (Call, Step, TurnSpan) and tree.inside[span.span_id]:
            content.setdefault(tree.inside[span.span_id], set()).add(span.span_id)
    wrapped: dict[str, list[str]] = {}
    depths = tree.depths()
    # The innermost first.
    for turn in sorted(turns, key=lambda turn: -depths[turn.span_id]):
        inner_ids = content.get(turn.span_id, ())
        if len(inner_ids) != 1 or turn.span_id == bounded:
            continue
        (inner_id,) = inner_ids
        if type(tree.spans[inner_id]) is not TurnSpan:
            continue
        outside = tree.inside[turn.span_id]
        wrapped.setdefault(inner_id, []).append(turn.span_id)
        tree.inside[inner_id] = outside
        tree.replace(as_passage(turn))
        if outside:
            content[outside].remove(turn.span_id)
            content[outside].add(inner_id)
    return {span_id: tuple(reversed(wrappers)) for span_id, wrappers in wrapped.items()}


def lift_misplaced_calls(tree: Tree) -> None:
    """Move each call that reaches outside the interval of its enclosing call to the scope of that call."""
    nested = [
        span
        for span in paced(tree.spans.values())
        if type(span) in (Call, TurnSpan) and type(tree.spans.get(tree.inside[span.span_id])) is Call
    ]
    depths = tree.depths() if nested else {}
    for span in paced(ordered(nested, key=lambda span: (depths[span.span_id], span.span_id))):
        parent = tree.spans.get(tree.inside[span.span_id])
        while (
            type(parent) is Call
            and parent.source == span.source
            and (span.start_ns < parent.start_ns - TOLERANCE_NS or span.end_ns > parent.end_ns + TOLERANCE_NS)
        ):
            tree.inside[span.span_id] = tree.inside[parent.span_id]
            parent = tree.spans.get(tree.inside[span.span_id])
