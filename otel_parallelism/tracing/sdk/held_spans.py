"""
Holds the export of a turn's span until its result is there.

The span itself ends at once, for the program and for our own processor. Only processors that export in batches get it
later, with the result: they would keep it for a while anyway, and look at each span alone. Every other processor may
look at a span together with those around it, or be expected to have exported it at once; where a provider has one, no
span is held.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, SynchronousMultiSpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from otel_parallelism.tracing.shield import swallow

from .compatibility.pipeline_parts import (
    active_processor,
    add_first_processor,
    call_ending,
    inner_processors,
    remove_processor,
)
from .compatibility.span_fields import processor_of_span, set_processor_of_span, span_limits, with_result
from .forwarding import ForwardingProcessor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from opentelemetry.trace import SpanContext


_OURS = __name__.partition(".")[0] + "."
_LONGEST_SHUTDOWN_S = 10.0


class HeldSpan(SpanProcessor):
    """
    The processor of one span that is about to end: it passes the span on at once to our own, and later to the others.

    It can be written to like a span until `release`.
    """

    def __init__(
        self, span: Any, around: Any, at_once: tuple[Any, ...], later: tuple[Any, ...], all_held: set[HeldSpan]
    ) -> None:
        """Add itself to *all_held*, until its release."""
        self.limits: Any = span_limits(span)
        self._all_held = all_held
        all_held.add(self)
        self._around = around
        self._at_once = at_once
        self._later = list(later)
        self._span: Any = span
        self._lock = threading.Lock()
        self._ended: ReadableSpan | None = None
        self._released = False
        self._added: dict[str, Any] = {}
        self._events: list[tuple[str, dict[str, Any]]] = []

    # What the SDK calls at the end of the span.

    def _on_ending(self, span: Span) -> None:
        """Pass the ending on."""
        call_ending(self._around, span)

    def on_end(self, span: ReadableSpan) -> None:
        """Pass *span* on to our own processor; the others get it now if the result is there, else at its release."""
        for processor in self._at_once:
            processor.on_end(span)
        with self._lock:
            self._ended = span
            if not self._released:
                return
        self._pass_on(span)

    def resume(self, span: ReadableSpan) -> None:
        """Go on with `on_end` after an interruption of it; the processor that was interrupted is not called again."""
        if self._ended is None:
            self.on_end(span)
        elif self._released:
            self._pass_on(span)

    # What `write_report` calls.

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The attributes of the span, with those that were added."""
        return {**(self._span.attributes or {}), **self._added}

    @property
    def events(self) -> tuple[Any, ...]:
        """The events of the span, with those that were added."""
        return (*self._span.events, *self._events)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Add *attributes*."""
        self._added.update(attributes)

    def add_event(self, name: str, attributes: dict[str, Any]) -> None:
        """Add an event at the end of the span."""
        self._events.append((name, attributes))

    def get_span_context(self) -> SpanContext:
        """Return the context of the span."""
        context: SpanContext = self._span.get_span_context()
        return context

    def release(self) -> None:
        """Pass the span on with what was added; if it has not ended yet, as soon as it ends. Never raises."""
        with self._lock:
            released, self._released = self._released, True
            ended = self._ended
        self._all_held.discard(self)
        if ended is not None and not released:
            self._pass_on(ended)

    def _pass_on(self, span: ReadableSpan) -> None:
        try:
            if self._added or self._events:
                events = [Event(name, attributes, span.end_time) for name, attributes in self._events]
                span = with_result(span, self._added, events)
        except Exception as error:  # noqa: BLE001 - the span itself must not be lost
            swallow("adding a result to a held span", error)
        while self._later:
            self._later.pop(0).on_end(span)


class FlushingProcessor(SpanProcessor):
    """
    Comes first at a provider: lets the held spans reach the other processors before these flush or shut down.

    Attributes:
        held: The spans that are held.
    """

    def __init__(self, wait: Callable[[float], bool]) -> None:
        self.held: set[HeldSpan] = set()
        self._wait = wait

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing."""

    def on_end(self, span: ReadableSpan) -> None:
        """Do nothing."""

    def shutdown(self) -> None:
        """Wait for the results, within the time that a shutdown usually takes; pass on the other spans without one."""
        self._wait(_LONGEST_SHUTDOWN_S)
        for span in tuple(self.held):
            span.release()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait for the results."""
        return self._wait(timeout_millis / 1_000)


def hold_span(span: Any, wait: Callable[[float], bool]) -> HeldSpan | None:
    """
    Hold the export of *span*, which is about to end; return None, and change nothing, where it must not be held.

    Args:
        span: The span.
        wait: Waits for all results for so many seconds; called before the provider flushes or shuts down.
    """
    around = processor_of_span(span)
    multi = around.processors if type(around) is ForwardingProcessor else around
    if type(multi) is not SynchronousMultiSpanProcessor:
        return None
    excluded = around.excluded if type(around) is ForwardingProcessor else None
    at_once, later = [], []
    for processor in inner_processors(multi) or ():
        if type(processor) is BatchSpanProcessor:
            later.append(processor)
        elif type(processor).__module__.startswith(_OURS):
            if processor is not excluded:
                at_once.append(processor)
        else:
            return None
    if not later:
        return None
    flushing = next((processor for processor in at_once if type(processor) is FlushingProcessor), None)
    if flushing is None:
        flushing = FlushingProcessor(wait)
        add_first_processor(multi, flushing)
    held = HeldSpan(span, around, tuple(at_once), tuple(later), flushing.held)
    set_processor_of_span(span, held)
    return held


def exports_at_once(span: Any) -> bool:
    """Return whether the end of *span* waits for its export, by the SDK's ``SimpleSpanProcessor`` or one like it."""
    around = processor_of_span(span)
    multi = around.processors if type(around) is ForwardingProcessor else around
    return any(isinstance(processor, SimpleSpanProcessor) for processor in inner_processors(multi) or ())


def hold_no_more(provider: Any) -> None:
    """Remove from *provider* what `hold_span` added to it."""
    for processor in inner_processors(active_processor(provider)) or ():
        if type(processor) is FlushingProcessor:
            remove_processor(provider, processor)
