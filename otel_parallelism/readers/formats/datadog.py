"""
Datadog's traces, as its agents and test agents export them: lists of spans with numeric ids, times in ns.

Events and links are lists of a span, or JSON texts among its attributes. Attributes that are no texts may stand in
``meta_struct``.
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

_EVENTS: Final = "events"
_LINKS: Final = "_dd.span_links"
_VALUES: Final = ("string_value", "bool_value", "int_value", "double_value", "array_value")


def _recognizes(data: Fields) -> bool:
    return {"trace_id", "span_id", "start", "duration"} <= data.keys() and bool(data.keys() & {"meta", "resource"})


def _spans(span: Fields) -> list[SpanRecord]:
    attributes = {**fields(span.get("meta_struct")), **fields(span.get("metrics")), **fields(span.get("meta"))}
    events = objects(span.get("span_events"))
    listed = _listed(attributes.get(_EVENTS))
    if listed and all("name" in event for event in listed):  # others are an attribute of that name
        del attributes[_EVENTS]
        events = events or listed
    links = objects(span.get("span_links")) or _listed(attributes.get(_LINKS))
    start = time_ns(span["start"], 1)
    parent = parent_id(span.get("parent_id"))
    high = string(attributes.get("_dd.p.tid"))
    return [
        SpanRecord(
            high + hex_id(span["trace_id"]).rjust(16, "0"),
            hex_id(span["span_id"]).rjust(16, "0"),
            parent.rjust(16, "0") if parent else "",
            string(span.get("resource")) or string(span.get("name")),
            start,
            end_ns(start, span["duration"], 1),
            attributes,
            tuple(SpanEvent(string(event.get("name")), _plain(event.get("attributes"))) for event in events),
            tuple(linked.rjust(16, "0") for link in links if (linked := parent_id(link.get("span_id")))),
            kind=kind_number(attributes.get("span.kind")),
            error=bool(span.get("error")),
            source=string(span.get("service")),
        )
    ]


def _listed(written: object) -> list[Fields]:
    """Return the objects in the JSON text of a list; none if it is something else."""
    try:
        return objects(decode_json(written)) if isinstance(written, str) else []
    except (msgspec.DecodeError, RecursionError):
        return []


def _plain(attributes: object) -> dict[str, object]:
    """Return the attributes of an event; values may stand beside the number of their type."""
    return {key: _value(value) for key, value in fields(attributes).items()}


def _value(value: object) -> object:
    data = fields(value)
    found = next((data[key] for key in _VALUES if key in data), None)
    if found is None:
        return value
    inner = objects(fields(found).get("values"))
    return [_value(item) for item in inner] if inner else found


FORMAT = JsonFormat("Datadog traces", _recognizes, _spans)
