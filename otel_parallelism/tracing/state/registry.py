"""
The registry of the process: its settings, its open spans and turns, and the listeners of reports.

It needs no SDK: decorated calls and ``agent_turn`` update it themselves, and the span processor adds the spans of
other instrumentations. `live_tree` links the nodes of open spans. Code that changes the tree's structure or finishes
a node holds ``lock``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from otel_parallelism.analysis.dependencies.experience import Experience
from otel_parallelism.dialects import declared_patterns
from otel_parallelism.model import Coverage, Dispatch, Report, TurnSpan
from otel_parallelism.settings import Settings, is_switched_off
from otel_parallelism.tracing.sdk.records import declare_spans
from otel_parallelism.tracing.sdk.tracer import LazyTracer

from .bounds.held_evidence import HELD
from .classification import classify_open_node
from .nodes import CallNode, Node, SpanNode

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

Subscriber = Callable[[Report], None]
"""A function called with the report of every turn that ends, in the thread that ends it."""

MAX_OPEN_SPANS = 100_000
"""The largest number of open spans remembered. Beyond it, the oldest count as abandoned."""

_MAX_CLASSIFIED_CANDIDATES = 32


class Instruments(Protocol):
    """Records the metrics of turns."""

    def record(self, report: Report, turn: Span) -> None:
        """Record *report*; *turn* is the span that exemplars link to."""

    def forget(self) -> None:
        """Drop what is not recorded yet."""

    def stop(self) -> None:
        """Record nothing from now on."""


class Follower(Protocol):
    """A span processor of ours; ``seen`` counts the spans that ended at its provider."""

    seen: int

    def check_scopes(self, scopes: frozenset[str]) -> None:
        """Check the spans of these instrumentation scopes at their start from now on."""


class Registry:
    """
    The state of this process.

    Attributes:
        settings: The settings given to ``install``, else the defaults.
        spans: Open spans of other instrumentations (the span itself, replaced by its node once it has one) and nodes
            of open turns, by span id; bounded by `MAX_OPEN_SPANS`.
        by_id: Whether ``spans`` also holds decorated calls. Needed where span processors run in other threads and
            cannot read the call's context.
        matches_requests: Whether any model request reported the calls it requested, so that calls without an id are
            matched with them.
        turns: Open turns, by ``id(node)``.
        candidates: Open spans of other instrumentations whose ``end`` is intercepted, because they may be turns; by
            span id.
        duplicate_scopes: The union of all turns' ``duplicate_scopes``.
        intercept_end: Intercepts the ``end`` of a node's span that may be a turn; set by the span processor, None
            without one.
        on_change: Called without arguments after a turn has opened or ended; it raises nothing.
        dispatch: Returns how a call, a model request or a turn that begins was dispatched; None outside of tests. With
            it, calls keep their evidence however short the turn is.
    """

    def __init__(self, settings: Settings) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.spans: dict[int, Any] = {}
        self.by_id = False
        self.matches_requests = False
        self.turns: dict[int, Node] = {}
        self.candidates: dict[int, SpanNode] = {}
        self.duplicate_scopes: frozenset[str] = frozenset()
        self.intercept_end: Callable[[SpanNode], None] | None = None
        self.on_change: Callable[[], None] | None = None
        self.dispatch: Callable[[Node], Dispatch | None] | None = None
        self.subscribers: tuple[Subscriber, ...] = ()
        self.followers: list[Follower] = []
        self.instruments: Instruments | None = None
        self.experience: Experience = Experience()
        self.use_tracer(None)
        self.calls: int = 0
        self.uncovered: int = 0
        self.anomalies: int = 0
        self.spans_ended: int = 0
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Use *settings* from now on."""
        self.settings = settings
        declare_spans(declared_patterns(settings))
        self.disabled: bool = settings.disabled or is_switched_off()
        self.evidence: bool = settings.evidence
        self.budget_ns: float = settings.turn_end_budget * 1e9
        self.max_calls: int = settings.max_calls_per_turn
        self.max_spans: int = settings.max_spans_per_trace
        self.max_bytes: int = settings.max_content_bytes
        self.max_items: int = settings.max_leaves
        HELD.most = settings.max_held_bytes
        self.verbose: bool = settings.capture_content or settings.caller_on_calls

    def use_tracer(self, tracer: Tracer | None) -> None:
        """Start spans with *tracer*; None means the global provider's tracer, looked up at the first span."""
        self.tracer: Tracer = LazyTracer(self.use_tracer) if tracer is None else tracer

    @property
    def coverage(self) -> Coverage:
        """Totals since the start or the last `clear`. Spans of our own are added when their turn ends."""
        spans = self.spans_ended + sum(follower.seen for follower in self.followers)
        return Coverage(self.calls + self.uncovered, self.uncovered, spans, self.anomalies)

    def clear(self) -> None:
        """Forget all open spans and reset all totals."""
        with self.lock:
            self.spans.clear()
            self.turns.clear()
            self.candidates.clear()
            HELD.clear()
            self.calls = self.uncovered = self.anomalies = self.spans_ended = 0

    def add_duplicate_scopes(self, scopes: frozenset[str]) -> None:
        """Add *scopes*, the ``duplicate_scopes`` of a turn that opens."""
        if not scopes <= self.duplicate_scopes:
            self.duplicate_scopes |= scopes
            for follower in self.followers:
                follower.check_scopes(scopes)

    def open_span(self, node: Node) -> None:
        """Remember *node* by its span id."""
        self.spans[node.span_id] = node
        if len(self.spans) > MAX_OPEN_SPANS:
            self.forget_oldest()

    def forget_oldest(self) -> None:
        """Forget the older half of the open spans; past the bound they are most likely abandoned."""
        with self.lock:
            self._forget(list(self.spans)[: len(self.spans) // 2])

    def _forget(self, span_ids: list[int]) -> None:
        for span_id in span_ids:
            forgotten = self.spans.pop(span_id, None)
            self.turns.pop(id(forgotten), None)
            self.candidates.pop(span_id, None)

    def open_turn(self, node: Node) -> bool:
        """Add *node* to the open turns; return False where ``max_open_turns`` are open already."""
        if len(self.turns) >= self.settings.max_open_turns:
            return False
        self.turns[id(node)] = node
        if self.on_change is not None:
            self.on_change()
        return True

    def open_turns(self) -> list[Node]:
        """Return the nodes of all open turns, including spans whose attributes identify them as turns only now."""
        with self.lock:
            return self._open_turns()

    def _open_turns(self) -> list[Node]:
        # Other threads add turns and candidates without the lock: list() copies the values atomically.
        known = [node for node in list(self.turns.values()) if not node.finished]
        return known + [node for node in self._late_turns() if id(node) not in self.turns]

    def only_turn(self, at_ns: int) -> Node | None:
        """
        Return the turn that was open at *at_ns* and is still open, if there is exactly one; else None.

        A turn that only wraps another open turn is not counted.
        """
        with self.lock:
            return self._only_turn(at_ns)

    def _only_turn(self, at_ns: int) -> Node | None:
        oldest = list(islice(self.turns.values(), 2))
        # A fast exit where many turns run concurrently: of two turns apart, each is counted, or one that it wraps.
        if len(oldest) > 1 and all(node.start_ns <= at_ns and not node.finished for node in oldest):
            one, other = oldest
            if one not in _ancestors(other) and other not in _ancestors(one):
                return None
        turns = [node for node in self._open_turns() if node.start_ns <= at_ns]
        if len(turns) > 1:
            enclosing = {id(node) for turn in turns for node in _ancestors(turn)}
            turns = [node for node in turns if id(node) not in enclosing or not _may_wrap(node)]
        return turns[0] if len(turns) == 1 else None

    def _late_turns(self) -> list[SpanNode]:
        """Return the candidates that their attributes identify as turns by now; none where there are too many."""
        candidates = [node for node in list(self.candidates.values()) if node.children is not None]
        if len(candidates) > _MAX_CLASSIFIED_CANDIDATES:
            return []
        return [node for node in candidates if type(classify_open_node(node)) is TurnSpan]


def _ancestors(node: Node) -> Iterator[Node]:
    """Yield the nodes around *node*, the innermost first."""
    ancestor = node.parent
    while ancestor is not None:
        yield ancestor
        ancestor = ancestor.parent


def _may_wrap(node: Node) -> bool:
    """Whether the only child of *node* so far is not a call."""
    return node.children is not None and len(node.children) == 1 and not isinstance(node.children[0], CallNode)


REGISTRY = Registry(Settings())
"""The registry of this process."""
