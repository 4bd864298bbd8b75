"""The tree of one trace: the turn or the call that each span runs inside."""

from __future__ import annotations

from otel_parallelism.model import Call, Observation, Passage, TurnSpan


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
        for span_id, span in spans.items():
            parent = spans.get(span.parent_id)
            kind = type(parent)
            if kind is TurnSpan or kind is Call:
                self.inside[span_id] = span.parent_id
            elif parent is None:
                self.inside[span_id] = ""
            else:
                self.inside[span_id] = self._climb(span)
            if type(span) is Passage and span.cycle:
                self.has_cycles = True
        self.break_cycles()

    def _climb(self, span: Observation) -> str:
        spans = self.spans
        seen = {span.span_id}
        parent = spans.get(span.parent_id)
        while parent is not None and parent.span_id not in seen:
            if type(parent) is TurnSpan or type(parent) is Call:
                return parent.span_id
            known = self.inside.get(parent.span_id)
            if known is not None:
                return known
            seen.add(parent.span_id)
            parent = spans.get(parent.parent_id)
        return ""

    def break_cycles(self) -> None:
        """Where broken parent ids make turns and calls enclose one another, let nothing enclose the longest one."""
        done: set[str] = set()
        for span_id in self.inside:
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

    def turn_of(self, span_id: str) -> str | None:
        """Return the id of the innermost turn around *span_id*, with any calls between; None if there is none."""
        at = self.inside[span_id]
        while at and type(self.spans[at]) is not TurnSpan:
            at = self.inside[at]
        return at or None

    def around(self, span_id: str) -> list[str]:
        """Return the ids of the turns and calls around *span_id*, the innermost first."""
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
        seen: set[str] = set()
        at = self.spans[span_id]
        while at.span_id not in seen and at.parent_id in self.spans:
            seen.add(at.span_id)
            at = self.spans[at.parent_id]
        return at.span_id == span_id or bool(at.parent_id)

    def cycle_of(self, span_id: str) -> Passage | None:
        """Return the nearest step-like passage between *span_id* and the enclosing turn or call, or None."""
        seen: set[str] = set()
        parent = self.spans.get(self.spans[span_id].parent_id)
        while parent is not None and parent.span_id not in seen:
            if type(parent) is Passage and parent.cycle:
                return parent
            if type(parent) in (TurnSpan, Call):
                return None
            seen.add(parent.span_id)
            parent = self.spans.get(parent.parent_id)
        return None


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
