"""
The span processor: adds the spans of other instrumentations to the live tree.

It recognizes calls, model requests and turns of any dialect as soon as their attributes allow, and ends turns through
an `EndInterceptor`, so that the result is on the turn's span.

Hooks may run concurrently, in any thread, and in another context than the span's: parents are found by span id. Our
own spans do not pass through here; their wrappers update the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_parallelism import clock
from otel_parallelism.dialects import KEYS
from otel_parallelism.model import Call, Passage, Step, TurnSpan
from otel_parallelism.names import INSTRUMENTATION

from .sdk.compatibility.span_fields import end_time_of, id_and_scope, parent_and_start, raw_attributes, span_id_of
from .sdk.compatibility.span_hooks import end_hook, start_hook
from .sdk.current import get_current
from .sdk.records import is_declared, is_marked, is_tool_span, size_of_tool_span
from .shield import swallow
from .state.bounds.held_evidence import HELD, LEAST_SIZE, contents_size
from .state.bounds.past_bound import count_end
from .state.classification import classify_open_node, final_observation
from .state.existing_spans import place_duplicate
from .state.linked_parents import linked_parent
from .state.live_tree import add_span_node, adopt_node, count_late_node, link_node, open_node, span_node
from .state.nodes import SCOPE_KEY, Node, SpanNode
from .state.registry import MAX_OPEN_SPANS, REGISTRY
from .state.turn_end.analysis_thread import ANALYSIS_THREAD
from .state.turn_end.end_interception import EndInterceptor
from .state.turn_end.ending import finish
from .state.user_words import release_words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from otel_parallelism.model import Observation

    from .sdk.forwarding import ForwardingProcessor


MAX_SCOPES = 10_000
"""The largest number of instrumentation scopes remembered; a program beyond it generates their names."""


UNRELATED_IN_A_ROW = 256
"""After so many unrelated spans in a row, a scope's spans are checked only at their end."""


