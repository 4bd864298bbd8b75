"""
Reads OTLP protobuf: one trace request, or several with their lengths before them, as the Collector's exporters write.

The Collector's file exporter writes a length of four bytes before each request, also where it compresses them. Requests
of the other signals are recognised; log records are handed on as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status, TracesData

from otel_parallelism.dialects.parsing.link_kinds import link_types
from otel_parallelism.errors import UnreadableError
from otel_parallelism.model import SpanEvent, SpanRecord

from .parsing.field_errors import WrongFieldError
from .parsing.otlp_types import checked_id, identity
from .parsing.plausible_times import PlausibleTimes
from .parsing.skipped_errors import SkippedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

EXPECTED: Final = "OTLP protobuf: a trace request, or several with their lengths before them"
_ERROR: Final = Status.STATUS_CODE_ERROR
_HAS_REMOTE = 0x100
_IS_REMOTE = 0x200
_VARINT_BITS: Final = 7
_LONGEST_NUMBER_BITS: Final = 70
_LENGTH_BYTES: Final = 4
_FIRST_FIELD: Final = b"\x0a"
"""The tag of the field ``resource_spans``."""

_FIELDS_OF_GROUP: Final = (b"\x0a", b"\x12")
"""The tags of ``resource`` and ``scope_spans``."""


def read_otlp_protobuf(
    name: str,
    data: bytes,
    other: Callable[[bytes], bool] | None = None,
    skip: Callable[[UnreadableError], None] | None = None,
) -> Iterator[SpanRecord]:
    """
    Yield the spans in *data*.

    Args:
        name: What messages call the file.
        data: The whole content, without compression.
        other: Called with each request of log records, as OTLP JSON; returns whether it has read them.
        skip: Called with the error of each message that cannot be read, such as a last one that is not complete; None
            to raise it. The line of the error is the number of the message.

    Raises:
        UnreadableError: It is not OTLP protobuf, or it is of another signal, or no message can be read.
    """
    messages = _messages(data, is_request)
    complete = messages or _complete_messages(data)
    if complete:
        errors = SkippedErrors(name, EXPECTED, skip)
        times = PlausibleTimes()
        for number, message in enumerate(complete, 1):
            try:
                spans = times.checked(message_spans(message))
            except WrongFieldError as error:
                errors.add(wrong_message(name, number if len(complete) > 1 else None, error))
                continue
            errors.found()
            yield from spans
        if messages is None:
            errors.add(UnreadableError(name, None, "its last message ends early", EXPECTED))
        errors.close()
        return
    logs = None if other is None else _messages(data, _is_log_request)
    if other is None or logs is None or not all(other(_log_json(message)) for message in logs):
        raise without_spans(name, data)


def message_spans(message: bytes, *, any_ids: bool = False) -> list[SpanRecord]:
    """
    Return the spans of one trace request.

    Args:
        message: The request.
        any_ids: Whether ids may be empty or all zeros.

    Raises:
        DecodeError: It is not protobuf.
        WrongFieldError: An id is empty or all zeros.
    """
    found = [span for group in TracesData.FromString(message).resource_spans for span in _records(group)]
    for span in () if any_ids else found:
        checked_id(span.trace_id)
        checked_id(span.span_id)
    return found


def wrong_message(name: str, number: int | None, error: WrongFieldError) -> UnreadableError:
    """Return the error of the file called *name* for its message *number*, from 1; None if it has only one."""
    return UnreadableError(name, number, str(error), error.expected or EXPECTED)


def _messages(data: bytes, is_such: Callable[[bytes], bool]) -> list[bytes] | None:
    """Return the requests in *data* if all are such ones, else None."""
    for split in (lambda whole: ([whole], len(whole)), _fixed_lengths, _varint_lengths):
        messages, end = split(data)
        if messages and end == len(data) and all(is_such(message) for message in messages):
            return messages
    return None


def without_spans(name: str, data: bytes) -> UnreadableError:
    """Return the error of a binary file called *name* that has no spans: it is of another signal, or not OTLP."""
    for signal, is_such in (("logs", _is_log_request), ("metrics", _is_metric_request)):
        if _messages(data, is_such) is not None:
            return UnreadableError(name, None, f"it holds {signal} and no spans", EXPECTED)
    problem = "the protobuf ends early" if _is_cut(data) else "it is binary data of an unknown format"
    return UnreadableError(name, None, problem, EXPECTED)


def _complete_messages(data: bytes) -> list[bytes]:
    """Return the requests in *data* before a last one that is not complete; none if *data* is something else."""
    for split in (_fixed_lengths, _varint_lengths):
        messages, end = split(data)
        if messages and end < len(data) and all(is_request(message) for message in messages):
            return messages
    return []


def _is_cut(data: bytes) -> bool:
    """Return whether *data* begins as a trace request does, and has fewer bytes than it says."""
    length, start = _varint(data, 1)
    return data[:1] == _FIRST_FIELD and data[start : start + 1] in _FIELDS_OF_GROUP and start + length > len(data)


def _is_log_request(message: bytes) -> bool:
    try:
        request = LogsData.FromString(message)
    except DecodeError:
        return False
    records = [record for group in request.resource_logs for scope in group.scope_logs for record in scope.log_records]
    return bool(records) and all(record.time_unix_nano or record.observed_time_unix_nano for record in records)


def _is_metric_request(message: bytes) -> bool:
    try:
        request = MetricsData.FromString(message)
    except DecodeError:
        return False
    metrics = [
        metric for group in request.resource_metrics for scope in group.scope_metrics for metric in scope.metrics
    ]
    return bool(metrics) and all(metric.name and metric.WhichOneof("data") for metric in metrics)


def _log_json(message: bytes) -> bytes:
    return MessageToJson(LogsData.FromString(message), indent=None).encode()


def is_request(message: bytes) -> bool:
    """Return whether *message* is a trace request. Almost any bytes decode to something; ids have fixed lengths."""
    try:
        request = TracesData.FromString(message)
    except DecodeError:
        return False
    spans = [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
    return bool(request.resource_spans) and all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in spans)  # noqa: PLR2004


def _fixed_lengths(data: bytes) -> tuple[list[bytes], int]:
    """Return the complete messages in *data*, each after its length in four bytes, and where the last one ends."""
    messages, at = [], 0
    while at + _LENGTH_BYTES <= len(data):
        start = at + _LENGTH_BYTES
        length = int.from_bytes(data[at:start], "big")
        if start + length > len(data):
            break
        if length:  # a request without spans has no bytes
            messages.append(data[start : start + length])
        at = start + length
    return messages, at


def _varint_lengths(data: bytes) -> tuple[list[bytes], int]:
    """Return the same for lengths as protobuf writes numbers."""
    messages, at = [], 0
    while at < len(data):
        length, start = _varint(data, at)
        if not length or start + length > len(data):
            break
        messages.append(data[start : start + length])
        at = start + length
    return messages, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at position *at* in *data*, and the position after it."""
    number = shift = 0
    while at < len(data) and shift < _LONGEST_NUMBER_BITS:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += _VARINT_BITS
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            break
    return number, at


def _records(group: ResourceSpans) -> Iterator[SpanRecord]:
    source = identity(_attributes(group.resource.attributes))
    for scope_spans in group.scope_spans:
        scope = scope_spans.scope.name
        for span in scope_spans.spans:
            yield _record(span, source, scope)


def _record(span: Span, source: str, scope: str) -> SpanRecord:
    parent = span.parent_span_id.hex()
    events, links, flags = span.events, span.links, span.flags
    return SpanRecord(
        span.trace_id.hex(),
        span.span_id.hex(),
        parent if parent.strip("0") else "",
        span.name,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _attributes(span.attributes),
        tuple([SpanEvent(event.name, _attributes(event.attributes)) for event in events]) if events else (),
        tuple([link.span_id.hex() for link in links]) if links else (),
        span.kind,
        span.status.code == _ERROR,
        bool(flags & _HAS_REMOTE and flags & _IS_REMOTE),
        source,
        scope,
        link_types([_attributes(link.attributes) for link in links]) if links else (),
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
