"""
The fields of spans.

The public properties copy attributes and events, or add a call to every access. Processors read every span of the
program.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Span
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor

# ruff: noqa: SLF001 - this folder is where private names are accessed


def span_id_of(span: Any) -> int:
    """Return the id of *span*, open or ended."""
    span_id: int = span._context[1]
    return span_id


def id_of_any(span: Any) -> int:
    """Return the id of *span*, which need not be one of the SDK."""
    found = getattr(span, "_context", None)
    span_id: int = found[1] if type(found) is SpanContext else span.get_span_context().span_id
    return span_id


def span_context_of(span: Any) -> object:
    """Return the ``SpanContext`` of *span* if it is a span of the SDK; else None, or another object."""
    return getattr(span, "_context", None)


def id_and_scope(span: Any) -> tuple[int, str]:
    """Return the id of the open *span* and the name of its instrumentation scope."""
    return span._context[1], span._instrumentation_scope._name


def parent_and_start(span: Any) -> tuple[int, int]:
    """Return the id of the parent of *span*, open or ended, and when the span started; 0 where there is none."""
    parent = span._parent
    return 0 if parent is None else parent[1], span._start_time or 0


def raw_attributes(span: Any) -> Mapping[str, Any]:
    """Return the attributes of *span*, open or ended; not a copy, and read without the lock."""
    try:
        attributes: Mapping[str, Any] = span._attributes._dict
    except AttributeError:
        return span._attributes or {}
    return attributes


def name_and_attributes(span: Any) -> tuple[str, Mapping[str, Any]]:
    """Return the name and the attributes of the open *span*; not a copy, and read without the lock."""
    return span._name, span._attributes._dict


def content_fields(span: Any) -> tuple[str, Mapping[str, Any], Sequence[Event]]:
    """Return the name, the attributes and the events of *span*, which has ended; not copies, and read without locks."""
    events = span._events
    return span._name, raw_attributes(span), getattr(events, "_dq", events) or ()


def end_time_of(span: Any) -> int:
    """Return when *span* ended; 0 if it has not."""
    return span._end_time or 0


def fingerprint(span: Any) -> tuple[str, int, int]:
    """Return the name of the open *span*, and how many attributes it has and has dropped because of a limit."""
    attributes = span._attributes
    return span._name, len(attributes._dict), attributes.dropped


def raw_name(span: Any) -> str:
    """Return the name of *span*, open or ended."""
    name: str = span._name
    return name


def all_fields(span: Any) -> tuple[Any, ...]:
    """
    Return the data of *span*, open or ended.

    Returns:
        Context, parent, scope, name, start and end time (ns, None while open), attributes, events, links, kind, status.
    """
    return (
        span._context,
        span._parent,
        span._instrumentation_scope,
        span._name,
        span._start_time,
        span._end_time,
        getattr(span._attributes, "_dict", span._attributes),
        span._events,
        span._links,
        span._kind,
        span._status,
    )


def span_limits(span: Any) -> Any:
    """
    Return the `SpanLimits` of *span*, a span or a tracer, or None where it has none.

    No public property of the SDK leads to them.
    """
    return getattr(span, "_limits", None) or getattr(span, "limits", None) or getattr(span, "_span_limits", None)


# Attributes of our own spans: the SDK cleans those of each span, a tenth of what a span costs. Only a private field
# takes attributes that have been cleaned before.


def cleaned_attributes(attributes: Mapping[str, Any], limits: Any) -> dict[str, Any] | None:
    """Return *attributes* as a span with *limits* (`SpanLimits`) holds them; None where it would drop some."""
    held = BoundedAttributes(
        limits.max_span_attributes, attributes, immutable=False, max_value_len=limits.max_span_attribute_length
    )
    return dict(held) if len(held) == len(attributes) and isinstance(getattr(held, "_dict", None), dict) else None


def fill_attributes(span: Any, by_name: Mapping[int, tuple[str, Mapping[str, Any]]]) -> None:
    """
    Give *span*, which starts without attributes, those of its name.

    Args:
        span: The span.
        by_name: Names, with attributes as from `cleaned_attributes`, by the id of the name.
    """
    name = getattr(span, "_name", None)
    known = by_name.get(id(name))
    if known is not None and known[0] is name:
        held = getattr(span, "_attributes", None)
        if type(held) is BoundedAttributes and not held._dict:
            held._dict.update(known[1])


def set_start_time(span: Any, start_ns: int) -> None:
    """Move the start of the open *span* to *start_ns*. The public API sets a start only when the span starts."""
    if hasattr(span, "_start_time"):
        span._start_time = start_ns


# A span that is exported later: nothing public changes which processors get a span, or adds to one that has ended.


def processor_of_span(span: Any) -> Any:
    """Return the processor that *span* calls at its end; None where it is no span of the SDK."""
    return getattr(span, "_span_processor", None) if isinstance(span, Span) else None


def set_processor_of_span(span: Any, processor: SpanProcessor) -> None:
    """Let *span*, of the SDK, call *processor* at its end."""
    span._span_processor = processor


def with_result(span: ReadableSpan, attributes: Mapping[str, Any], events: Sequence[Event]) -> ReadableSpan:
    """Return a copy of *span*, which has ended, with further *attributes* and *events*, for which it has room."""
    changed = copy(span)
    before = span._attributes
    changed._attributes = BoundedAttributes(attributes={**(before or {}), **attributes}, immutable=True)
    changed._attributes.dropped = span.dropped_attributes
    all_events = BoundedList.from_seq(None, [*span._events, *events])
    all_events.dropped = span.dropped_events
    changed._events = all_events
    return changed
