"""
The span processor: what others' spans tell the recorder, and how their turns get a result.

Its task: know the parent of every open span, recognise calls, steps and turns of any dialect as early as their
attributes allow, and write a turn's result while its span can still be written to. The SDK freezes a span before it
tells processors that it ends, so the spans that may be turns have their ``end`` shadowed on the instance.

Hooks may run in any thread, concurrently, and with another context than the span's: parents are found by id. Spans
of our own are none of its business: whoever made them feeds the recorder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, SynchronousMultiSpanProcessor

from otel_parallelism import clock
from otel_parallelism.model import Call, Step, TurnSpan
from otel_parallelism.names import INSTRUMENTATION

from .sdk.current import get_current
from .sdk.records import KEYS, NAMES, is_marked
from .sdk.results import write
from .shield import swallow
from .state.classification import classify_node
from .state.ending import finish
from .state.existing_spans import place_duplicate
from .state.live_tree import add_span_node, adopt_node, count_late_node, link_node
from .state.nodes import SCOPE_KEY, Node, SpanNode
from .state.registry import MAX_OPEN_SPANS, REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer


MOST_SCOPES = 10_000
"""Instrumentation scopes remembered; more than these are names that a program makes up as it goes."""


LEAST_PLAIN = 256
"""Spans of one instrumentation scope in a row, none of them an agent's, after which it is not asked at once."""


class ParallelismProcessor(SpanProcessor):
    """Feeds the recorder with the spans of one provider; does nothing any more once it is shut down."""

    def __init__(self) -> None:
        self._spans = REGISTRY.spans
        self._on_ending: Callable[[Span], None] = self._first_ending  # type: ignore[assignment] # replaced there
        self._stopped = False
        self._plain: dict[str, int] = {}
        self._quiet: set[str] = set()
        self.seen: int = 0
        REGISTRY.intercept_end = self._shadow

    def shutdown(self) -> None:
        """Stop following spans; those that are open end as if this processor had never been."""
        self._stopped = True
        # Replaced rather than asked: every span of the program would have to ask.
        self.on_start = _ignore_start  # type: ignore[assignment,method-assign] # as said
        self.on_end = _ignore  # type: ignore[assignment,method-assign] # as said
        self._on_ending = _ignore
        if REGISTRY.intercept_end == self._shadow:
            # Another provider may be followed, and its spans still be turns.
            others = (other for other in REGISTRY.followers if isinstance(other, ParallelismProcessor))
            REGISTRY.intercept_end = next((other._shadow for other in others if not other._stopped), None)  # noqa: SLF001 - its own kind

    # Every span of the program passes through the next two, so they are written for their cost: private fields,
    # because public properties cost a call each; a span's id by its place in the context's tuple; nothing made for a
    # span that has nothing to do with agents. Who has made none but such spans, hundreds of them, is asked only at
    # their end from then on, until one does have to do with agents.

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember *span* by its id, and recognise it if it can be."""
        try:
            self._spans[span._context[1]] = span  # type: ignore[index] # noqa: SLF001 - a started span has a context
            if len(self._spans) > MAX_OPEN_SPANS:
                REGISTRY.forget_oldest()
            if REGISTRY.duplicate_scopes and span._instrumentation_scope.name in REGISTRY.duplicate_scopes:  # type: ignore[union-attr] # noqa: SLF001
                place_duplicate(span)
            # By name: up to 1.40 every get_tracer() makes a new object, and programs ask for tracers again and again.
            scope = span._instrumentation_scope._name  # type: ignore[union-attr] # noqa: SLF001 - a tracer gives it one
            if scope in self._quiet:
                return
            if not KEYS.isdisjoint(span._attributes._dict) or span._name.startswith(NAMES):  # type: ignore[union-attr] # noqa: SLF001
                self._recognise(span, parent_context)
            else:
                self._note_plain(scope)
        except Exception as error:  # noqa: BLE001 - an exception here would be the program's
            swallow("starting a span", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Take note of what *span* was, now that all is known, if it matters to anyone."""
        try:
            known = self._spans.pop(span._context[1], None)  # type: ignore[index] # noqa: SLF001
            if known is None:  # of our own making, or begun before this processor was there
                return
            self.seen += 1
            if type(known) is SpanNode or not KEYS.isdisjoint(span._attributes._dict):  # type: ignore[union-attr] # noqa: SLF001
                self._ended(span, known)
        except Exception as error:  # noqa: BLE001 - an exception here would be the program's
            swallow("ending a span", error)

    def _note_plain(self, scope: str) -> None:
        """Count a span of *scope* (the name of an instrumentation scope) that has nothing to do with agents."""
        if len(self._plain) > MOST_SCOPES:
            self._plain.clear()
            self._quiet.clear()
        seen = self._plain[scope] = self._plain.get(scope, 0) + 1
        if seen % LEAST_PLAIN == 0:
            self._quiet.add(scope)

    def _note_marked(self, span: ReadableSpan) -> None:
        """Ask every span of *span*'s scope at its start again: this one does have to do with agents."""
        scope = "" if span.instrumentation_scope is None else span.instrumentation_scope.name
        self._quiet.discard(scope)
        self._plain[scope] = 0

    def _first_ending(self, span: Span) -> None:
        """
        Find out, at the first span that ends, whether this SDK lets a span be written to at that moment.

        Those up to 1.45 don't; then nothing is asked of later spans. Where it does, a turn whose ``end`` somebody
        took hold of before it was shadowed gets its result too.
        """
        self._on_ending = self._ending if span.is_recording() else _ignore
        self._on_ending(span)

    def _ending(self, span: Span) -> None:
        try:
            node = self._spans.get(span.get_span_context().span_id)
            if type(node) is SpanNode and not self._stopped:
                self._settle(node, span.end_time or clock.now_ns())
        except Exception as error:  # noqa: BLE001 - an exception here would be the program's
            swallow("ending a span", error)

    def _recognise(self, span: Span, parent_context: Context | None) -> None:
        """Link a span that already says that it is a call or a step, follow one that says it is a turn."""
        if span.instrumentation_scope is not None and span.instrumentation_scope.name == INSTRUMENTATION:
            # Another provider's tracer of ours: its call feeds the recorder all the same.
            self._spans.pop(span.get_span_context().span_id, None)
            return
        registry = REGISTRY
        self._note_marked(span)
        node = add_span_node(span, _scope(parent_context))
        kind = type(classify_node(node, 0))
        if kind is TurnSpan:
            node.is_turn = registry.open_turn(node)
            self._shadow(node)
            link_node(node)
        elif kind is Call and node.parent is None:
            adopt_node(node)
        elif kind is Call or kind is Step:
            link_node(node)
        elif node.parent is None:
            self._shadow(node)

    def _ended(self, span: ReadableSpan, known: object) -> None:
        """Do what is left to do at the very end: by now a turn that could be written to has been."""
        if isinstance(known, SpanNode):
            node = known
            node.span = span
            if node.children is None and not is_marked(span):
                node.end_ns = span.end_time or 0
                return
        else:
            self._note_marked(span)
            node = add_span_node(span, _scope(None))
        node.end_ns = span.end_time or 0
        if node.observation is None:
            node.observation = classify_node(node, node.end_ns)
        kind = type(node.observation)
        if kind in (Call, Step, TurnSpan) and not node.linked and not node.finished:
            if node.parent is not None:
                if not link_node(node) and kind is Call:
                    count_late_node(node)
            elif kind is Call:
                adopt_node(node)
        if kind is TurnSpan or node.parent is None:
            finish(node, node.end_ns)

    # The shadow over `end`.

    def _shadow(self, node: SpanNode) -> None:
        """Make *node*'s span end through us, once: its result is written just before."""
        span = node.span
        candidates = REGISTRY.candidates
        if node.span_id in candidates:
            return
        candidates[node.span_id] = node
        original = span.end
        unclaimed = [node]

        def end(end_time: int | None = None) -> None:
            end_ns = clock.now_ns() if end_time is None else end_time
            try:
                # Two threads can end one span: taking it out is what decides between them.
                unclaimed.pop()
            except IndexError:
                return
            candidates.pop(node.span_id, None)
            try:
                if not self._stopped:
                    self._settle(node, end_ns)
            except Exception as error:  # noqa: BLE001 - the span must end whatever happened
                swallow("ending a turn", error)
            # Left in place it would keep the span alive.
            if span.__dict__.get("end") is end:
                del span.__dict__["end"]
            original(end_ns)

        try:
            span.end = end
        except AttributeError:
            # A span that takes no attributes is analysed at its end and not written to.
            candidates.pop(node.span_id, None)

    def _settle(self, node: SpanNode, end_ns: int) -> None:
        """End *node* in the tree if it is a turn or a local root with something below, and write its result."""
        if node.finished or (node.children is None and not node.is_turn and not is_marked(node.span)):
            return
        observation = classify_node(node, end_ns)
        is_turn = type(observation) is TurnSpan
        if not is_turn and node.parent is not None:
            # What was taken for a turn turned out to be a part of one.
            REGISTRY.turns.pop(id(node), None)
            return
        if type(observation) is Call and node.parent is None and node.children is None:
            return
        node.observation = observation
        node.end_ns = end_ns
        report = finish(node, end_ns)
        if report is not None and node.span.is_recording():
            write(node.span, report, REGISTRY.settings)