class ParallelismProcessor(SpanProcessor):
    """
    Updates the registry with the spans of one provider, until it is shut down.

    Every span of the program passes through `on_start` and `on_end`, so a span that has nothing to do with agents
    costs two look-ups there and no object. After `UNRELATED_IN_A_ROW` such spans, a scope is checked only in `on_end`,
    until one of its spans is related again.
    """

    def __init__(self) -> None:
        self._spans = REGISTRY.spans
        self._on_ending: Callable[[Span], None] = self._on_first_ending  # type: ignore[assignment] # replaced there
        self._unrelated: dict[str, int] = {}
        self._skipped: set[str] = set()
        self.seen: int = 0
        # Functions instead of methods, since they are called for every span of the program.
        self.on_start: Callable[..., None] = start_hook(
            self._spans, MAX_OPEN_SPANS, self._skipped, self._pass_over, self._start
        )
        self.on_end: Callable[[ReadableSpan], None] = end_hook(self._spans, SpanNode, self, self._end)  # type: ignore[assignment] # a function
        self.interceptor: EndInterceptor = EndInterceptor()
        REGISTRY.intercept_end = self.interceptor.intercept
        self.forwarding: ForwardingProcessor | None = None

    def shutdown(self) -> None:
        """Stop, and keep our own spans from the other processors, which have been shut down as well."""
        self.stop()
        if self.forwarding is not None:
            self.forwarding.shutdown()

    def stop(self) -> None:
        """Stop updating the registry; spans that are open end without a result."""
        # The methods are replaced: a flag would have to be read at every span.
        self.on_start = _ignore_start
        self.on_end = _ignore
        self._on_ending = _ignore
        self.interceptor.stop()
        if REGISTRY.intercept_end == self.interceptor.intercept:
            # Spans of other providers may still be turns.
            others = (other.interceptor for other in REGISTRY.followers if isinstance(other, ParallelismProcessor))
            REGISTRY.intercept_end = next((other.intercept for other in others if other.active), None)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait for the results of all turns that have ended."""
        return ANALYSIS_THREAD.wait_for_all(timeout_millis / 1_000)

    def check_scopes(self, scopes: frozenset[str]) -> None:
        """Check the spans of these instrumentation scopes at their start from now on."""
        self._skipped -= scopes

    def _start(self, span: Span, parent_context: Context | None) -> None:
        """Remember *span*, and add it to the live tree if its attributes or its name identify it."""
        span_id, scope = id_and_scope(span)
        if len(self._spans) >= MAX_OPEN_SPANS:
            REGISTRY.forget_oldest()
        self._spans[span_id] = span
        if scope in REGISTRY.duplicate_scopes:
            place_duplicate(span)
        is_tool = is_tool_span(span)
        if not (is_tool or is_marked(span)):
            return
        if scope == INSTRUMENTATION:
            # Our own span at another provider than the installed one; its wrapper updates the registry.
            self._spans.pop(span_id, None)
            return
        if self._unrelated.get(scope):
            self._reset_unrelated(scope)
        node = self._spans.get(span_id)
        if type(node) is not SpanNode:
            parent_id, start_ns = parent_and_start(span)
            around = self._spans.get(parent_id)
            if type(around) is not SpanNode:
                around = open_node(parent_id, _scope(parent_context)) if parent_id else None
            node = self._spans[span_id] = span_node(span, span_id, start_ns, around)
        if is_tool and node.parent is not None:
            # What else it says is read when its turn ends.
            _link_call(node, node.parent)
        else:
            self._place(node)

    def _end(self, span: ReadableSpan, known: object) -> None:
        """Complete the live tree with the ended *span*; *known* is its node, or the span itself if it has none."""
        if type(known) is SpanNode:
            if _is_plain_call(known, span):
                known.span = span
                known.end_ns = _ended_ns(span)
                if known.counted_in is not None:
                    count_end(known)
            else:
                self._complete(span, known)
        elif not KEYS.isdisjoint(raw_attributes(span)) or is_declared(span):
            self._complete(span, known)

    def _pass_over(self, scope: str) -> bool:
        """Count a span of the instrumentation *scope* as unrelated; return False where it may be a duplicate."""
        if scope in REGISTRY.duplicate_scopes:
            return False
        seen = self._unrelated.get(scope, 0) + 1
        if seen == 1 and len(self._unrelated) > MAX_SCOPES:
            self._unrelated.clear()
            self._skipped.clear()
        self._unrelated[scope] = seen
        if seen % UNRELATED_IN_A_ROW == 0:
            self._skipped.add(scope)
            # Another thread may have opened a turn meanwhile.
            self._skipped -= REGISTRY.duplicate_scopes
        return True

    def _reset_unrelated(self, scope: str) -> None:
        """Check the spans of the instrumentation *scope* at their start again."""
        if self._unrelated.get(scope):
            self._skipped.discard(scope)
            self._unrelated[scope] = 0

    def _on_first_ending(self, span: Span) -> None:
        """
        Find out, at the first span that ends, whether this SDK lets ``_on_ending`` write on a span.

        SDKs up to 1.45 do not; later spans then skip the hook. Where the SDK does, turns end in the hook, and ``end``
        methods are no longer patched.
        """
        writable = span.is_recording()
        self.interceptor.patches = not writable
        self._on_ending = self._end_in_hook if writable else _ignore
        self._on_ending(span)

    def _end_in_hook(self, span: Span) -> None:
        """End the turn of *span*, which is about to end and can still be written to."""
        try:
            node = self._spans.get(span_id_of(span))
            if type(node) is SpanNode:
                self.interceptor.end_turn(node, _ended_ns(span) or clock.now_ns())
        except Exception as error:  # noqa: BLE001 - it would be raised in the program
            swallow("ending a span", error)

    def _place(self, node: SpanNode) -> None:
        """Link *node*, of a span that has started, if it is a call, a model request or a turn already."""
        observation = classify_open_node(node)
        kind = type(observation)
        if kind is TurnSpan:
            node.is_turn = REGISTRY.open_turn(node)
            self.interceptor.intercept(node)
            link_node(node)
        elif isinstance(observation, (Call, Step)) and node.parent is None:
            _place_root(node, observation)
        elif kind is Call or kind is Step or _is_waiting(observation):
            link_node(node)
        elif node.parent is None:
            self.interceptor.intercept(node)

    def _complete(self, span: ReadableSpan, known: object) -> None:
        """Link the ended *span* if that is still to be done; *known* is its node, or the span itself without one."""
        if isinstance(known, SpanNode):
            node = known
            node.span = span
            if node.children is None and not is_marked(span):
                node.end_ns = _ended_ns(span)
                return
        else:
            self._reset_unrelated("" if span.instrumentation_scope is None else span.instrumentation_scope.name)
            node = add_span_node(span, _scope(None))
        node.end_ns = _ended_ns(span)
        observation = final_observation(node, node.end_ns)
        kind = type(observation)
        known_kind = kind in (Call, Step, TurnSpan) or _is_waiting(observation)
        if known_kind and not (node.linked or node.beyond or node.finished):
            if node.parent is not None:
                _link_late(node, observation)
            elif isinstance(observation, (Call, Step)):
                _place_root(node, observation)
        if type(observation) is Call or type(observation) is Step:
            _count_held(node, observation)
        if kind is TurnSpan or node.parent is None:
            finish(node, node.end_ns)
        elif node.counted_in is not None:
            count_end(node)


def _link_call(node: SpanNode, parent: Node) -> None:
    """Link *node*, a call that starts. As in `begin`, most need no lock."""
    if parent.children is not None and len(parent.children) < parent.room:
        parent.children.append(node)
        node.linked = True
    else:
        link_node(node)


def _link_late(node: SpanNode, observation: Observation) -> None:
    """Link *node*, whose span has ended and only now shows what it is; after the end of its turn, a call is counted."""
    if not link_node(node):
        if type(observation) is Call:
            count_late_node(node)
        release_words_of(node)


def _count_held(node: SpanNode, observation: Call | Step) -> None:
    """Count the contents of *node*, a span that has ended, as held, if its turn goes on and has it."""
    if node.linked and node.children is None and node.parent is not None and node.parent.children is not None:
        HELD.add(node, contents_size(observation))


def _place_root(node: SpanNode, observation: Call | Step) -> None:
    """Link *node*, a span without a parent, to the turn that its links lead to; a call else to the only open turn."""
    node.parent = linked_parent(node, observation)
    if node.parent is not None:
        link_node(node)
    elif type(observation) is Call:
        adopt_node(node)


def _is_plain_call(node: SpanNode, span: ReadableSpan) -> bool:
    """
    Return whether *node*, of *span* which has ended, is a known call of a tool with nothing inside and little content.

    What its span says is read when its turn ends.
    """
    placed = node.linked or node.beyond
    return placed and node.children is None and not node.is_turn and 0 <= size_of_tool_span(span) < LEAST_SIZE


def _is_waiting(observation: Observation) -> bool:
    """Return whether *observation* is a span of waiting for a person."""
    return isinstance(observation, Passage) and observation.waiting


def _ended_ns(span: ReadableSpan) -> int:
    """Return the end of *span*, which ends now, on the clock of the live tree; 0 if it has none."""
    end_ns = end_time_of(span)
    return end_ns - clock.shift_ns() if end_ns else 0


def _scope(context: Context | None) -> Node | None:
    """Return the innermost node of ours in *context*; None means the current context."""
    scope: Any = (get_current() if context is None else context).get(SCOPE_KEY)
    return scope if isinstance(scope, Node) else None


def _ignore(_: object) -> None:
    """Do nothing."""


def _ignore_start(_: Span, parent_context: Context | None = None) -> None:
    """Do nothing."""
