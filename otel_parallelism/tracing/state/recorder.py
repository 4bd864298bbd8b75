"""
The recorder: which turns are open, and what hangs below them.

There is one for the process. It works without any SDK: decorated calls and ``agent_turn`` feed it themselves, the
span processor adds what others' spans tell. Invariants: a node is finished once; a finished node has no children;
what decides anything about the tree holds ``lock``.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from otel_parallelism.analysis.dependencies.experience import Experience
from otel_parallelism.model import Coverage, Report, TurnSpan
from otel_parallelism.settings import Settings
from otel_parallelism.tracing.sdk.tracer import LazyTracer

from .classification import told
from .nodes import CallNode, Node, SpanNode, let_go

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

Subscriber = Callable[[Report], None]
"""Called with the report of every turn that ends, in the thread that ended it."""

MOST_OPEN = 100_000
"""Open spans remembered; more than these can only have been abandoned."""

_MOST_CANDIDATES = 32


class Instruments(Protocol):
    """What records a turn's metrics."""

    def record(self, report: Report, turn: Span) -> None:
        """Record *report* of *turn*'s span."""

    def forget(self) -> None:
        """Let go of what is not recorded yet."""

    def stop(self) -> None:
        """Record nothing any more."""


class Follower(Protocol):
    """What feeds the recorder from a provider; ``seen`` counts the spans that ended there."""

    seen: int


