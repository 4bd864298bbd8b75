"""Span records from the SDK's spans, open or ended, and the cheap question whether one can matter at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.analysis.tree import passage
from otel_parallelism.dialects import classify, genai, haystack, langfuse, mcp, openinference, traceloop
from otel_parallelism.model import Observation, SpanEvent, SpanRecord, TurnSpan

if TYPE_CHECKING:
    from .nodes import SpanNode

KEYS = genai.KEYS | mcp.KEYS | langfuse.KEYS | traceloop.KEYS | openinference.KEYS
NAMES = genai.NAMES + mcp.NAMES + haystack.NAMES

_OTLP_KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
_ERROR = "ERROR"


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
    context = span.get_span_context()
    parent = span.parent
    return SpanRecord(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id="" if parent is None else f"{parent.span_id:016x}",
        name=span.name,
        start_ns=span.start_time or 0,
        end_ns=span.end_time or end_ns,
        attributes=dict(span.attributes or {}),
        events=tuple(SpanEvent(event.name, dict(event.attributes or {})) for event in span.events),
        links=tuple(f"{link.context.span_id:016x}" for link in span.links),
        kind=_OTLP_KINDS.get(span.kind.name, 0),
        error=span.status.status_code.name == _ERROR,
        remote_parent=parent is not None and parent.is_remote,
        instrumentation=span.instrumentation_scope.name if span.instrumentation_scope is not None else "",
    )


def observe(span: Any, end_ns: int) -> Observation:
    """Return what *span* is, as its dialect tells it."""
    return classify(record(span, end_ns))


def told(node: SpanNode, end_ns: int) -> Observation:
    """Return what *node*'s span is; an echo is no turn, whatever it says."""
    observation = observe(node.span, end_ns)
    return passage(observation) if node.echo and isinstance(observation, TurnSpan) else observation
