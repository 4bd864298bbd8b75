"""
Zipkin's JSON, version 2: an array of spans, or of traces; times in µs, and attributes as text.

Version 1 has the attributes in a list of ``binaryAnnotations``.
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
    kind_number,
    objects,
    parent_id,
    string,
    time_ns,
)

_US: Final = 1_000
_OPTIONAL: Final = frozenset({"localEndpoint", "duration", "tags", "binaryAnnotations"})


def _recognizes(data: Fields) -> bool:
    keys = data.keys()
    return {"traceId", "id", "timestamp"} <= keys and "attributes" not in keys and bool(keys & _OPTIONAL)


def _spans(span: Fields) -> list[SpanRecord]:
    listed = objects(span.get("binaryAnnotations"))
    tags = {string(pair.get("key")): pair.get("value") for pair in listed} | dict(fields(span.get("tags")))
    start = time_ns(span.get("timestamp"), _US)
    endpoint = fields(span.get("localEndpoint") or next((pair.get("endpoint") for pair in listed), None))
    parts = [endpoint.get("serviceName"), endpoint.get("ipv4") or endpoint.get("ipv6"), tags.get("process.pid")]
    return [
        SpanRecord(
            hex_id(span.get("traceId")),
            hex_id(span.get("id")),
            parent_id(span.get("parentId")),
            string(span.get("name")),
            start,
            end_ns(start, span.get("duration"), _US),
            tags,
            tuple(SpanEvent(string(item.get("value")), {}) for item in objects(span.get("annotations"))),
            kind=kind_number(span.get("kind")),
            error="error" in tags or tags.get("otel.status_code") == "ERROR",
            source=" ".join(str(part) for part in parts if part),
            instrumentation=string(tags.get("otel.scope.name") or tags.get("otel.library.name")),
        )
    ]


FORMAT = JsonFormat("Zipkin JSON", _recognizes, _spans)
