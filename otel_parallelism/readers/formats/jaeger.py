"""Jaeger's JSON, as its UI downloads it and its query API (v1, v2) answers: traces with processes, times in µs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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

if TYPE_CHECKING:
    from collections.abc import Iterator

_US: Final = 1_000
_HEX_DIGITS: Final = 16


def _recognizes(data: Fields) -> bool:
    return any("spanID" in span for trace in _traces(data) for span in objects(trace.get("spans"))) or (
        "spanID" in data and "startTime" in data
    )


def _traces(data: Fields) -> list[Fields]:
    return objects(data.get("data")) if "data" in data else [data]


def _spans(data: Fields) -> list[SpanRecord]:
    if "spanID" in data:
        return [_record(data, fields(data.get("process")))]
    return list(_all(data))


def _all(data: Fields) -> Iterator[SpanRecord]:
    for trace in _traces(data):
        processes = fields(trace.get("processes"))
        for span in objects(trace.get("spans")):
            process = fields(span.get("process")) or fields(processes.get(string(span.get("processID"))))
            yield _record(span, process)


def _record(span: Fields, process: Fields) -> SpanRecord:
    attributes = _tags(span.get("tags"))
    start = time_ns(span.get("startTime"), _US)
    return SpanRecord(
        hex_id(span.get("traceID")).rjust(2 * _HEX_DIGITS, "0"),
        _span_id(span.get("spanID")),
        _parent(span),
        string(span.get("operationName")),
        start,
        end_ns(start, span.get("duration"), _US),
        attributes,
        tuple(_event(log) for log in objects(span.get("logs"))),
        _links(span),
        kind_number(attributes.get("span.kind")),
        attributes.get("error") in (True, "true") or attributes.get("otel.status_code") == "ERROR",
        source=_source(process),
        instrumentation=string(attributes.get("otel.scope.name") or attributes.get("otel.library.name")),
    )


def _span_id(value: object) -> str:
    return hex_id(value).rjust(_HEX_DIGITS, "0")


def _parent(span: Fields) -> str:
    """Return the parent: the first reference of that kind in the same trace, or the field of old versions."""
    for reference in objects(span.get("references")):
        if reference.get("refType", "CHILD_OF") == "CHILD_OF" and reference.get("traceID") == span.get("traceID"):
            return _span_id(reference.get("spanID"))
    found = parent_id(span.get("parentSpanID"))
    return found and found.rjust(_HEX_DIGITS, "0")


def _links(span: Fields) -> tuple[str, ...]:
    references = objects(span.get("references"))
    return tuple(_span_id(item.get("spanID")) for item in references if item.get("refType") == "FOLLOWS_FROM")


def _tags(value: object) -> dict[str, object]:
    return {string(tag.get("key")): _value(tag) for tag in objects(value)}


def _value(tag: Fields) -> object:
    """Return a tag's value; Jaeger writes arrays as JSON text, and large integers as text."""
    value, kind = tag.get("value"), tag.get("type")
    if isinstance(value, str) and kind in ("int64", "float64", "bool"):
        try:
            return decode_json(value)
        except msgspec.DecodeError:
            return value
    return value


def _event(log: Fields) -> SpanEvent:
    attributes = _tags(log.get("fields"))
    return SpanEvent(string(attributes.pop("event", "")), attributes)


def _source(process: Fields) -> str:
    tags = _tags(process.get("tags"))
    parts = [
        process.get("serviceName"),
        tags.get("service.instance.id"),
        tags.get("host.name"),
        tags.get("process.pid"),
    ]
    return " ".join(str(part) for part in parts if part is not None)


FORMAT = JsonFormat("Jaeger JSON", _recognizes, _spans)
