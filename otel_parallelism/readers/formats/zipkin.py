"""
Zipkin's JSON, version 2: an array of spans, or of traces; times in µs, and attributes as text.

Version 1 has the attributes in a list of ``binaryAnnotations``. Events are annotations, whose text holds their name and
attributes.
"""

from __future__ import annotations

from typing import Final

import msgspec

from otel_parallelism.long_numbers import decode_json
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
            tuple(_event(string(item.get("value"))) for item in objects(span.get("annotations"))),
            kind=kind_number(span.get("kind")),
            error="error" in tags or tags.get("otel.status_code") == "ERROR",
            source=" ".join(str(part) for part in parts if part),
            instrumentation=string(tags.get("otel.scope.name") or tags.get("otel.library.name")),
        )
    ]


def _event(written: str) -> SpanEvent:
    """
    Return the event that the text of an annotation holds, in any of the forms that exporters write.

    >>> _event('"said":{"by":"user"}') == _event('{"said":{"by":"user"}}') == _event('said|{"by":"user"}|0')
    True
    """
    if written.endswith("}"):
        # The SDKs write a pair of an object, with the object around it or without.
        inner = _decoded(written if written.startswith("{") else f"{{{written}}}")
        if len(inner) == 1:
            ((name, attributes),) = inner.items()
            return SpanEvent(name, dict(fields(attributes)))
    name, found, rest = written.partition("|{")
    attributes, _, dropped = rest.rpartition("|")
    inner = _decoded(f"{{{attributes}") if found and dropped.isdecimal() else {}  # the Collector's
    return SpanEvent(name, dict(inner)) if inner else SpanEvent(written, {})


def _decoded(written: str) -> Fields:
    """Return the object in JSON text; empty if it is none."""
    try:
        return fields(decode_json(written))
    except (msgspec.DecodeError, RecursionError):
        return {}


FORMAT = JsonFormat("Zipkin JSON", _recognizes, _spans)
