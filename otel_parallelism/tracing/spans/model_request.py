"""A model request of a framework or a provider's client: a minimal span, unless a span for it already exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otel_parallelism import clock, names
from otel_parallelism.tracing.sdk.compatibility.span_ends import end_interrupted
from otel_parallelism.tracing.sdk.current import SPAN_KEY, attach, detach, get_current, restore
from otel_parallelism.tracing.sdk.results import add_attributes
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.existing_spans import around, step_around
from otel_parallelism.tracing.state.live_tree import link_node, new_span_id
from otel_parallelism.tracing.state.nodes import SCOPE_KEY, SpanNode, StepNode
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.requested_calls import remember_requested_calls
from otel_parallelism.tracing.state.user_words import hold_words, release_words_of

from .details import write_error

if TYPE_CHECKING:
    from otel_parallelism.model import Content
    from otel_parallelism.tracing.state.requested_calls import RequestedCall


class ModelRequest:
    """
    One model request. It records which calls its answer asks for, because causes of findings depend on that.

    ``enter`` starts it, ``end`` or ``fail`` ends it; none of them raises. No span is made if another instrumentation
    has already opened one for this request (our data is added to that request), or if no span is open: such a request
    belongs to no turn.
    """

    __slots__ = ("_messages", "_model", "_node", "_outer", "_provider", "_switch", "_token")

    def __init__(self, model: str = "", provider: str = "", messages: Content | None = None, switch: str = "") -> None:
        """
        Args:
            model: The requested model's name, for the span.
            provider: The value of ``gen_ai.provider.name``.
            messages: The user's messages, held until the turn ends.
            switch: The setting of the request that keeps the model from requesting several calls.
        """
        self._switch = switch
        self._model = model
        self._provider = provider
        self._messages = messages
        self._node: StepNode | None = None
        self._outer: SpanNode | StepNode | None = None
        self._token: Any = None

    def enter(self) -> None:
        """Start the request."""
        current: Context | None = None
        try:
            parent = around()
            current = get_current()
            span_around: Any = current.get(SPAN_KEY)
            if parent is None and (span_around is None or not span_around.is_recording()):
                return
            self._outer = step_around(parent)
            shift = clock.shift_ns() if parent is None else parent.shift
            node = StepNode(parent, None, 0, clock.now_ns(), switch=self._switch, shift=shift)
            if REGISTRY.dispatch is not None:
                node.dispatch = REGISTRY.dispatch(node)
            # Without a node around, no turn would release them.
            if self._messages is not None and REGISTRY.evidence and parent is not None:
                node.messages = hold_words(self._messages)
            self._messages = None
            if self._outer is not None:
                node.span_id = new_span_id()
                self._node = node
                return
            attributes: dict[str, Any] = {names.OPERATION_NAME: names.CHAT}
            if self._model:
                attributes[names.REQUEST_MODEL] = self._model
            if self._provider:
                attributes[names.PROVIDER_NAME] = self._provider
            title = f"{names.CHAT} {self._model}".rstrip()
            self._node = node
            begun_ns = node.start_ns + shift
            span = REGISTRY.tracer.start_span(title, current, SpanKind.CLIENT, attributes, None, begun_ns)
            node.span = span
            node.span_id = span.get_span_context().span_id
            if not node.span_id or span is span_around or (parent is not None and node.span_id == parent.span_id):
                node.span_id = new_span_id()
            else:
                REGISTRY.open_span(node)
            if parent is not None and not link_node(node):
                release_words_of(node)
            self._token = attach(Context({**current, SPAN_KEY: span, SCOPE_KEY: node}))
        except BaseException as error:  # noqa: BLE001 - the request runs without a span
            self._abandon(self._node, error, current)
            swallow("starting a model request", error)

    def leave(self) -> Context:
        """Return the context of the request, and restore the caller's context."""
        context = get_current()
        token, self._token = self._token, None
        if token is not None:
            detach(token)
        return context

    def answered(
        self, requested: tuple[str, ...] | None, input_tokens: int | None = None, calls: tuple[RequestedCall, ...] = ()
    ) -> None:
        """
        Record what the answer asks for.

        Args:
            requested: The ids of the calls, ``()`` if it asks for none; None if unknown.
            input_tokens: Input tokens of the request, if known.
            calls: The requested calls, if known; calls without an id are matched with them.
        """
        node = self._node
        if node is None:
            return
        node.requested = requested
        node.input_tokens = input_tokens
        if self._outer is not None:
            _add_facts(self._outer, node)
            if isinstance(self._outer, SpanNode) and requested is not None:
                add_attributes(self._outer.span, {names.REQUESTED: requested})
        if calls:
            try:
                REGISTRY.matches_requests = remember_requested_calls(node, calls) or REGISTRY.matches_requests
            except Exception as error:  # noqa: BLE001 - the calls then have no ids
                swallow("recording requested calls", error)

    def reached(self, at_ns: int) -> None:
        """
        Record that a part of the answer arrived at *at_ns*; the last such time is the answer's end.

        Code that streams an answer may stop early and keep the stream open for any time.
        """
        if self._node is not None:
            self._node.end_ns = at_ns

    def end(self, _: Any = None, /) -> None:
        """End the request: the answer is complete."""
        self._end(None)

    def fail(self, error: BaseException) -> None:
        """End the request: it failed or was cancelled."""
        self._end(error)

    def seen(self, item: Any) -> None:
        """Do nothing with a piece of a streamed answer."""

    def _end(self, error: BaseException | None) -> None:
        node, self._node = self._node, None
        if node is None:
            return
        try:
            intact = error is None or isinstance(error, GeneratorExit)
            end_ns = (node.end_ns if intact else 0) or clock.now_ns()
            node.end_ns = end_ns
            if self._token is not None:
                self.leave()
            if self._outer is not None:
                _add_facts(self._outer, node)
                return
            REGISTRY.spans.pop(node.span_id, None)
            span = node.span
            if span.is_recording():
                if node.requested is not None:
                    span.set_attribute(names.REQUESTED, node.requested)
                if node.switch:
                    span.set_attribute(names.SWITCH, node.switch)
                if node.input_tokens is not None:
                    span.set_attribute(names.INPUT_TOKENS, node.input_tokens)
                if error is not None and not intact:
                    write_error(span, error)
            span.end(end_ns + node.shift)
            node.span = None
        except BaseException as failure:  # noqa: BLE001 - the program has its answer
            self._abandon(node, failure)
            swallow("ending a model request", failure)

    def _abandon(self, node: StepNode | None, error: BaseException, outer: Context | None = None) -> None:
        """End the request after *error* stopped its start or its end; *outer* is the context before its start."""
        token, self._token = self._token, None
        restore(token, outer)
        self._node = None
        if node is None:
            return
        node.end_ns = node.end_ns or clock.now_ns()
        REGISTRY.spans.pop(node.span_id, None)
        span, node.span = node.span, None
        end_interrupted(span, node.end_ns + node.shift, error)


def _add_facts(outer: SpanNode | StepNode, known: StepNode) -> None:
    """Add *known* facts to the existing span of the same request, where it lacks them."""
    if isinstance(outer, StepNode):
        if outer.requested is None:
            outer.requested = known.requested
        if outer.input_tokens is None:
            outer.input_tokens = known.input_tokens
        if outer.messages is None and outer.linked:
            outer.messages = known.messages
        elif outer.messages is not known.messages:
            release_words_of(known)
        outer.switch = outer.switch or known.switch
    elif outer.facts is None and not outer.beyond:
        known.parent = outer
        outer.facts = known
    elif outer.facts is not known:
        release_words_of(known)
