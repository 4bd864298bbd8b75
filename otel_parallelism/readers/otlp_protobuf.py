"""
Reads OTLP protobuf: one trace request, or several with their lengths before them, as the Collector's exporters write.

The Collector's file exporter writes a length of four bytes before each request, also where it compresses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status, TracesData

from otel_parallelism.dialects.parsing.link_kinds import link_types
from otel_parallelism.errors import UnreadableError
from otel_parallelism.model import SpanEvent, SpanRecord

from .parsing.opening import with_lengths
from .parsing.otlp_types import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

EXPECTED: Final = "OTLP protobuf: a trace request, or several with their lengths before them"
_HAS_REMOTE = 0x100
_IS_REMOTE = 0x200
_VARINT_BITS: Final = 7


def read_otlp_protobuf(name: str, data: bytes) -> Iterator[SpanRecord]:
    """
    Yield the spans in *data*.

    Args:
        name: What messages call the file.
        data: The whole content, without compression.

    Raises:
        UnreadableError: It is not OTLP protobuf.
    """
    for message in _messages(name, data):
        yield from message_spans(message)


def message_spans(message: bytes) -> Iterator[SpanRecord]:
    """
    Yield the spans of one trace request.

    Raises:
        DecodeError: It is not protobuf.
    """
    for group in TracesData.FromString(message).resource_spans:
        yield from _records(group)


def _messages(name: str, data: bytes) -> list[bytes]:
    for split in (lambda whole: [whole], with_lengths, _varint_lengths):
        messages = split(data)
        if messages is not None and all(is_request(message) for message in messages):
            return messages
    raise unknown_binary(name)


def unknown_binary(name: str) -> UnreadableError:
    """Return the error of a binary file called *name* that is not OTLP."""
    return UnreadableError(name, None, "it is binary data of an unknown format", EXPECTED)


def is_request(message: bytes) -> bool:
    """Return whether *message* is a trace request. Almost any bytes decode to something; ids have fixed lengths."""
    try:
        request = TracesData.FromString(message)
    except DecodeError:
        return False
    spans = [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
    return bool(request.resource_spans) and all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in spans)  # noqa: PLR2004


def _varint_lengths(data: bytes) -> list[bytes] | None:
    messages, at = [], 0
    while at < len(data):
        length = shift = 0
        while at < len(data):
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += _VARINT_BITS
            if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
                break
        if not length or at + length > len(data):
            return None
        messages.append(data[at : at + length])
        at += length
    return messages


def _records(group: ResourceSpans) -> Iterator[SpanRecord]:
    source = identity(_attributes(group.resource.attributes))
    for scope_spans in group.scope_spans:
        for span in scope_spans.spans:
            yield _record(span, source, scope_spans.scope.name)


def _record(span: Span, source: str, scope: str) -> SpanRecord:
    parent = span.parent_span_id.hex()
    return SpanRecord(
        span.trace_id.hex(),
        span.span_id.hex(),
        parent if parent.strip("0") else "",
        span.name,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _attributes(span.attributes),
        tuple(SpanEvent(event.name, _attributes(event.attributes)) for event in span.events),
        tuple(link.span_id.hex() for link in span.links),
        span.kind,
        span.status.code == Status.STATUS_CODE_ERROR,
        bool(span.flags & _HAS_REMOTE and span.flags & _IS_REMOTE),
        source,
        scope,
        link_types([_attributes(link.attributes) for link in span.links]) if span.links else (),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {
        pair.key: value.string_value if (value := pair.value).HasField("string_value") else _plain(value)
        for pair in pairs
    }


def _plain(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)
