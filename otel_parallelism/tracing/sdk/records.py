"""Span records from the SDK's spans, open or ended, and the cheap question whether one can matter at all."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import SpanKind, StatusCode

from otel_parallelism.dialects import classify, genai, haystack_tracing, langfuse, mcp_spans, openinference, traceloop
from otel_parallelism.model import Observation, SpanEvent, SpanRecord

KEYS = genai.KEYS | mcp_spans.KEYS | langfuse.KEYS | traceloop.KEYS | openinference.KEYS
NAMES = genai.NAMES + mcp_spans.NAMES + haystack_tracing.NAMES

_OTLP_KINDS = {
    SpanKind.INTERNAL: 1,
    SpanKind.SERVER: 2,
    SpanKind.CLIENT: 3,
    SpanKind.PRODUCER: 4,
    SpanKind.CONSUMER: 5,
}


def is_marked(span: Any) -> bool:
    """Whether *span*, open or ended, can be more than a passage in some dialect; as cheap as can be."""
    attributes = span._attributes  # noqa: SLF001 - the public property copies, and this is asked of every span
    # The plain dict inside is read without the lock and the copy that iterating its wrapper costs.
    if attributes and not KEYS.isdisjoint(getattr(attributes, "_dict", attributes)):
        return True
    name: str = span._name  # noqa: SLF001 - likewise
    return name.startswith(NAMES)


def record(span: Any, end_ns: int) -> SpanRecord:
    """Return what *span* says so far; *end_ns* stands for the end of one that is still open."""
    # Written for its cost, as every span of an agent's passes here twice: private fields, what is mostly empty unread.
    context, parent, scope = span._context, span._parent, span._instrumentation_scope  # noqa: SLF001 - as said
    attributes, events, links = span._attributes, span._events, span._links  # noqa: SLF001 - as said
    return SpanRecord(
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
        "" if parent is None else f"{parent.span_id:016x}",
        span._name,  # noqa: SLF001 - as said
        span._start_time or 0,  # noqa: SLF001 - as said
        span._end_time or end_ns,  # noqa: SLF001 - as said
        dict(getattr(attributes, "_dict", attributes)) if attributes else {},
        tuple([SpanEvent(event.name, dict(event.attributes or {})) for event in events]) if events else (),
        tuple([f"{link.context.span_id:016x}" for link in links]) if links else (),
        _OTLP_KINDS.get(span._kind, 0),  # noqa: SLF001 - as said
        span._status.status_code is StatusCode.ERROR,  # noqa: SLF001 - as said
        parent is not None and parent.is_remote,
        "",
        "" if scope is None else scope.name,
    )


def observe(span: Any, end_ns: int) -> Observation:
    """Return what *span* is, as its dialect tells it."""
    return classify(record(span, end_ns))
