"""The tree of one trace: the turn or the call that each span runs inside."""

from __future__ import annotations

import itertools
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from otel_parallelism.model import Call, Observation, Passage, TurnSpan
from otel_parallelism.pace import paced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Found = TypeVar("_Found")


class Tree:
    """
    The spans of one trace while they are normalised.

    Attributes:
        spans: Observations by span id; changed when duplicates are merged.
        hand_offs: When each hand-off to another agent started, by its span id.
        inside: For each span id the id of the nearest enclosing turn or call, an empty string if there is none.
        originals: Observations that `replace` replaced, by span id.
        has_cycles: Whether any passage is step-like.
    """

    def __init__(self, spans: dict[str, Observation]) -> None:
        self.spans = spans
        self.originals: dict[str, Observation] = {}
        self.inside: dict[str, str] = {}
        self.hand_offs: dict[str, int] = {}
        self.has_cycles: bool = False
        self._roots: dict[str, str] = {}
        self._cut_off: dict[str, bool] = {}
        self._cycles: dict[str, str] = {}
        holders: dict[str, str] = {}
        for span_id, span in paced(spans.items()):
            parent = spans.get(span.parent_id)
            kind = type(parent)
            if kind is TurnSpan or kind is Call:
                self.inside[span_id] = span.parent_id
            elif parent is None:
                self.inside[span_id] = ""
            else:
                self.inside[span_id] = nearest(span.parent_id, self._holder, self._parent_of, holders, "")
            if type(span) is Passage and span.cycle:
                self.has_cycles = True
        self.break_cycles()

    def _parent_of(self, span_id: str) -> str:
        return self.spans[span_id].parent_id

    def _holder(self, span_id: str) -> str | None:
        """Return *span_id* if it is a turn or a call, an empty string if it is unknown; None for any other span."""
        kind = type(self.spans.get(span_id))
        return span_id if kind is TurnSpan or kind is Call else "" if kind is type(None) else None

    def break_cycles(self) -> None:
        """Where broken parent ids make turns and calls enclose one another, let nothing enclose the longest one."""
        done: set[str] = set()
        for span_id in paced(self.inside):
            path: dict[str, None] = {}
            at = span_id
            while at and at not in done and at not in path:
                path[at] = None
                at = self.inside[at]
            if at in path:
                cycle = [self.spans[one] for one in list(path)[list(path).index(at) :]]
                outermost = min(cycle, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))
                self.inside[outermost.span_id] = ""
            done.update(path)

    def replace(self, span: Observation) -> None:
        """Replace the observation with the id of *span*, and keep the replaced one in ``originals``."""
        self.originals[span.span_id] = self.spans[span.span_id]
        self.spans[span.span_id] = span

    def depths(self) -> dict[str, int]:
        """Return the number of turns and calls around each span, by span id."""
        depths = {"": -1}
        for span_id in paced(self.inside):
            path = []
            at = span_id
            while at not in depths:
                path.append(at)
                at = self.inside[at]
            depths.update(zip(reversed(path), itertools.count(depths[at] + 1)))
        return depths

    def innermost_turns(self, span_ids: Iterable[str]) -> dict[str, str]:
        """Return the id of the innermost turn around each of some spans, with any calls between; empty without one."""
        known: dict[str, str] = {}

        def turn(span_id: str) -> str | None:
            return span_id if type(self.spans[span_id]) is TurnSpan else None

        inside = self.inside
        return {span_id: nearest(inside[span_id], turn, inside.__getitem__, known, "") for span_id in paced(span_ids)}

    def around(self, span_id: str) -> list[str]:
        """Return the ids of the turns and calls around *span_id*, the innermost first; takes time for each of them."""
        found: list[str] = []
        at = self.inside[span_id]
        while at:
            found.append(at)
            at = self.inside[at]
        return found

    def root_of(self, span_id: str) -> str:
        """Return the id of the local root above *span_id*: its outermost ancestor in the same process."""
        passed: dict[str, None] = {}
        at = span_id
        while at not in self._roots and at not in passed:
            passed[at] = None
            span = self.spans[at]
            parent = self.spans.get(span.parent_id)
            if parent is None or parent.source != span.source:
                break
            at = parent.span_id
        path = list(passed)
        # Spans that are each other's ancestors have no root: the smallest id stands for it.
        root = self._roots.get(at) or (min(path[path.index(at) :]) if at in passed and at != path[-1] else at)
        self._roots.update(dict.fromkeys(passed, root))
        return root

    def is_cut_off(self, span_id: str) -> bool:
        """Return whether *span_id* has no known parent, or an ancestor whose parent is missing."""
        parent_id = self.spans[span_id].parent_id
        if parent_id not in self.spans:
            return True
        # Spans that are each other's ancestors are cut off too.
        return nearest(parent_id, self._lacks_parent, self._parent_of, self._cut_off, nothing=True)

    def _lacks_parent(self, span_id: str) -> bool | None:
        """Return whether the parent of *span_id* is missing; None if it is known, so that its own parent decides."""
        parent_id = self.spans[span_id].parent_id
        return None if parent_id in self.spans else bool(parent_id)

    def cycle_of(self, span_id: str) -> Passage | None:
        """Return the nearest step-like passage between *span_id* and the enclosing turn or call, or None."""
        found = nearest(self.spans[span_id].parent_id, self._cycle, self._parent_of, self._cycles, "")
        cycle = self.spans.get(found)
        return cycle if type(cycle) is Passage else None

    def _cycle(self, span_id: str) -> str | None:
        """Return *span_id* if it is a step-like passage, an empty string where the search ends, else None."""
        span = self.spans.get(span_id)
        if type(span) is Passage and span.cycle:
            return span_id
        return "" if span is None or type(span) in (TurnSpan, Call) else None


def nearest(
    at: str,
    own: Callable[[str], _Found | None],
    above: Callable[[str], str],
    known: dict[str, _Found],
    nothing: _Found,
) -> _Found:
    """
    Return what *own* returns for the first id that has something, among *at* and the ids above it.

    Args:
        at: The span id to start at.
        own: Returns what a span has, None if the search goes on above it.
        above: Returns the id above another; an empty string ends the search.
        known: A cache of the results, for one *own* and one *above*. With it, each span is visited once, however deep
            spans are nested and however many searches begin below it.
        nothing: The result if no span has anything, also where ids lead back to where they came from.
    """
    passed: dict[str, None] = {}
    found: _Found | None = None
    while at and at not in passed:
        found = known.get(at)
        if found is None:
            found = own(at)
        if found is not None:
            break
        passed[at] = None
        at = above(at)
    result = nothing if found is None else found
    known.update(dict.fromkeys(passed, result))
    return result


def as_passage(span: Observation) -> Passage:
    """Return *span* as a passage, which matters only as an ancestor."""
    return Passage(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name="",
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        source=span.source,
        instrumentation=span.instrumentation,
    )


@lru_cache(maxsize=4096)
def is_bookkeeping(tool: str, patterns: tuple[str, ...]) -> bool:
    """Return whether *tool* matches one of the globs *patterns*, ignoring case; such tools do not count as calls."""
    name = tool.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
