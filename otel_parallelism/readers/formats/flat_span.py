"""
Single spans with their attributes in one object: Phoenix, MLflow, OpenInference data frames, smoltrace, Logfire's rows.

They differ in the names of a few fields, so that one module reads them all.
"""

from __future__ import annotations

from typing import Final

import msgspec

from otel_parallelism.long_numbers import decode_json
from otel_parallelism.model import SpanEvent, SpanRecord
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    as_json,
    fields,
    flattened,
    hex_id,
    kind_number,
    objects,
    parent_id,
    string,
    time_ns,
    without_empty,
)
from otel_parallelism.readers.parsing.otlp_types import hex_of

_SPAN_ID: Final = ("span_id", "spanId", "context.span_id")
_TRACE_ID: Final = ("trace_id", "traceId", "context.trace_id")
_PARENT_ID: Final = ("parent_id", "parent_span_id", "parentSpanId", "parentId")
_START: Final = (
    *("start_time_unix_nano", "startTimeUnixNano", "start_time", "startTime", "start_time_ns", "start_timestamp"),
)
_END: Final = ("end_time_unix_nano", "endTimeUnixNano", "end_time", "endTime", "end_time_ns", "end_timestamp")
_CONTAINERS: Final = ("spans", "data", "trace")
_PENDING: Final = "pending_span"
"""Logfire's row about a span that has started; another row has the whole span."""

_OPENINFERENCE_KIND: Final = "openinference.span.kind"
_ATTRIBUTES: Final = "attributes."
_INDEXED: Final = ("llm.", "retrieval.", "reranker.", "embedding.")
"""OpenInference's attributes with lists of objects, which spans have with an index in the key."""

_JSON_TEXTS: Final = (
    *("metadata", "tool.parameters", "input.value", "output.value"),
    *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "tool_arguments", "tool_response"),
)
"""Attributes that are JSON texts in spans; Phoenix and Logfire store the objects."""


def _recognizes(data: Fields) -> bool:
    if "event_id" in data:  # an event of Sentry has spans without attributes
        return False
    return _is_span(data) or any(_is_span(span) for span in _contained(data))


def _is_span(data: Fields) -> bool:
    return _first(data, _SPAN_ID) is not None and _first(data, _START) is not None


def _contained(data: Fields, depth: int = 3) -> list[Fields]:
    """Return the objects of the list that *data* holds, perhaps in an object: ``data``, ``data.spans``, ``spans``."""
    for key in _CONTAINERS:
        inner = data.get(key)
        if isinstance(inner, list):
            return objects(inner)
        if depth and isinstance(inner, dict):
            return _contained(inner, depth - 1)
    return []


def _first(data: Fields, keys: tuple[str, ...]) -> object:
    context = fields(data.get("context"))
    for key in keys:
        found = data.get(key, context.get(key))
        if found not in (None, ""):
            return found
    return None


def _spans(data: Fields) -> list[SpanRecord]:
    found = [span for span in ([data] if _is_span(data) else _contained(data)) if _is_span(span)]
    return [_record(span) for span in found if span.get("kind") != _PENDING]


def _record(span: Fields) -> SpanRecord:
    start, end = time_ns(_first(span, _START)), _first(span, _END)
    status = fields(span.get("status"))
    code = span.get("status_code", status.get("code", status.get("status_code", span.get("status"))))
    if code is None:  # Logfire's
        code = "ERROR" if span.get("is_exception") is True else span.get("otel_status_code")
    return SpanRecord(
        hex_id(hex_of(_id_text(_first(span, _TRACE_ID)))),
        hex_id(hex_of(_id_text(_first(span, _SPAN_ID)))),
        parent_id(hex_of(_id_text(_first(span, _PARENT_ID) or ""))),
        string(span.get("name") or span.get("span_name")),
        start,
        0 if end is None else time_ns(end),
        without_empty(_attributes(span)),
        tuple(
            SpanEvent(string(event.get("name")), without_empty(_object(event.get("attributes"))))
            for event in objects(span.get("events"))
        ),
        kind=kind_number(span.get("kind")),
        error="ERROR" in str(code).upper(),
        instrumentation=string(
            fields(span.get("scope") or span.get("instrumentation_scope")).get("name") or span.get("otel_scope_name")
        ),
    )


def _id_text(value: object) -> str:
    """Return an id as text; some tables have its text, or its bytes, in a binary column."""
    if isinstance(value, bytes):
        return value.decode() if value.replace(b"-", b"").isalnum() else value.hex()
    return str(value)


def _object(value: object) -> Fields:
    """Return an object, which can be JSON text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = decode_json(value)
        except msgspec.DecodeError:
            return {}
    return fields(value)


def _attributes(span: Fields) -> dict[str, object]:
    """Return the attributes: of a nested object, or of columns such as ``attributes.input.value``."""
    stored = _object(span.get("attributes"))
    found = flattened(stored)
    for key, value in span.items():
        if key.startswith(_ATTRIBUTES):
            name = key.removeprefix(_ATTRIBUTES)
            found.update(flattened(value, f"{name}.") if isinstance(value, dict) and value else {name: _whole(value)})
    for key in [key for key in found if key.startswith(_INDEXED)]:
        if objects(found[key]):
            found.update(_indexed(key, found.pop(key)))
    for key in _JSON_TEXTS:
        inside = {name: found.pop(name) for name in list(found) if name.startswith(f"{key}.")}
        if inside:
            flat = {name.removeprefix(f"{key}."): value for name, value in inside.items()}
            found.setdefault(key, as_json(_inner(stored, key) or flat))
    kind = string(span.get("span_kind"))
    if kind and not found.get(_OPENINFERENCE_KIND):
        found[_OPENINFERENCE_KIND] = kind
    return found


def _inner(data: Fields, key: str) -> Fields:
    """
    Return the object under a dotted *key*, which may be nested; empty if there is none.

    >>> _inner({"input": {"value": {"a": {"b": 1}}}}, "input.value"), _inner({"input.value": {"a": 1}}, "input.value")
    ({'a': {'b': 1}}, {'a': 1})
    """
    if key in data:
        return fields(data[key])
    outer, _, rest = key.partition(".")
    return _inner(fields(data.get(outer)), rest) if rest else {}


def _whole(value: object) -> object:
    """Return *value* as a whole number if it is one: a column where some are absent has floating-point numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _indexed(key: str, value: object) -> dict[str, object]:
    """
    Return *value* with an attribute for each leaf; places in lists become parts of the key.

    >>> _indexed("llm.output_messages", [{"message.tool_calls": [{"tool_call": {"id": "a"}}]}])
    {'llm.output_messages.0.message.tool_calls.0.tool_call.id': 'a'}
    """
    if isinstance(value, dict):
        parts = value.items()
    elif objects(value):
        parts = {str(at): item for at, item in enumerate(objects(value))}.items()
    else:
        return {key: value}
    return {inner: leaf for name, item in parts for inner, leaf in _indexed(f"{key}.{name}", item).items()}


FORMAT = JsonFormat("spans with their attributes in one object", _recognizes, _spans, rank=1)
