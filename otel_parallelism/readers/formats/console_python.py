"""What the console exporter of OpenTelemetry's Python SDK prints, pretty or a span a line."""

from __future__ import annotations

from otel_parallelism.model import SpanEvent, SpanRecord
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    fields,
    hex_id,
    kind_number,
    objects,
    parent_id,
    string,
    time_ns,
)
from otel_parallelism.readers.parsing.otlp_types import identity


def _recognizes(data: Fields) -> bool:
    return {"context", "start_time"} <= data.keys() and string(fields(data["context"]).get("span_id")).startswith("0x")


def _spans(span: Fields) -> list[SpanRecord]:
    context = fields(span["context"])
    resource = fields(fields(span.get("resource")).get("attributes"))
    start = time_ns(span["start_time"])
    return [
        SpanRecord(
            hex_id(context.get("trace_id")),
            hex_id(context.get("span_id")),
            parent_id(span.get("parent_id")),
            string(span.get("name")),
            start,
            time_ns(span["end_time"]) if span.get("end_time") else 0,
            dict(fields(span.get("attributes"))),
            tuple(
                SpanEvent(string(event.get("name")), dict(fields(event.get("attributes"))))
                for event in objects(span.get("events"))
            ),
            tuple(hex_id(fields(link.get("context")).get("span_id")) for link in objects(span.get("links"))),
            kind_number(span.get("kind")),
            fields(span.get("status")).get("status_code") == "ERROR",
            source=identity(resource),
            instrumentation=string(fields(span.get("instrumentation_scope")).get("name")),
        )
    ]


FORMAT = JsonFormat("the console exporter's output (Python)", _recognizes, _spans)
