"""
Langfuse's traces with their observations, as its UI and its API export them, and pages of observations.

Exports into files in a bucket have snake-case names.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from otel_parallelism.model import SpanRecord
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    as_json,
    fields,
    hex_id,
    objects,
    parent_id,
    string,
    time_ns,
    without_empty,
)

_CAMEL: Final = frozenset({"id", "traceId", "type", "startTime"})
_SNAKE: Final = frozenset({"id", "trace_id", "type", "start_time", "parent_observation_id"})
_UNDERSCORE: Final = re.compile("_([a-z])")


def _recognizes(data: Fields) -> bool:
    return _is_observation(data) or any(_is_observation(item) for item in _observations(data))


def _is_observation(item: Fields) -> bool:
    # Opik's spans have these too, and a parent's id in other words.
    return (item.keys() >= _CAMEL and "parentSpanId" not in item) or item.keys() >= _SNAKE


def _observations(data: Fields) -> list[Fields]:
    return objects(data.get("observations") or data.get("data"))


def _spans(data: Fields) -> list[SpanRecord]:
    if _is_observation(data):
        return [_record(data)]
    found = [_record(item) for item in _observations(data)]
    roots = [span for span in found if not span.parent_id]
    if "observations" not in data or len(roots) < 2:  # noqa: PLR2004 - one observation at the top is the root
        return found
    # Older clients record no observation for the trace itself, so the trace's fields become a span.
    root = SpanRecord(
        roots[0].trace_id,
        hex_id(data.get("id")),
        "",
        string(data.get("name")),
        min(span.start_ns for span in found),
        max(span.end_ns for span in found),
        without_empty({"langfuse.observation.input": _content(data.get("input"))}),
    )
    return [root, *(_below(span, root.span_id) for span in found)]


def _below(span: SpanRecord, root: str) -> SpanRecord:
    if span.parent_id:
        return span
    return msgspec.structs.replace(span, parent_id=root)


def _record(item: Fields) -> SpanRecord:
    if item.keys() >= _SNAKE:
        item = {_UNDERSCORE.sub(lambda found: found[1].upper(), key): value for key, value in item.items()}
    start = time_ns(item.get("startTime"))
    end, kind = item.get("endTime"), string(item.get("type")).lower()
    attributes = {
        "langfuse.observation.type": kind,
        "langfuse.observation.input": _content(item.get("input")),
        "langfuse.observation.output": _content(item.get("output")),
        "langfuse.observation.level": item.get("level"),
        "langfuse.observation.status_message": item.get("statusMessage"),
        "langfuse.observation.usage_details": _content(item.get("usageDetails") or item.get("usage")),
        **{f"langfuse.observation.metadata.{key}": as_json(value) for key, value in _metadata(item).items()},
    }
    return SpanRecord(
        hex_id(item.get("traceId")),
        hex_id(item.get("id")),
        parent_id(item.get("parentObservationId")),
        string(item.get("name")),
        start,
        time_ns(end) if end else start if kind == "event" else 0,  # an event is an instant; others have not ended
        without_empty(attributes),
        error=string(item.get("level")).upper() == "ERROR",
    )


def _metadata(item: Fields) -> Fields:
    return fields(item.get("metadata"))


def _content(value: object) -> object:
    return None if value is None else as_json(value)


FORMAT = JsonFormat("a Langfuse export", _recognizes, _spans)
