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
    end_ns,
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
_TRACE_ID_BYTES: Final = 16
_SPAN_ID_BYTES: Final = 8
_KEPT_TABLES: Final = 16
_TEXTS: Final = frozenset({str})


class _Columns(msgspec.Struct, frozen=True):
    """
    The columns of a table that hold what a span has, highest precedence first.

    They are found by their names without case and separators, once for all rows with the same columns.
    """

    trace_id: tuple[str, ...]
    span_id: tuple[str, ...]
    parent_id: tuple[str, ...]
    name: tuple[str, ...]
    start: tuple[str, ...]
    end: tuple[str, ...]
    duration: tuple[str, ...]
    kind: tuple[str, ...]
    status: tuple[str, ...]
    scope: tuple[str, ...]
    resource: tuple[str, ...]
    attributes: tuple[str, ...]
    event_names: tuple[str, ...]
    event_attributes: tuple[str, ...]
    events: tuple[str, ...]
    linked_ids: tuple[str, ...]
    links: tuple[str, ...]
    services: tuple[tuple[str, tuple[str, ...]], ...]
    of_attributes: tuple[str, ...]
    of_resource: tuple[str, ...]


@functools.lru_cache(_KEPT_TABLES)
def _columns(names: tuple[str, ...]) -> _Columns:
    known = _short_names(names)

    def called(*short: str) -> tuple[str, ...]:
        return tuple(known[name] for name in short if name in known)

    return _Columns(
        trace_id=called("traceid"),
        span_id=called("spanid"),
        parent_id=called("parentspanid"),
        name=called("spanname", "name"),
        start=called(*_START),
        end=called(*_END),
        duration=called(*_DURATION),
        kind=called("spankind", "kind"),
        status=called("statuscode", "spanstatuscode"),
        scope=called("scopename"),
        resource=called("resourceattributes"),
        attributes=called(*_ATTRIBUTES),
        event_names=called("eventsname"),
        event_attributes=called("eventsattributes"),
        events=called("events", "spanevents", "eventsjson"),
        linked_ids=called("linksspanid"),
        links=called("links", "spanlinks", "linksjson"),
        services=tuple((key, columns) for key, column in _SERVICE.items() if (columns := called(column))),
        of_attributes=tuple(name for name in names if name.startswith(_COLUMNS_OF_ATTRIBUTES)),
        of_resource=tuple(name for name in names if name.startswith(_COLUMNS_OF_RESOURCE)),
    )


@functools.lru_cache(_KEPT_TABLES)
def _short_names(names: tuple[str, ...]) -> Mapping[str, str]:
    return {_SEPARATORS.sub("", name.lower()): name for name in reversed(names)}


def _recognizes(row: Fields) -> bool:
    if not ("SpanAttributes" in row or "span_attributes" in row or any(map(_is_attribute_column, row))):
        return False
    return _are_of_spans(tuple(row))


@functools.lru_cache(_KEPT_TABLES)
def _are_of_spans(columns: tuple[str, ...]) -> bool:
    names = _short_names(columns)
    return {"traceid", "spanid"} <= names.keys() and any(name in names for name in _START)


def _is_attribute_column(name: str) -> bool:
    return name.startswith(_COLUMNS_OF_ATTRIBUTES)


def _spans(row: Fields) -> list[SpanRecord]:
    columns = _columns(tuple(row))
    start, end = time_ns(_value(row, columns.start)), _value(row, columns.end)
    parent = _value(row, columns.parent_id)
    parent = "" if parent in (None, "", b"") else _id(parent, _SPAN_ID_BYTES)
    resource = _attributes(row, columns.of_resource, _COLUMNS_OF_RESOURCE, columns.resource)
    for key, service in columns.services:
        named = _text(_value(row, service))
        if named:
            resource.setdefault(key, named)
    own_id = _id(_value(row, columns.span_id), _SPAN_ID_BYTES)
    trace_id = _id(_value(row, columns.trace_id), _TRACE_ID_BYTES)
    if not own_id.strip("0") or not trace_id.strip("0"):
        raise WrongFieldError("an empty or zero text is not an id")
    return [
        SpanRecord(
            trace_id,
            own_id,
            parent if parent.strip("0") else "",
            _text(_value(row, columns.name)),
            start,
            # Where both are there, the duration may be in milliseconds.
            end_ns(start, _value(row, columns.duration), 1) if end is None else time_ns(end),
            _attributes(row, columns.of_attributes, _COLUMNS_OF_ATTRIBUTES, columns.attributes),
            _events(row, columns),
            _links(row, columns),
            kind_number(_plain(_value(row, columns.kind))),
            _is_error(_value(row, columns.status)),
            source=identity(resource),
            instrumentation=_text(_value(row, columns.scope)),
        )
    ]


