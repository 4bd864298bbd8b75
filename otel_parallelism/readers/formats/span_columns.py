"""
Rows of tables of spans: the Collector's ClickHouse schema, GreptimeDB, otlp2parquet and duckdb-otlp.

They differ in how they write the names of the same columns and in which of them are nested, so that one module reads
them all. The rows come from Parquet, from ClickHouse, or from JSON that a query wrote.
"""

from __future__ import annotations

import functools
import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.long_numbers import decode_json
from otel_parallelism.model import SpanEvent, SpanRecord
from otel_parallelism.readers.parsing.field_errors import WrongFieldError
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    fields,
    flattened,
    hex_id,
    kind_number,
    objects,
    string,
    time_ns,
    without_empty,
)
from otel_parallelism.readers.parsing.otlp_types import identity

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEPARATORS = re.compile(r"[^a-z0-9]")
_START: Final = ("timestamp", "starttimeunixnano", "starttime")
_END: Final = ("timestampend", "endtimestamp", "endtimeunixnano", "endtime")
_DURATION: Final = ("duration", "durationnano", "durationtimeunixnano", "durationns")
_ATTRIBUTES: Final = ("spanattributes", "attributes")
_COLUMNS_OF_ATTRIBUTES: Final = "span_attributes."
_COLUMNS_OF_RESOURCE: Final = "resource_attributes."
_SERVICE: Final = {
    "service.name": "servicename",
    "service.namespace": "servicenamespace",
    "service.instance.id": "serviceinstanceid",
}
_BINARY_ID_LENGTHS: Final = {"traceid": 16, "spanid": 8, "parentspanid": 8}
_KEPT_TABLES: Final = 16


class _Row:
    """One row; columns are found by their names without case and separators."""

    def __init__(self, row: Fields) -> None:
        self._row = row
        self._names = _short_names(tuple(row))

    def get(self, *short: str) -> object:
        """Return the first value of the columns *short* that is not null."""
        for name in short:
            found = self._row.get(self._names.get(name, ""))
            if found is not None:
                return found
        return None

    def text(self, *short: str) -> str:
        return _text(self.get(*short))

    def attributes(self, prefix: str, *short: str) -> dict[str, object]:
        """Return the attributes in the columns *short*, or in a column each, whose names begin with *prefix*."""
        found = {key.removeprefix(prefix): self._row[key] for key in _columns_with(prefix, tuple(self._row))}
        for name in reversed(short):
            value = self.get(name)
            if value is not None:
                found.update(_pairs(value))
        return without_empty(found)

    def own_id(self, short: str) -> str:
        value = self.get(short)
        if isinstance(value, float):
            raise WrongFieldError("a floating-point number is not an id")
        if isinstance(value, bytes):
            return value.hex() if len(value) == _BINARY_ID_LENGTHS[short] else _text(value).lower()
        return hex_id(value)


@functools.lru_cache(2 * _KEPT_TABLES)
def _columns_with(prefix: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name.startswith(prefix))


@functools.lru_cache(_KEPT_TABLES)
def _short_names(names: tuple[str, ...]) -> Mapping[str, str]:
    return {_SEPARATORS.sub("", name.lower()): name for name in reversed(names)}


def _recognizes(row: Fields) -> bool:
    if not ("SpanAttributes" in row or "span_attributes" in row or any(map(_is_attribute_column, row))):
        return False
    names = _short_names(tuple(row))
    return {"traceid", "spanid"} <= names.keys() and any(name in names for name in _START)


def _is_attribute_column(name: str) -> bool:
    return name.startswith(_COLUMNS_OF_ATTRIBUTES)


def _spans(data: Fields) -> list[SpanRecord]:
    row = _Row(data)
    start, end = time_ns(row.get(*_START)), row.get(*_END)
    parent = "" if row.get("parentspanid") in (None, "", b"") else row.own_id("parentspanid")
    resource = row.attributes(_COLUMNS_OF_RESOURCE, "resourceattributes")
    for key, column in _SERVICE.items():
        if row.text(column):
            resource.setdefault(key, row.text(column))
    own_id, trace_id = row.own_id("spanid"), row.own_id("traceid")
    if not own_id.strip("0") or not trace_id.strip("0"):
        raise WrongFieldError("an empty or zero text is not an id")
    return [
        SpanRecord(
            trace_id,
            own_id,
            parent if parent.strip("0") else "",
            row.text("spanname", "name"),
            start,
            # Where both are there, the duration may be in milliseconds.
            start + _duration_ns(row.get(*_DURATION)) if end is None else max(start, time_ns(end)),
            row.attributes(_COLUMNS_OF_ATTRIBUTES, *_ATTRIBUTES),
            _events(row),
            _links(row),
            kind_number(_plain(row.get("spankind", "kind"))),
            _is_error(row.get("statuscode", "spanstatuscode")),
            source=identity(resource),
            instrumentation=row.text("scopename"),
        )
    ]


def _duration_ns(value: object) -> int:
    return 0 if value is None else max(0, time_ns(value, 1))


def _is_error(code: object) -> bool:
    return code == 2 or "ERROR" in _text(code).upper()  # noqa: PLR2004 - OTLP's number


def _events(row: _Row) -> tuple[SpanEvent, ...]:
    names = row.get("eventsname")
    if isinstance(names, list):
        attributes = row.get("eventsattributes")
        pairs = zip_longest(names, attributes if isinstance(attributes, list) else [])
        return tuple(SpanEvent(_text(name), _pairs(value)) for name, value in pairs if name is not None)
    found = [_Row(event) for event in _nested(row.get("events", "spanevents", "eventsjson"))]
    return tuple(SpanEvent(event.text("name"), _pairs(event.get("attributes"))) for event in found)


def _links(row: _Row) -> tuple[str, ...]:
    ids = row.get("linksspanid")
    if isinstance(ids, list):
        return tuple(_link(value) for value in ids if value)
    found = [_Row(link) for link in _nested(row.get("links", "spanlinks", "linksjson"))]
    return tuple(_link(link.get("spanid")) for link in found if link.get("spanid"))


def _link(value: object) -> str:
    binary = isinstance(value, bytes) and len(value) == _BINARY_ID_LENGTHS["spanid"]
    return value.hex() if binary and isinstance(value, bytes) else _text(value).lower()


def _nested(value: object) -> list[Fields]:
    """Return a list of objects, which can be JSON text; none if it is in another form."""
    if isinstance(value, str | bytes):
        try:
            value = decode_json(value)
        except (msgspec.DecodeError, ValueError):
            return []
    return objects(value)


def _pairs(value: object) -> dict[str, object]:
    """
    Return attributes: a map, nested objects as ClickHouse's type JSON has them, or JSON text.

    Raises:
        WrongFieldError: They are in a binary form.
    """
    if isinstance(value, str | bytes):
        try:
            value = decode_json(value or b"{}")
        except (msgspec.DecodeError, ValueError):
            raise WrongFieldError("attributes are neither a map nor JSON; export them as JSON text") from None
    return {key: _plain(item) for key, item in flattened(fields(value)).items()}


def _plain(value: object) -> object:
    """Return *value*; ClickHouse writes texts as bytes by default in versions before 24."""
    return _text(value) if isinstance(value, bytes) else value


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else string(value)


FORMAT = JsonFormat("rows of a table of spans", _recognizes, _spans)
