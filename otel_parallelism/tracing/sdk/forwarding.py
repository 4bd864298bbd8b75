"""Keeps the spans that we make away from our own span processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, SynchronousMultiSpanProcessor

from .compatibility.pipeline_parts import PROCESSORS, call_ending, has_ending, has_start
from .compatibility.span_fields import fill_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer


MOST_NAMES: Final = 10_000
"""For how many names of spans attributes are held."""


class ForwardingProcessor(SpanProcessor):
    """
    Forwards spans to all processors of a provider except one.

    The provider's processors are compared with the known ones at every span: the program may add some at any time.

    Attributes:
        processors: The provider's processors.
        excluded: The one that gets no span.
    """

    def __init__(self, processors: SynchronousMultiSpanProcessor, excluded: SpanProcessor) -> None:
        self.processors: SynchronousMultiSpanProcessor = processors
        # Read for every span of ours: a dict is read faster than a field of another object's through its name.
        self._fields: dict[str, Any] = vars(processors)
        self.excluded: SpanProcessor = excluded
        self._known: tuple[SpanProcessor, ...] | None = None
        self._others: tuple[SpanProcessor, ...] = ()
        self._starting: tuple[SpanProcessor, ...] = ()
        self._attributes: dict[int, tuple[str, Mapping[str, Any]]] = {}
        self._ending: tuple[SpanProcessor, ...] = ()

    def _update(self) -> None:
        """Forward to the processors that the provider has now."""
        processors = self._fields[PROCESSORS]
        self._others = tuple(processor for processor in processors if processor is not self.excluded)
        self._starting = tuple(processor for processor in self._others if has_start(processor))
        self._ending = tuple(processor for processor in self._others if has_ending(processor))
        self._known = processors

    def add_attributes(self, name: str, cleaned: Mapping[str, Any]) -> bool:
        """
        Give spans with this very *name*, the same object, the *cleaned* attributes when they start, if they have none.

        Returns:
            False, and nothing is done, where there are too many names.
        """
        if len(self._attributes) >= MOST_NAMES:
            return False
        # Holding the name keeps its id from being reused.
        self._attributes[id(name)] = (name, cleaned)
        return True

    def shutdown(self) -> None:
        """Forward nothing more: the provider is shut down, and its processors would log each span."""
        self.processors = SynchronousMultiSpanProcessor()  # type: ignore[no-untyped-call] # the SDK's
        self._fields = vars(self.processors)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Forward the start of *span*, with its attributes."""
        fill_attributes(span, self._attributes)
        if self._fields[PROCESSORS] is not self._known:
            self._update()
        for processor in self._starting:
            processor.on_start(span, parent_context=parent_context)

    def _on_ending(self, span: Span) -> None:
        """Forward the ending of *span*; the SDK calls this from 1.40 on."""
        if self._fields[PROCESSORS] is not self._known:
            self._update()
        for processor in self._ending:
            call_ending(processor, span)

    def on_end(self, span: ReadableSpan) -> None:
        """Forward the end of *span*."""
        if self._fields[PROCESSORS] is not self._known:
            self._update()
        for processor in self._others:
            processor.on_end(span)


def exclude_own_spans(tracer: Tracer, processor: SpanProcessor) -> ForwardingProcessor | None:
    """
    Stop *tracer*, which makes our own spans, from calling *processor*; our wrappers update the registry themselves.

    Returns:
        What *tracer* calls instead; None, and nothing is done, where the provider uses a multi-processor other than the
        SDK's synchronous one.
    """
    current = getattr(tracer, "span_processor", None)
    if type(current) is not SynchronousMultiSpanProcessor:
        return None
    forwarding = ForwardingProcessor(current, processor)
    tracer.span_processor = forwarding  # type: ignore[attr-defined] # an SDK tracer
    return forwarding