def _scope(context: Context | None) -> Node | None:
    """The innermost node of our own making in *context*, by default the current one."""
    scope: Any = (get_current() if context is None else context).get(SCOPE_KEY)
    return scope if isinstance(scope, Node) else None


class ForwardingProcessor(SpanProcessor):
    """All processors of a provider but ours: what the tracer of our own spans tells, which we know of anyway."""

    def __init__(self, all_of_them: SynchronousMultiSpanProcessor, ours: ParallelismProcessor) -> None:
        self._all = all_of_them
        self._ours = ours

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Tell the others that *span* starts."""
        ours = self._ours
        for processor in self._all._span_processors:  # noqa: SLF001 - changes as the user adds processors
            if processor is not ours:
                processor.on_start(span, parent_context=parent_context)

    def _on_ending(self, span: Span) -> None:
        ours = self._ours
        for processor in self._all._span_processors:  # noqa: SLF001 - as above
            if processor is not ours:
                processor._on_ending(span)  # noqa: SLF001 - what the SDK calls

    def on_end(self, span: ReadableSpan) -> None:
        """Tell the others that *span* has ended."""
        ours = self._ours
        for processor in self._all._span_processors:  # noqa: SLF001 - as above
            if processor is not ours:
                processor.on_end(span)


def exclude_own_spans(tracer: Tracer, ours: ParallelismProcessor) -> None:
    """Keep the spans of *tracer*, which are our own, from *ours*; where the SDK does not allow it they pass through."""
    current = getattr(tracer, "span_processor", None)
    if type(current) is SynchronousMultiSpanProcessor:
        tracer.span_processor = ForwardingProcessor(current, ours)  # type: ignore[attr-defined] # an SDK tracer, as just seen


def _ignore(_: object) -> None:
    """Do nothing."""


def _ignore_start(_: Span, parent_context: Context | None = None) -> None:
    """Do nothing."""
