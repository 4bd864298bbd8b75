"""Converts the SDK's spans, open or ended, to span records, and checks cheaply whether a span can matter."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import replace
from opentelemetry.trace import SpanKind, StatusCode

from otel_parallelism.dialects import KEYS, classify, classify_declared, is_named, is_tool_call
from otel_parallelism.dialects.parsing.declared_spans import SpanPatterns
from otel_parallelism.dialects.parsing.link_kinds import link_types
from otel_parallelism.model import Observation, SpanEvent, SpanRecord

from .compatibility.span_fields import all_fields, content_fields, name_and_attributes, raw_attributes, raw_name

_OTLP_KINDS = {
    SpanKind.INTERNAL: 1,
    SpanKind.SERVER: 2,
    SpanKind.CLIENT: 3,
    SpanKind.PRODUCER: 4,
    SpanKind.CONSUMER: 5,
}


class Declarations:
    """
    What the settings in use declare.

    Attributes:
        patterns: The patterns of spans; None if there are none.
    """

    def __init__(self) -> None:
        self.patterns: SpanPatterns | None = None


DECLARED: Final = Declarations()
"""An object, since a field of a class is read slowly."""


def declare_spans(patterns: SpanPatterns | None) -> None:
    """Recognise spans that match *patterns* from now on, whatever their vocabulary."""
    DECLARED.patterns = patterns


def is_marked(span: Any) -> bool:
    """Whether the attributes or the name of *span*, open or ended, identify it as one of some dialect or declared."""
    return not KEYS.isdisjoint(raw_attributes(span)) or is_named(raw_name(span)) or is_declared(span)


def is_declared(span: Any) -> bool:
    """Whether the settings say what *span*, open or ended, is."""
    patterns = DECLARED.patterns
    return patterns is not None and patterns.kind_of(raw_name(span), raw_attributes(span)) is not None


def is_tool_span(span: Any) -> bool:
    """Whether *span*, open or ended, is surely a call of a tool; False says nothing."""
    name, attributes = name_and_attributes(span)
    return DECLARED.patterns is None and is_tool_call(name, attributes)


def size_of_tool_span(span: Any) -> int:
    """
    Return how many characters the texts of *span*, which has ended, have: those among its attributes and its events'.

    Returns:
        -1 where the span is not surely a call of a tool.
    """
    name, attributes, events = content_fields(span)
    if DECLARED.patterns is not None or not is_tool_call(name, attributes):
        return -1
    size = 0
    for value in attributes.values():
        if type(value) is str:
            size += len(value)
    for event in events:
        size += sum([len(value) for value in (event.attributes or {}).values() if type(value) is str])
    return size


def span_record(span: Any, end_ns: int) -> SpanRecord:
    """Return the data of *span*; *end_ns* is the end time of a span that is still open."""
    context, parent, scope, name, start, end, attributes, events, links, kind, status = all_fields(span)
    return SpanRecord(
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
        "" if parent is None else f"{parent.span_id:016x}",
        name,
        start or 0,
        end or end_ns,
        dict(attributes) if attributes else {},
        tuple([SpanEvent(event.name, dict(event.attributes or {})) for event in events]) if events else (),
        tuple([f"{link.context.span_id:016x}" for link in links]) if links else (),
        _OTLP_KINDS.get(kind, 0),
        status.status_code is StatusCode.ERROR,
        parent is not None and parent.is_remote,
        "",
        "" if scope is None else scope.name,
        link_types([link.attributes for link in links]) if links else (),
    )


class Classified(msgspec.Struct, frozen=True, gc=False):
    """What a span was classified as, and from what."""

    observation: Observation
    record: SpanRecord
    patterns: SpanPatterns | None


def observe(span: Any, end_ns: int, before: Classified | None = None) -> Classified:
    """
    Return the classification of *span* by its dialect.

    Args:
        span: The span, open or ended.
        end_ns: The end time of a span that is still open.
        before: An earlier classification of the span. If nothing but the end has changed since, it is used again.
    """
    patterns = DECLARED.patterns
    record = span_record(span, end_ns)
    if before is not None and before.patterns is patterns and replace(before.record, end_ns=record.end_ns) == record:
        return Classified(replace(before.observation, end_ns=record.end_ns), record, patterns)
    return Classified(classify(record) if patterns is None else classify_declared(record, patterns), record, patterns)
