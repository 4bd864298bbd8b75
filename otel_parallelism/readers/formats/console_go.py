"""What the ``stdouttrace`` exporter of OpenTelemetry's Go SDK prints."""

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
    return {"SpanContext", "StartTime"} <= data.keys()


def _attributes(value: object) -> dict[str, object]:
    return {string(pair.get("Key")): fields(pair.get("Value")).get("Value") for pair in objects(value)}


def _spans(span: Fields) -> list[SpanRecord]:
    context, parent = fields(span["SpanContext"]), fields(span.get("Parent"))
    scope = fields(span.get("InstrumentationScope") or span.get("InstrumentationLibrary"))
    resource = _attributes(span.get("Resource"))
    return [
        SpanRecord(
            hex_id(context.get("TraceID")),
            hex_id(context.get("SpanID")),
            parent_id(parent.get("SpanID")),
            string(span.get("Name")),
            time_ns(span["StartTime"]),
            time_ns(span.get("EndTime")),
            _attributes(span.get("Attributes")),
            tuple(
                SpanEvent(string(event.get("Name")), _attributes(event.get("Attributes")))
                for event in objects(span.get("Events"))
            ),
            tuple(hex_id(fields(link.get("SpanContext")).get("SpanID")) for link in objects(span.get("Links"))),
            kind_number(span.get("SpanKind")),
            fields(span.get("Status")).get("Code") == "Error",
            parent.get("Remote") is True,
            identity(resource),
            string(scope.get("Name")),
        )
    ]


FORMAT = JsonFormat("the stdouttrace exporter's output (Go)", _recognizes, _spans)