def _value(row: Fields, columns: tuple[str, ...]) -> object:
    """Return the first value of *columns* that is not null."""
    for name in columns:
        found = row.get(name)
        if found is not None:
            return found
    return None


def _attributes(row: Fields, single: tuple[str, ...], prefix: str, whole: tuple[str, ...]) -> dict[str, object]:
    """Return the attributes in the columns *whole*, and in *single*, a column each, whose names begin with *prefix*."""
    if not single and len(whole) == 1:
        value = row[whole[0]]
        pairs = {} if value is None else _pairs(value)
        return without_empty(pairs) if None in pairs.values() else pairs
    found = {name.removeprefix(prefix): row[name] for name in single}
    for name in reversed(whole):
        value = row.get(name)
        if value is not None:
            found.update(_pairs(value))
    return without_empty(found)


def _id(value: object, binary_bytes: int) -> str:
    """Return the id *value* as lower-case hex; it is binary if it has so many bytes."""
    if isinstance(value, float):
        raise WrongFieldError("a floating-point number is not an id")
    if isinstance(value, bytes):
        return value.hex() if len(value) == binary_bytes else value.decode("utf-8", "replace").lower()
    return hex_id(value)


def _is_error(code: object) -> bool:
    return code == 2 or "ERROR" in _text(code).upper()  # noqa: PLR2004 - OTLP's number


def _events(row: Fields, columns: _Columns) -> tuple[SpanEvent, ...]:
    names = _value(row, columns.event_names)
    if isinstance(names, list):
        attributes = _value(row, columns.event_attributes)
        pairs = zip_longest(names, attributes if isinstance(attributes, list) else [])
        return tuple([SpanEvent(_text(name), _pairs(value)) for name, value in pairs if name is not None])
    nested = _nested(_value(row, columns.events))
    return tuple([SpanEvent(_text(_named(event, "name")), _pairs(_named(event, "attributes"))) for event in nested])


def _named(nested: Fields, short: str) -> object:
    """Return the value that *nested* has under a name like *short*."""
    return nested.get(_short_names(tuple(nested)).get(short, ""))


def _links(row: Fields, columns: _Columns) -> tuple[str, ...]:
    ids = _value(row, columns.linked_ids)
    if isinstance(ids, list):
        return tuple([_link(value) for value in ids if value])
    found = [_named(link, "spanid") for link in _nested(_value(row, columns.links))]
    return tuple([_link(value) for value in found if value])


def _link(value: object) -> str:
    return value.hex() if isinstance(value, bytes) and len(value) == _SPAN_ID_BYTES else _text(value).lower()


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
    Return attributes: a map, keys with values, nested objects as ClickHouse's type JSON has them, or JSON text.

    Raises:
        WrongFieldError: They are in a binary form.
    """
    if isinstance(value, str | bytes):
        try:
            value = decode_json(value or b"{}")
        except (msgspec.DecodeError, ValueError):
            raise WrongFieldError("attributes are neither a map nor JSON; export them as JSON text") from None
    if isinstance(value, list):
        value = {_text(pair.get("key")): pair.get("value") for pair in objects(value) if "key" in pair}
    if type(value) is dict and _TEXTS.issuperset(map(type, value.values())):
        return value
    return {key: _plain(item) for key, item in flattened(fields(value)).items()}


def _plain(value: object) -> object:
    """Return *value*; ClickHouse writes texts as bytes by default in versions before 24."""
    return _text(value) if isinstance(value, bytes) else value


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else string(value)


# Tried first: a row is known by the names of its columns, which no other format has.
FORMAT = JsonFormat("rows of a table of spans", _recognizes, _spans, rank=-1)
