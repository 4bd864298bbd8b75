"""Datadog's traces, as its agents and test agents export them: lists of spans with numeric ids, times in ns."""

from __future__ import annotations

from otel_parallelism.model import SpanRecord
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    end_ns,
    fields,
    hex_id,
    kind_number,
    parent_id,
    string,
    time_ns,
)


def _recognizes(data: Fields) -> bool:
    return {"trace_id", "span_id", "start", "duration"} <= data.keys() and bool(data.keys() & {"meta", "resource"})


def _spans(span: Fields) -> list[SpanRecord]:
    attributes = {**fields(span.get("metrics")), **fields(span.get("meta"))}
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
            kind=kind_number(attributes.get("span.kind")),
            error=bool(span.get("error")),
            source=string(span.get("service")),
        )
    ]


FORMAT = JsonFormat("Datadog traces", _recognizes, _spans)
