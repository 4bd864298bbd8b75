"""
What the console exporters of OpenTelemetry's JavaScript SDK print, once `node_objects` has turned it into JSON.

The SDK prints objects as Node shows them: names without quotes, texts in single quotes. Times are in µs, or pairs of
seconds and nanoseconds.
"""

from __future__ import annotations

from typing import Final

from otel_parallelism.model import SpanEvent, SpanRecord
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    end_ns,
    fields,
    hex_id,
    objects,
    parent_id,
    string,
    time_ns,
)
from otel_parallelism.readers.parsing.otlp_types import identity

_US: Final = 1_000
_ERROR: Final = 2
_KIND_OFFSET: Final = 1


def _recognizes(data: Fields) -> bool:
    return {"traceId", "id", "timestamp", "attributes"} <= data.keys() and "kind" in data


def _spans(span: Fields) -> list[SpanRecord]:
    start = time_ns(span["timestamp"], _US)
    resource = fields(fields(span.get("resource")).get("attributes"))
    parent = fields(span.get("parentSpanContext")).get("spanId") or span.get("parentId")
    scope = fields(span.get("instrumentationScope") or span.get("instrumentationLibrary"))
    kind = span.get("kind")
    return [
        SpanRecord(
            hex_id(span.get("traceId")),
            hex_id(span.get("id")),
            parent_id(parent),
            string(span.get("name")),
            start,
            end_ns(start, span.get("duration"), _US),
            dict(fields(span.get("attributes"))),
            tuple(
                SpanEvent(string(event.get("name")), dict(fields(event.get("attributes"))))
                for event in objects(span.get("events"))
            ),
            # JavaScript counts kinds from 0 for internal, OTLP from 1.
            kind=kind + _KIND_OFFSET if isinstance(kind, int) else 0,
            error=fields(span.get("status")).get("code") == _ERROR,
            source=identity(resource),
            instrumentation=string(scope.get("name")),
        )
    ]


FORMAT = JsonFormat("the console exporter's output (JavaScript)", _recognizes, _spans)
