"""The ancestry of one trace's spans, reduced to what matters: which turn or call each span runs inside."""

from __future__ import annotations

from otel_parallelism.model import Call, Observation, Passage, TurnSpan


class Tree:
    """
    One trace while it is normalised.

    ``spans`` maps span ids to observations and changes as duplicates merge. ``inside`` maps each span id to the
    nearest enclosing turn or call, or to an empty string where there is none. ``originals`` keeps what was replaced.
    """

    def __init__(self, spans: dict[str, Observation]) -> None:
        self.spans = spans
        self.originals: dict[str, Observation] = {}
        self.inside: dict[str, str] = {}
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
        self._cut_circles()

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

    def _cut_circles(self) -> None:
        """Take the outermost of turns and calls that are inside one another in a circle, as broken ids tell, out."""
        done: set[str] = set()
        for span_id in self.inside:
            path: dict[str, None] = {}
            at = span_id
            while at and at not in done and at not in path:
                path[at] = None
                at = self.inside[at]
            if at in path:
                circle = [self.spans[one] for one in list(path)[list(path).index(at) :]]
                outermost = min(circle, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))
                self.inside[outermost.span_id] = ""
            done.update(path)

    def replace(self, span: Observation) -> None:
        """Put *span* where the one with its id was, and keep that in ``originals``."""
        self.originals[span.span_id] = self.spans[span.span_id]
        self.spans[span.span_id] = span

    def turn_of(self, span_id: str) -> str | None:
        """Span id of the innermost turn around *span_id*, through any calls; None where there is none."""
        at = self.inside[span_id]
        while at and type(self.spans[at]) is not TurnSpan:
            at = self.inside[at]
        return at or None

    def around(self, span_id: str) -> list[str]:
        """Span ids of the turns and calls around *span_id*, the innermost first."""
        found: list[str] = []
        at = self.inside[span_id]
        while at:
            found.append(at)
            at = self.inside[at]
        return found

    def root_of(self, span_id: str) -> str:
        """Span id of the local root above *span_id*: the last span on the way up whose process is the same."""
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
        # Spans that are each other's parents have no root; any of them will do, but always the same.
        root = self._roots.get(at) or (min(path[path.index(at) :]) if at in passed and at != path[-1] else at)
        self._roots.update(dict.fromkeys(passed, root))
        return root

    def is_cut_off(self, span_id: str) -> bool:
        """Whether the way up from *span_id* ends at a parent that is not there, or has no step at all."""
        seen: set[str] = set()
        at = self.spans[span_id]
        while at.span_id not in seen and at.parent_id in self.spans:
            seen.add(at.span_id)
            at = self.spans[at.parent_id]
        return at.span_id == span_id or bool(at.parent_id)

    def cycle_of(self, span_id: str) -> Passage | None:
        """The nearest step-like parent of *span_id* below the turn or call around it, or None."""
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


def passage(span: Observation) -> Passage:
    """*span* as one that only passes ancestry on."""
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
