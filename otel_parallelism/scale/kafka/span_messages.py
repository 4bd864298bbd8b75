"""Reads the messages that the Collector's Kafka exporter writes: one OTLP trace request each, in protobuf."""

from __future__ import annotations

from typing import Final

import msgspec
from google.protobuf.message import DecodeError

from otel_parallelism.model import SpanRecord
from otel_parallelism.readers.otlp_protobuf import message_spans
from otel_parallelism.readers.parsing.field_errors import WrongFieldError
from otel_parallelism.readers.parsing.plausible_times import PlausibleTimes

MOST_MESSAGE_BYTES: Final = 16 << 20
"""The size of the largest message that is read. By default, brokers accept at most 1 MB."""
_TRACE_ID_DIGITS: Final = 32
_SPAN_ID_DIGITS: Final = 16


class SpanMessage(msgspec.Struct, frozen=True):
    """
    A message of the topic.

    ``timestamp_ms`` is when it was written, in milliseconds since the Unix epoch; 0 if that is unknown.
    """

    partition: int
    offset: int
    value: bytes | None
    key: bytes | None = None
    timestamp_ms: int = 0


class TraceSpans(msgspec.Struct):
    """The spans of one trace in one message. ``alone`` is whether the message's key says that it has no other trace."""

    trace_id: str
    alone: bool
    spans: list[SpanRecord]


class UnreadableMessageError(ValueError):
    """A message cannot be read; the text says why, without its content."""


def traces_in(message: SpanMessage) -> tuple[list[TraceSpans], int]:
    """
    Return the spans of *message* by trace, in the order in which the traces occur, and how many spans have no valid id.

    Raises:
        UnreadableMessageError: It is too large, or not a trace request in protobuf, or a span has no id or wrong times.
    """
    value = message.value or b""
    if len(value) > MOST_MESSAGE_BYTES:
        raise UnreadableMessageError(f"it is larger than {MOST_MESSAGE_BYTES >> 20} MB")
    traces: dict[str, TraceSpans] = {}
    invalid = 0
    try:
        for span in PlausibleTimes().checked(message_spans(value, any_ids=True)):
            if not _is_id(span.trace_id, _TRACE_ID_DIGITS) or not _is_id(span.span_id, _SPAN_ID_DIGITS):
                invalid += 1
                continue
            trace = traces.get(span.trace_id)
            if trace is None:
                trace = traces[span.trace_id] = TraceSpans(span.trace_id, alone=False, spans=[])
            trace.spans.append(span)
    except WrongFieldError as error:
        expected = f"; expected {error.expected}" if error.expected else ""
        raise UnreadableMessageError(f"{error}{expected}") from None
    except (DecodeError, UnicodeDecodeError, RecursionError):
        what = "it is JSON" if value.lstrip()[:1] == b"{" else "it is not a trace request"
        raise UnreadableMessageError(f"{what}; expected the Collector's encoding otlp_proto") from None
    if invalid and not traces:
        raise UnreadableMessageError("none of its spans has a valid id; expected the Collector's encoding otlp_proto")
    if len(traces) == 1:
        [trace] = traces.values()
        trace.alone = message.key is not None and _names(message.key, trace.trace_id)
    return list(traces.values()), invalid


def _is_id(written: str, digits: int) -> bool:
    return len(written) == digits and bool(written.strip("0"))


def _names(key: bytes, trace_id: str) -> bool:
    """Return whether *key* is *trace_id*, as text or as bytes."""
    return key.lower() == trace_id.encode() or key == bytes.fromhex(trace_id)
