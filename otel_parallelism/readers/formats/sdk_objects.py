"""
Spans as OpenTelemetry's JavaScript SDK holds them, written by `JSON.stringify`, as Gemini CLI does into its outfile.

Times are pairs of seconds and nanoseconds.
"""

from __future__ import annotations

from typing import Final

from otel_parallelism.model import SpanEvent, SpanRecord
from otel_parallelism.readers.parsing.field_errors import WrongFieldError
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    fields,
    hex_id,
    objects,
    parent_id,
    string,
    without_empty,
)
from otel_parallelism.readers.parsing.otlp_types import identity

_S: Final = 10**9
_ERROR: Final = 2
_KIND_OFFSET: Final = 1
_PAIR: Final = 2


def _recognizes(data: Fields) -> bool:
    return bool(_context(data)) and "startTime" in data and "attributes" in data


def _context(data: Fields) -> Fields:
    return fields(data.get("_spanContext") or data.get("spanContext"))


def _spans(span: Fields) -> list[SpanRecord]:
    context, start = _context(span), _pair_ns(span.get("startTime"))
    parent = fields(span.get("parentSpanContext")).get("spanId") or span.get("parentSpanId")
    scope = fields(span.get("instrumentationScope") or span.get("instrumentationLibrary"))
    kind = span.get("kind")
    return [
        SpanRecord(
            hex_id(context.get("traceId")),
            hex_id(context.get("spanId")),
            parent_id(parent),
            string(span.get("name")),
            start,
            _pair_ns(span.get("endTime", [0, 0])),
            without_empty(fields(span.get("attributes"))),
            tuple(
                SpanEvent(string(event.get("name")), dict(fields(event.get("attributes"))))
                for event in objects(span.get("events"))
            ),
            tuple(
                hex_id(linked.get("spanId"))
                for link in objects(span.get("links"))
                if (linked := fields(link.get("context"))).get("spanId")
            ),
            # JavaScript counts kinds from 0 for internal, OTLP from 1.
            kind=kind + _KIND_OFFSET if isinstance(kind, int) else 0,
            error=fields(span.get("status")).get("code") == _ERROR,
            source=identity(_resource(fields(span.get("resource")))),
            instrumentation=string(scope.get("name")),
        )
    ]


def _resource(resource: Fields) -> dict[str, object]:
    """Return the attributes of a resource: an object, or in the SDK's second version a list of pairs."""
    pairs = resource.get("_rawAttributes")
    listed = pairs if isinstance(pairs, list) else []
    found = {str(pair[0]): pair[1] for pair in listed if isinstance(pair, list) and len(pair) == _PAIR}
    return found | dict(fields(resource.get("attributes") or resource.get("_attributes")))


def _pair_ns(value: object) -> int:
    """
    Return the nanoseconds of a pair.

    Raises:
        WrongFieldError: It is no pair of numbers.
    """
    match value:
        case [int(seconds), int(rest)] if 0 <= seconds < _S * 100 and 0 <= rest < _S:
            return seconds * _S + rest
    raise WrongFieldError("a time is no pair of seconds and nanoseconds")


FORMAT = JsonFormat("spans of the JavaScript SDK", _recognizes, _spans)
