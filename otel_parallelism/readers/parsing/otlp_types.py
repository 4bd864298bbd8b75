"""
Types for decoding OTLP's JSON trace requests, and their conversion to span records.

Only the fields that the analysis needs are decoded. Decoders are lenient: integers are strings or numbers, enumerations
are numbers or names, ids are hex or (from protobuf's JSON writer) base64, and fields may be absent or null.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.dialects.parsing.link_kinds import link_types
from otel_parallelism.model import SpanEvent, SpanRecord

from .field_errors import WrongFieldError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HAS_REMOTE = 0x100
_IS_REMOTE = 0x200
_ERROR_CODES: Final = frozenset({2, "2", "STATUS_CODE_ERROR"})
_KINDS: Final = {"SERVER": 2, "CLIENT": 3, "INTERNAL": 1, "PRODUCER": 4, "CONSUMER": 5}
_LATEST_NS = 1 << 64
_BASE64: Final = {24: 24, 22: 24, 12: 12, 11: 12}
"""The lengths of ids in base64, also without padding, and with it."""

_HEX_LENGTHS: Final = frozenset({16, 32})
_HEX: Final = re.compile("[0-9A-Fa-f]*")
_UUID: Final = re.compile("[0-9A-Fa-f-]*")
_URL_SAFE: Final = re.compile("[-_]")

# Resource attributes that identify a process.
IDENTITY = (
    *("service.namespace", "service.name", "service.instance.id"),
    *("host.id", "host.name", "k8s.pod.uid", "container.id", "process.pid"),
)


class _Array(msgspec.Struct, gc=False):
    values: list[Value] | None = None


class _Map(msgspec.Struct, gc=False):
    values: list[KeyValue] | None = None


class Value(msgspec.Struct, rename="camel", gc=False):
    """One attribute value, of exactly one type."""

    string_value: str | None = None
    int_value: int | None = None
    double_value: float | None = None
    bool_value: bool | None = None
    array_value: _Array | None = None
    kvlist_value: _Map | None = None
    bytes_value: str | None = None


class KeyValue(msgspec.Struct, gc=False):
    """One attribute."""

    key: str
    value: Value | None = None


class _Event(msgspec.Struct, gc=False):
    name: str | None = None
    attributes: list[KeyValue] | None = None


class _Link(msgspec.Struct, rename="camel", gc=False):
    span_id: str | None = None
    attributes: list[KeyValue] | None = None


class _Status(msgspec.Struct, gc=False):
    code: int | str | None = None


class Span(msgspec.Struct, rename="camel", gc=False):
    """One span; the fields that OTLP requires have no default."""

    trace_id: str
    span_id: str
    start_time_unix_nano: int | float
    end_time_unix_nano: int | float | None = None
    name: str | None = None
    parent_span_id: str | None = None
    kind: int | str | None = None
    attributes: list[KeyValue] | None = None
    events: list[_Event] | None = None
    links: list[_Link] | None = None
    status: _Status | None = None
    flags: int | None = None


class _Scope(msgspec.Struct, gc=False):
    name: str | None = None


class _ScopeSpans(msgspec.Struct, gc=False):
    scope: _Scope | None = None
    spans: list[Span] | None = None


class Resource(msgspec.Struct, gc=False):
    """The process or service that recorded the spans."""

    attributes: list[KeyValue] | None = None


class ResourceSpans(msgspec.Struct, rename="camel", gc=False):
    """The spans of one resource."""

    resource: Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class Request(msgspec.Struct, rename="camel", gc=False):
    """An export request; one of another signal is recognised by its field, which is not decoded."""

    resource_spans: list[ResourceSpans] | msgspec.UnsetType | None = msgspec.UNSET
    resource_metrics: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    resource_logs: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    resource_profiles: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def records(group: ResourceSpans) -> list[SpanRecord]:
    """
    Return the spans of one resource as records.

    Raises:
        ValueError: An id is empty or zero, or base64 is invalid.
    """
    source = identity(_attributes(group.resource.attributes if group.resource else None))
    found: list[SpanRecord] = []
    for scope_spans in group.scope_spans or ():
        scope = (scope_spans.scope.name if scope_spans.scope else None) or ""
        found.extend(_record(span, source, scope) for span in scope_spans.spans or ())
    return found


def _record(span: Span, source: str, scope: str) -> SpanRecord:
    flags, status, kind = span.flags, span.status, span.kind
    start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
    return SpanRecord(
        _trace_id(span.trace_id),
        _id(span.span_id),
        _parent(span.parent_span_id) if span.parent_span_id else "",
        span.name or "",
        start_ns if type(start_ns) is int and 0 <= start_ns < _LATEST_NS else _time_ns(start_ns),
        # protobuf's JSON writer omits 0, the end of an open span
        end_ns if type(end_ns) is int and 0 <= end_ns < _LATEST_NS else _time_ns(end_ns or 0),
        _attributes(span.attributes) if span.attributes else {},
        tuple([SpanEvent(event.name or "", _attributes(event.attributes)) for event in span.events])
        if span.events
        else (),
        tuple([hex_of(link.span_id) for link in span.links if link.span_id]) if span.links else (),
        kind if isinstance(kind, int) else _kind(kind),
        status is not None and status.code in _ERROR_CODES,
        bool(flags and flags & _HAS_REMOTE and flags & _IS_REMOTE),
        source,
        scope,
        link_types([_attributes(link.attributes) for link in span.links if link.span_id]) if span.links else (),
    )


def _time_ns(written: float) -> int:
    """
    Return a time in nanoseconds.

    Raises:
        ValueError: OTLP's type of a time cannot hold it.
    """
    if not 0 <= written < _LATEST_NS:  # false for NaN too
        raise WrongFieldError("a time is out of range")
    return int(written)


def checked_id(own_id: str) -> str:
    """
    Return *own_id*, the id of a span or a trace.

    Raises:
        WrongFieldError: It is empty or all zeros. Spans with such an id would count as one span, and as the parent of
            every root.
    """
    if not own_id.strip("0"):
        raise WrongFieldError("an empty or zero text is not an id")
    return own_id


def _id(written: str) -> str:
    """Return the id of a span or a trace as lower-case hex; it is checked as in `checked_id`."""
    return checked_id(hex_of(written))


_trace_id = lru_cache(maxsize=1024)(_id)
"""The same for the id of a trace, which many spans have."""


@lru_cache(maxsize=1024)
def _parent(written: str) -> str:
    """Return a parent's id as lower-case hex; empty for all zeros, which some exporters write for a root span."""
    parent_id = hex_of(written)
    return parent_id if parent_id.strip("0") else ""