class Recorder:
    """
    The open turns of this process.

    Attributes:
        settings: As given to ``install``, else the defaults.
        spans: By the span's id, every open span of others (itself, until it matters; then its node) and every open
            turn's node; bounded.
        by_id: Whether decorated calls are there as well, because hooks run where their context cannot be seen.
        asks: Whether any model request ever told what it asked for, so that calls without an id may find theirs.
        turns: The open turns, by the identity of their nodes.
        candidates: Open spans of others whose ``end`` is shadowed: each may turn out to be a turn.
        echoes: The names of all instrumentation scopes that ever were a turn's `echoes`.
        shadow: Puts a shadow on a span that may be a turn (set by the processor; without one nothing is shadowed).
    """

    def __init__(self, settings: Settings) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.spans: dict[int, Any] = {}
        self.by_id = False
        self.asks = False
        self.turns: dict[int, Node] = {}
        self.candidates: dict[int, SpanNode] = {}
        self.echoes: frozenset[str] = frozenset()
        self.shadow: Callable[[SpanNode], None] | None = None
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
        self.evidence: bool = settings.evidence
        self.max_calls: int = settings.max_calls_per_turn
        self.max_spans: int = settings.max_spans_per_trace
        self.max_bytes: int = settings.max_content_bytes
        self.max_items: int = settings.max_leaves
        self.verbose: bool = settings.capture_content or settings.caller_on_calls

    def use_tracer(self, tracer: Tracer | None) -> None:
        """Make spans with *tracer*; with None, with the global provider's at the first call."""
        self.tracer: Tracer = LazyTracer(self.use_tracer) if tracer is None else tracer

    @property
    def coverage(self) -> Coverage:
        """What was seen since the start, or since it was last cleared; our own spans count when their turn ends."""
        spans = self.spans_ended + sum(follower.seen for follower in self.followers)
        return Coverage(self.calls + self.uncovered, self.uncovered, spans, self.anomalies)

    def clear(self) -> None:
        """Forget everything open and every total."""
        with self.lock:
            self.spans.clear()
            self.turns.clear()
            self.candidates.clear()
            self.calls = self.uncovered = self.anomalies = self.spans_ended = 0

    # Linking: what became relevant finds its turn.

    def parent_of(self, scope: Node | None, span: Any) -> Node | None:
        """
        Return the node around a call or turn that starts now.

        Args:
            scope: The innermost node of our own in the context.
            span: The current span in the context, which may be somebody else's, further in.
        """
        if span is not None:
            context = span.get_span_context()
            if context is not None:
                known = self.node_of(context.span_id, scope)
                if known is not None:
                    return known
        return scope

    def node_of(self, span_id: int, scope: Node | None) -> Node | None:
        """
        Return the node of the open span *span_id*, made now if nobody has asked for it before.

        Args:
            span_id: The span's id.
            scope: The innermost node of our own in the context: decorated calls are found from there.
        """
        known = self.spans.get(span_id)
        if known is None:
            while scope is not None and scope.span_id != span_id:
                scope = scope.parent
            return scope if scope is not None and not scope.end_ns else None
        if isinstance(known, Node):
            return known
        return self.add_span(known, scope)

    def add_span(self, span: Any, scope: Node | None) -> SpanNode:
        """Return a new node for *span*, which is somebody else's and open or just ended, below its parent's."""
        parent = span.parent
        # A parent that came over the wire may yet be one of this process: a server in memory, an app that asks itself.
        around = None if parent is None else self.node_of(parent.span_id, scope)
        node = SpanNode(around, span, span.get_span_context().span_id, span.start_time or 0)
        if span.end_time is None:
            with self.lock:
                # Another thread may have been faster.
                known = self.spans.get(node.span_id)
                if isinstance(known, SpanNode):
                    return known
                self.spans[node.span_id] = node
        return node

    def open_span(self, node: Node) -> None:
        """Remember *node* by its span's id."""
        self.spans[node.span_id] = node
        if len(self.spans) > MOST_OPEN:
            self.forget()

    def forget(self) -> None:
        """Forget the older half of the open spans: past the bound they are most likely to have been abandoned."""
        with self.lock:
            for span_id in list(self.spans)[: len(self.spans) // 2]:
                forgotten = self.spans.pop(span_id, None)
                self.turns.pop(id(forgotten), None)
                self.candidates.pop(span_id, None)

    def open_turns(self) -> list[Node]:
        """Return the nodes of the turns that are open now, those included that say so only late."""
        with self.lock:
            # Turns begin, and spans are shadowed, without the lock: what is read is copied, which nothing interrupts.
            known = [node for node in list(self.turns.values()) if not node.finished]
            return known + [node for node in self._late_turns() if id(node) not in self.turns]

    def open_turn(self, node: Node) -> bool:
        """Follow *node* as a turn; false where too many are open already."""
        if len(self.turns) >= self.settings.max_open_turns:
            return False
        self.turns[id(node)] = node
        return True

    def link(self, node: Node) -> bool:
        """
        Make *node* visible from the nodes around it, and those that may be turns end through us.

        Returns:
            Whether some enclosing node still waits for it; false where its turn has ended already.
        """
        with self.lock:
            top: Node = node
            while top.parent is not None:
                top = top.parent
                if top.finished:
                    return False
            if top.held >= self.max_spans:
                if node.parent is not None:
                    node.parent.dropped += type(node) is CallNode
                return True
            top.held += 1
            while not node.linked:
                parent = node.parent
                if parent is None:
                    break
                node.linked = True
                if parent.children is None:
                    parent.children = []
                elif len(parent.children) >= self.max_calls:
                    parent.dropped += 1
                    break
                parent.children.append(node)
                if self.shadow is not None and type(parent) is SpanNode and not parent.end_ns:
                    self.shadow(parent)
                node = parent
        return True

    def adopt(self, node: Node) -> bool:
        """Give *node*, which lost its context, to the process's only open turn; false where there is no such turn."""
        turn = self.only_turn(node.start_ns)
        if turn is None:
            return False
        node.parent = turn
        return self.link(node)

    def begin_root(self, node: CallNode, span_around: Any) -> None:
        """Take *node*, a decorated call that starts without a node around it, though perhaps within *span_around*."""
        around = span_around.get_span_context() if span_around is not None else None
        if not node.span_id or (around is not None and around.span_id == node.span_id):
            node.span_id = new_id()
        self.adopt(node)

    def late(self, node: Node) -> None:
        """Count *node*, a call whose turn had ended before it began."""
        with self.lock:
            self.uncovered += 1
        node.finished = True
        if isinstance(node, CallNode):
            let_go(node)

    def only_turn(self, at_ns: int) -> Node | None:
        """Return the one turn that was open at *at_ns* and still is; a turn that only wraps another does not count."""
        with self.lock:
            oldest = list(self.turns.values())[:2]
            # In a service that runs many at once this is all there is to it: turns of two roots wrap none of the other.
            if len({id(_top(node)) for node in oldest if node.start_ns <= at_ns and not node.finished}) > 1:
                return None
            turns = [node for node in self.open_turns() if node.start_ns <= at_ns]
            if len(turns) > 1:
                around = {id(node) for turn in turns for node in _around(turn)}
                turns = [node for node in turns if id(node) not in around or not _may_wrap(node)]
            return turns[0] if len(turns) == 1 else None

    def _late_turns(self) -> list[SpanNode]:
        """Open spans that say only now that they are turns."""
        candidates = [node for node in list(self.candidates.values()) if node.children is not None]
        if len(candidates) > _MOST_CANDIDATES:
            return []
        return [node for node in candidates if type(told(node, node.start_ns)) is TurnSpan]


def new_id() -> int:
    """Return a span id of our own, for a span that has none."""
    return random.getrandbits(64) | 1


def _around(node: Node) -> Iterator[Node]:
    """Yield the nodes around *node*, from the inside out."""
    around = node.parent
    while around is not None:
        yield around
        around = around.parent


def _top(node: Node) -> Node:
    while node.parent is not None:
        node = node.parent
    return node


def _may_wrap(node: Node) -> bool:
    """Whether *node* holds but one thing so far, and that is no call."""
    return node.children is not None and len(node.children) == 1 and not isinstance(node.children[0], CallNode)


RECORDER = Recorder(Settings())
"""The recorder of this process."""
