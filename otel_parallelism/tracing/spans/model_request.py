"""A model request that a framework or a provider's client makes: a minimal span, where nobody else makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otel_parallelism import clock, names
from otel_parallelism.tracing.sdk.current import SPAN_KEY, attach, detach, get_current
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.existing_spans import around, step_around
from otel_parallelism.tracing.state.live_tree import link_node, new_span_id
from otel_parallelism.tracing.state.nodes import SCOPE_KEY, SpanNode, StepNode
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.requested_calls import remember_requested_calls
from otel_parallelism.tracing.state.user_words import hold_words

from .details import write_error

if TYPE_CHECKING:
    from otel_parallelism.model import Content
    from otel_parallelism.tracing.state.requested_calls import RequestedCall


class ModelRequest:
    """
    One request to a model; it says which calls its answer asks for, so that the causes of waiting can be told.

    ``enter`` begins it, ``end`` or ``fail`` ends it; none of them raises. There is no span where somebody else's of
    this request is open already (that one's request gets what is known here), or where nothing is around it: outside
    of all spans a request has no turn that it could be a step of.
    """

    __slots__ = ("_messages", "_model", "_node", "_outer", "_provider", "_token")

    def __init__(self, model: str = "", provider: str = "", messages: Content | None = None) -> None:
        """
        Args:
            model: The requested model's name, for the span.
            provider: Who serves it, as ``gen_ai.provider.name`` has it.
            messages: The user's words, held until the turn ends.
        """
        self._model = model
        self._provider = provider
        self._messages = messages
        self._node: StepNode | None = None
        self._outer: SpanNode | StepNode | None = None
        self._token: Any = None

    def enter(self) -> None:
        """Begin: the request is about to be made."""
        try:
            parent = around()
            current = get_current()
            span_around: Any = current.get(SPAN_KEY)
            if parent is None and (span_around is None or not span_around.is_recording()):
                return
            self._outer = step_around(parent)
            node = StepNode(parent, None, 0, clock.now_ns())
            if self._messages is not None and REGISTRY.evidence:
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
            span = REGISTRY.tracer.start_span(title, current, SpanKind.CLIENT, attributes, None, node.start_ns)
            node.span = span
            node.span_id = span.get_span_context().span_id
            if not node.span_id or span is span_around or (parent is not None and node.span_id == parent.span_id):
                node.span_id = new_span_id()
            else:
                REGISTRY.open_span(node)
            if parent is not None:
                link_node(node)
            self._node = node
            self._token = attach(Context({**current, SPAN_KEY: span, SCOPE_KEY: node}))
        except Exception as error:  # noqa: BLE001 - the request goes on without
            swallow("starting a model request", error)

    def leave(self) -> Context:
        """Return the context that the request runs in, and give the caller's back."""
        context = get_current()
        token, self._token = self._token, None
        if token is not None:
            detach(token)
        return context

    def answered(
        self, requested: tuple[str, ...] | None, input_tokens: int | None = None, calls: tuple[RequestedCall, ...] = ()
    ) -> None:
        """
        Note what the answer asks for.

        Args:
            requested: The ids of the calls, ``()`` if it asks for none; None where that cannot be told.
            input_tokens: What the request cost, if known.
            calls: The requested calls, if known; calls without an id are matched with them.
        """
        node = self._node
        if node is None:
            return
        node.requested = requested
        node.input_tokens = input_tokens
        if self._outer is not None:
            _tell(self._outer, node)
        if calls:
            try:
                REGISTRY.matches_requests = remember_requested_calls(node, calls) or REGISTRY.matches_requests
            except Exception as error:  # noqa: BLE001 - the calls then have no ids
                swallow("noting what a model asks for", error)

    def reached(self, at_ns: int) -> None:
        """
        Note that the answer has come as far as this *at_ns*, which is its end unless more is seen of it.

        Who streams an answer may let go of it before its end, and hold on to what is left for as long as it likes.
        """
        if self._node is not None:
            self._node.end_ns = at_ns

    def end(self, _: Any = None, /) -> None:
        """End: all of the answer is there."""
        self._end(None)

    def fail(self, error: BaseException) -> None:
        """End: the request came to nothing, or was cancelled."""
        self._end(error)

    def seen(self, item: Any) -> None:
        """Take note of a piece of a streamed answer."""

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
                _tell(self._outer, node)
                return
            REGISTRY.spans.pop(node.span_id, None)
            span = node.span
            if span.is_recording():
                if node.requested is not None:
                    span.set_attribute(names.REQUESTED, node.requested)
                if node.input_tokens is not None:
                    span.set_attribute(names.INPUT_TOKENS, node.input_tokens)
                if error is not None and not intact:
                    write_error(span, error)
            span.end(end_ns)
            node.span = None
        except Exception as failure:  # noqa: BLE001 - the answer is the program's and is there
            swallow("ending a model request", failure)


def _tell(outer: SpanNode | StepNode, known: StepNode) -> None:
    """Hand what is *known* on to the span of the same request, unless that knows already."""
    if isinstance(outer, StepNode):
        if outer.requested is None:
            outer.requested = known.requested
        if outer.input_tokens is None:
            outer.input_tokens = known.input_tokens
        if outer.messages is None:
            outer.messages = known.messages
    elif outer.facts is None:
        known.parent = outer
        outer.facts = known