def _attributes(pairs: list[KeyValue] | None) -> dict[str, object]:
    return {
        pair.key: _plain(value) if value.string_value is None else value.string_value
        for pair in pairs or ()
        if (value := pair.value) is not None
    }


def _plain(value: Value) -> object:
    for scalar in (value.string_value, value.int_value, value.bool_value, value.double_value):
        if scalar is not None:
            return scalar
    if value.array_value is not None:
        return [_plain(item) for item in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return _attributes(value.kvlist_value.values)
    return base64.b64decode(value.bytes_value) if value.bytes_value is not None else None


def hex_of(written: str) -> str:
    """
    Return an id as lower-case hex; base64 is recognised by its length, which differs from that of hex.

    What is neither is returned as it is: its letters may differ in case only.

    Raises:
        WrongFieldError: The base64 is broken.

    >>> hex_of("00000000000000AB"), hex_of("AAAAAAAAAKs="), hex_of("AAAAAAAAAKs"), hex_of("job-A")
    ('00000000000000ab', '00000000000000ab', '00000000000000ab', 'job-A')
    """
    if len(written) in _HEX_LENGTHS or _HEX.fullmatch(written):
        return written.lower()
    if len(written) in _BASE64 and written.rstrip("=").isascii():
        try:
            whole = written.rstrip("=").ljust(_BASE64[len(written)], "=")
            return base64.b64decode(whole, altchars=b"-_" if _URL_SAFE.search(whole) else None, validate=True).hex()
        except binascii.Error:
            if written.endswith("="):
                raise WrongFieldError("broken base64 is not an id") from None
    return written.lower() if _UUID.fullmatch(written) else written


def _kind(kind: str | None) -> int:
    if not kind:
        return 0
    return int(kind) if kind.isdigit() else _KINDS.get(kind.removeprefix("SPAN_KIND_"), 0)


def identity(attributes: Mapping[str, object]) -> str:
    """Return a text that is the same for all spans of one process and service; empty without resource *attributes*."""
    parts = [f"{key}={attributes[key]}" for key in IDENTITY if key in attributes]
    if parts:
        return " ".join(parts)
    if not attributes:
        return ""
    whole = repr(sorted((key, repr(value)) for key, value in attributes.items()))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]
