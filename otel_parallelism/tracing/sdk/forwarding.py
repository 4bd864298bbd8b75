"""Keeps the spans that we make away from our own span processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, SynchronousMultiSpanProcessor

from .compatibility import ending_of, processors_of

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer


class ForwardingProcessor(SpanProcessor):
    """
    Forwards spans to all processors of a provider except one.

    The provider's list of processors is read at every span, since the program may add some at any time.
    """

    def __init__(self, processors: SynchronousMultiSpanProcessor, excluded: SpanProcessor) -> None:
        self._processors = processors
        self._excluded = excluded

    def shutdown(self) -> None:
        """Forward nothing more: the provider is shut down, and its processors would log each span."""
        self._processors = SynchronousMultiSpanProcessor()  # type: ignore[no-untyped-call] # the SDK's

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Forward the start of *span*."""
        excluded = self._excluded
        for processor in processors_of(self._processors):
            if processor is not excluded:
                processor.on_start(span, parent_context=parent_context)

    def _on_ending(self, span: Span) -> None:
        """Forward the ending of *span*; the SDK calls this from 1.40 on."""
        excluded = self._excluded
        for processor in processors_of(self._processors):
            if processor is not excluded:
                ending_of(processor)(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Forward the end of *span*."""
        excluded = self._excluded
        for processor in processors_of(self._processors):
            if processor is not excluded:
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
