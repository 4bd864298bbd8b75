"""The rows of Tempo's Parquet blocks (vParquet2 to vParquet5): a trace a row, with its resources, scopes and spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.long_numbers import decode_json
from otel_parallelism.model import SpanEvent, SpanRecord
from otel_parallelism.readers.parsing.dedicated_columns import EVENT, KEY, RESOURCE, SPAN, DedicatedColumns
from otel_parallelism.readers.parsing.field_errors import WrongFieldError
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    end_ns,
    fields,
    kind_number,
    objects,
    string,
    time_ns,
    without_empty,
)
from otel_parallelism.readers.parsing.otlp_types import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

_VALUES: Final = ("Value", "ValueInt", "ValueDouble", "ValueBool")
_COLUMNS_OF_SPANS: Final = {
    "HttpMethod": "http.method",
    "HttpUrl": "http.url",
    "HttpStatusCode": "http.status_code",
}
_COLUMNS_OF_RESOURCES: Final = {
    "ServiceName": "service.name",
    "K8sPodName": "k8s.pod.name",
    "K8sNamespaceName": "k8s.namespace.name",
    "K8sContainerName": "k8s.container.name",
}
_ERROR: Final = 2


def _recognizes(row: Fields) -> bool:
    return "TraceID" in row and "rs" in row


def _spans(row: Fields) -> list[SpanRecord]:
    return list(_all(_id(row.get("TraceID")), row))


def _all(trace_id: str, row: Fields) -> Iterator[SpanRecord]:
    dedicated = row.get(KEY)
    block = _Block(dedicated if isinstance(dedicated, DedicatedColumns) else None)
    for group in objects(row.get("rs")):
        source = identity(block.attributes(fields(group.get("Resource")), RESOURCE, _COLUMNS_OF_RESOURCES))
        for scope in objects(group.get("ss")):
            name = string(fields(scope.get("Scope")).get("Name"))
            for span in objects(scope.get("Spans")):
                yield _record(trace_id, span, source, name, block)


def _record(trace_id: str, span: Fields, source: str, scope: str, block: _Block) -> SpanRecord:
    start = time_ns(span.get("StartTimeUnixNano"), 1)
    parent = span.get("ParentSpanID")
    events = objects(span.get("Events"))
    return SpanRecord(
        trace_id,
        _id(span.get("SpanID")),
        _id(parent) if isinstance(parent, bytes) and parent.strip(b"\0") else "",
        string(span.get("Name")),
        start,
        end_ns(start, span.get("DurationNano"), 1),
        block.attributes(span, SPAN, _COLUMNS_OF_SPANS),
        tuple(SpanEvent(string(event.get("Name")), block.attributes(event, EVENT, {})) for event in events),
        tuple(_id(link.get("SpanID")) for link in objects(span.get("Links")) if link.get("SpanID")),
        kind_number(span.get("Kind")),
        span.get("StatusCode") == _ERROR,
        source=source,
        instrumentation=scope,
    )


def _id(value: object) -> str:
    if not isinstance(value, bytes) or not value.strip(b"\0"):
        raise WrongFieldError("an empty value is not an id")
    return value.hex()


class _Block:
    """Reads attributes of one block: a list of pairs, columns with known names, and dedicated ones."""

    def __init__(self, dedicated: DedicatedColumns | None) -> None:
        self._dedicated = dedicated

    def attributes(self, data: Fields, scope: str, columns: dict[str, str]) -> dict[str, object]:
        """Return the attributes of a span, event or resource."""
        found: dict[str, object] = {}
        for pair in objects(data.get("Attrs")):
            found[string(pair.get("Key"))] = _value(pair)
        if self._dedicated is not None:
            found = self._dedicated.attributes(scope, fields(data.get("DedicatedAttributes"))) | found
        for column, key in columns.items():
            found.setdefault(key, data.get(column) or None)
        return without_empty(found)


def _value(pair: Fields) -> object:
    """Return a value: of the one column that has one, as a list if it was one; what has no column is JSON text."""
    for column in _VALUES:
        value = pair.get(column)
        if isinstance(value, list) and value:
            return value if pair.get("IsArray") else value[0]
        if value is not None and not isinstance(value, list):
            return value
    if pair.get("IsArray"):
        return []
    return _other(pair.get("ValueUnsupported"))


def _other(written: object) -> object:
    """Return the array or map that *written* describes, in OTLP's JSON; the text itself if it is not that."""
    if not isinstance(written, str):
        return None
    try:
        return _plain(decode_json(written))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return written


def _plain(value: object) -> object:
    data = fields(value)
    if "arrayValue" in data:
        return [_plain(item) for item in objects(fields(data["arrayValue"]).get("values"))]
    if "kvlistValue" in data:
        pairs = objects(fields(data["kvlistValue"]).get("values"))
        return {string(pair.get("key")): _plain(pair.get("value")) for pair in pairs}
    return next(iter(data.values()), None)


FORMAT = JsonFormat("a block of Tempo", _recognizes, _spans)
