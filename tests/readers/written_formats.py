"""Writes spans in the formats that readers know, as the programs that own the formats write them."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeAlias

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:
    pa = parquet = None
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_parallelism.model import SpanRecord

if TYPE_CHECKING:
    from pathlib import Path

Write: TypeAlias = Callable[[Sequence[SpanRecord]], bytes]


def _value(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": value}


def _otlp(span: SpanRecord) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": [{"key": key, "value": _value(value)} for key, value in span.attributes.items()],
        "status": {"code": 2} if span.error else {},
    }


def _request(spans: Sequence[SpanRecord], scopes: str = "scopeSpans", scope: str = "scope") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}
    inner = [{scope: {"name": "a.scope"}, "spans": [_otlp(span) for span in spans]}]
    return {"resource": resource, scopes: inner}


def otlp_lines(spans: Sequence[SpanRecord]) -> bytes:
    return b"".join(json.dumps({"resourceSpans": [_request([span])]}).encode() + b"\n" for span in spans)


def otlp_line(spans: Sequence[SpanRecord]) -> bytes:
    """Return one request with all *spans* on one line."""
    return json.dumps({"resourceSpans": [_request(spans)]}).encode() + b"\n"


def otlp_document(spans: Sequence[SpanRecord]) -> bytes:
    return json.dumps({"resourceSpans": [_request(spans)]}, indent=2).encode()


def otlp_before_0_19(spans: Sequence[SpanRecord]) -> bytes:
    group = _request(spans, "instrumentationLibrarySpans", "instrumentationLibrary")
    return json.dumps({"resourceSpans": [group]}).encode()


def otlp_bare_spans(spans: Sequence[SpanRecord]) -> bytes:
    return b"".join(json.dumps(_otlp(span)).encode() + b"\n" for span in spans)


def tempo(spans: Sequence[SpanRecord]) -> bytes:
    return json.dumps({"batches": [_request(spans)]}).encode()


def tempo_v2(spans: Sequence[SpanRecord]) -> bytes:
    return json.dumps({"trace": {"resourceSpans": [_request(spans)]}}).encode()


def jaeger_v3(spans: Sequence[SpanRecord]) -> bytes:
    return json.dumps({"result": {"resourceSpans": [_request(spans)]}}).encode()


def _protobuf(spans: Sequence[SpanRecord]) -> bytes:
    data = TracesData()
    group = data.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "checkout"
    scope = group.scope_spans.add()
    scope.scope.name = "a.scope"
    for span in spans:
        written = scope.spans.add(
            trace_id=bytes.fromhex(span.trace_id),
            span_id=bytes.fromhex(span.span_id),
            parent_span_id=bytes.fromhex(span.parent_id),
            name=span.name,
            start_time_unix_nano=span.start_ns,
            end_time_unix_nano=span.end_ns,
        )
        written.status.code = 2 if span.error else 0  # type: ignore[assignment]
        for key, value in span.attributes.items():
            target = written.attributes.add(key=key).value
            if isinstance(value, int):
                target.int_value = value
            else:
                target.string_value = str(value)
    return data.SerializeToString()


def protobuf(spans: Sequence[SpanRecord]) -> bytes:
    return _protobuf(spans)


def protobuf_message(spans: Sequence[SpanRecord]) -> bytes:
    """Return one request with all *spans*, after its length."""
    message = _protobuf(spans)
    return struct.pack(">I", len(message)) + message


def protobuf_with_lengths(spans: Sequence[SpanRecord]) -> bytes:
    return b"".join(protobuf_message([span]) for span in spans)


def jaeger(spans: Sequence[SpanRecord]) -> bytes:
    traces: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        parent = {"refType": "CHILD_OF", "traceID": span.trace_id, "spanID": span.parent_id}
        tags = [{"key": key, "type": _jaeger_type(value), "value": value} for key, value in span.attributes.items()]
        tags += [{"key": "error", "type": "bool", "value": True}] if span.error else []
        traces.setdefault(span.trace_id, []).append(
            {
                "traceID": span.trace_id,
                "spanID": span.span_id,
                "operationName": span.name,
                "references": [parent] if span.parent_id else [],
                "startTime": span.start_ns // 1000,
                "duration": (span.end_ns - span.start_ns) // 1000,
                "tags": [*tags, {"key": "otel.scope.name", "type": "string", "value": "a.scope"}],
                "logs": [],
                "processID": "p1",
            }
        )
    processes = {"p1": {"serviceName": "checkout", "tags": []}}
    data = [{"traceID": trace, "spans": found, "processes": processes} for trace, found in traces.items()]
    return json.dumps({"data": data, "total": 0, "errors": None}, indent=1).encode()


def _jaeger_type(value: object) -> str:
    return "int64" if isinstance(value, int) else "string"


def zipkin(spans: Sequence[SpanRecord]) -> bytes:
    return json.dumps(
        [
            {
                "traceId": span.trace_id,
                "id": span.span_id,
                **({"parentId": span.parent_id} if span.parent_id else {}),
                "name": span.name,
                "timestamp": span.start_ns // 1000,
                "duration": (span.end_ns - span.start_ns) // 1000,
                "localEndpoint": {"serviceName": "checkout"},
                "tags": {key: str(value) for key, value in span.attributes.items()}
                | ({"error": "yes"} if span.error else {}),
            }
            for span in spans
        ]
    ).encode()


def _iso(at_ns: int, digits: int = 6) -> str:
    whole, rest = divmod(at_ns, 10**9)
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{rest:09d}"[:digits] + "Z"


def _console(span: SpanRecord) -> dict[str, Any]:
    return {
        "name": span.name,
        "context": {"trace_id": f"0x{span.trace_id}", "span_id": f"0x{span.span_id}", "trace_state": "[]"},
        "kind": "SpanKind.INTERNAL",
        "parent_id": f"0x{span.parent_id}" if span.parent_id else None,
        "start_time": _iso(span.start_ns),
        "end_time": _iso(span.end_ns),
        "status": {"status_code": "ERROR" if span.error else "UNSET"},
        "attributes": dict(span.attributes),
        "events": [],
        "links": [],
        "resource": {"attributes": {"service.name": "checkout"}, "schema_url": ""},
    }


def console_lines(spans: Sequence[SpanRecord]) -> bytes:
    return b"".join(json.dumps(_console(span)).encode() + b"\n" for span in spans)


def console_pretty(spans: Sequence[SpanRecord]) -> bytes:
    return b"".join(json.dumps(_console(span), indent=4).encode() + b"\n" for span in spans)


def console_among_other_output(spans: Sequence[SpanRecord]) -> bytes:
    return b"".join(b"Step done: {ok}\n" + json.dumps(_console(span), indent=4).encode() + b"\n" for span in spans)


def console_go(spans: Sequence[SpanRecord]) -> bytes:
    return b"".join(
        json.dumps(
            {
                "Name": span.name,
                "SpanContext": {"TraceID": span.trace_id, "SpanID": span.span_id, "TraceFlags": "01"},
                "Parent": {"TraceID": span.trace_id, "SpanID": span.parent_id or "0" * 16, "Remote": False},
                "SpanKind": 1,
                "StartTime": _iso(span.start_ns, 9),
                "EndTime": _iso(span.end_ns, 9),
                "Attributes": [
                    {"Key": key, "Value": {"Type": "STRING", "Value": value}} for key, value in span.attributes.items()
                ],
                "Events": None,
                "Links": None,
                "Status": {"Code": "Error" if span.error else "Unset", "Description": ""},
                "Resource": [{"Key": "service.name", "Value": {"Type": "STRING", "Value": "checkout"}}],
                "InstrumentationScope": {"Name": "a.scope", "Version": ""},
            },
            indent="\t",
        ).encode()
        + b"\n"
        for span in spans
    )


def data_frame(spans: Sequence[SpanRecord]) -> bytes:
    return json.dumps(
        [
            {
                "name": span.name,
                "span_kind": "UNKNOWN",
                "parent_id": span.parent_id or None,
                "start_time": _iso(span.start_ns).replace("Z", "+00:00"),
                "end_time": _iso(span.end_ns).replace("Z", "+00:00"),
                "status_code": "ERROR" if span.error else "OK",
                "context.span_id": span.span_id,
                "context.trace_id": span.trace_id,
                **{f"attributes.{key}": value for key, value in span.attributes.items()},
            }
            for span in spans
        ]
    ).encode()


def datadog(spans: Sequence[SpanRecord]) -> bytes:
    return json.dumps(
        [
            [
                {
                    "trace_id": int(span.trace_id[16:], 16),
                    "span_id": int(span.span_id, 16),
                    "parent_id": int(span.parent_id or "0", 16),
                    "name": "internal",
                    "resource": span.name,
                    "service": "checkout",
                    "start": span.start_ns,
                    "duration": span.end_ns - span.start_ns,
                    "error": int(span.error),
                    "meta": {key: value for key, value in span.attributes.items() if isinstance(value, str)},
                    "metrics": {key: value for key, value in span.attributes.items() if isinstance(value, int)},
                }
                for span in spans
            ]
        ]
    ).encode()


def _written_table(rows: list[dict[str, Any]], schema: Any = None) -> bytes:
    """Return *rows* as Parquet, in groups so small that a file has several."""
    into = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), into, row_group_size=7, compression="none")
    return into.getvalue()


def _texts(attributes: Any) -> list[tuple[str, str]]:
    return [(key, str(value)) for key, value in attributes.items()]


def _clickhouse_rows(spans: Sequence[SpanRecord]) -> list[dict[str, Any]]:
    return [
        {
            "Timestamp": span.start_ns,
            "TraceId": span.trace_id,
            "SpanId": span.span_id,
            "ParentSpanId": span.parent_id,
            "TraceState": "",
            "SpanName": span.name,
            "SpanKind": "Internal",
            "ServiceName": "checkout",
            "ResourceAttributes": [("service.name", "checkout")],
            "ScopeName": "a.scope",
            "ScopeVersion": "",
            "SpanAttributes": _texts(span.attributes),
            "Duration": span.end_ns - span.start_ns,
            "StatusCode": "Error" if span.error else "Unset",
            "StatusMessage": "",
            "Events.Timestamp": [span.start_ns],
            "Events.Name": ["an event"],
            "Events.Attributes": [[("key", "value")]],
            "Links.TraceId": [span.trace_id],
            "Links.SpanId": ["00000000000000ff"],
            "Links.TraceState": [""],
            "Links.Attributes": [[]],
        }
        for span in spans
    ]


def _clickhouse_schema() -> Any:
    """Return the columns of ``SELECT * FROM otel_traces FORMAT Parquet``; texts are bytes, as before version 24."""
    text, instant = pa.binary(), pa.timestamp("ns", tz="UTC")
    pairs = pa.map_(text, text)
    kinds = {"Timestamp": instant, "Duration": pa.uint64(), "Events.Timestamp": pa.list_(instant)}
    kinds |= {"ResourceAttributes": pairs, "SpanAttributes": pairs}
    kinds |= {"Events.Attributes": pa.list_(pairs), "Links.Attributes": pa.list_(pairs)}
    lists = ("Events.Name", "Links.TraceId", "Links.SpanId", "Links.TraceState")
    kinds |= dict.fromkeys(lists, pa.list_(text))
    some = SpanRecord("1", "1", "", "", 0, 0, {})
    return pa.schema([(name, kinds.get(name, text)) for name in _clickhouse_rows([some])[0]])


def clickhouse_parquet(spans: Sequence[SpanRecord]) -> bytes:
    return _written_table(_clickhouse_rows(spans), _clickhouse_schema())


class ClickhouseWriter:
    """Writes rows as `clickhouse_parquet` does to a file, a group at a time."""

    def __init__(self, path: Path) -> None:
        self._schema = _clickhouse_schema()
        self._writer = parquet.ParquetWriter(path, self._schema)

    def __enter__(self) -> Self:  # noqa: D105 - as of any context
        return self

    def __exit__(self, *_: object) -> None:  # noqa: D105 - as above
        self._writer.close()

    def add(self, spans: Sequence[SpanRecord]) -> None:
        """Write *spans* as one group of rows."""
        self._writer.write_table(pa.Table.from_pylist(_clickhouse_rows(spans), schema=self._schema))


def clickhouse_json(spans: Sequence[SpanRecord]) -> bytes:
    """``SELECT * FROM otel_traces FORMAT JSONEachRow``."""
    pairs = ("ResourceAttributes", "SpanAttributes")
    rows = [
        row
        | {key: dict(row[key]) for key in pairs}
        | {"Timestamp": _iso(row["Timestamp"], 9).replace("T", " ").rstrip("Z"), "Links.Attributes": [{}]}
        | {"Events.Timestamp": [_iso(row["Timestamp"], 9).replace("T", " ").rstrip("Z")]}
        | {"Events.Attributes": [dict(each) for each in row["Events.Attributes"]], "Duration": str(row["Duration"])}
        for row in _clickhouse_rows(spans)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def greptime_parquet(spans: Sequence[SpanRecord]) -> bytes:
    """GreptimeDB's table ``opentelemetry_traces``: a column for each attribute."""
    rows = [
        {
            "timestamp": span.start_ns,
            "timestamp_end": span.end_ns,
            "duration_nano": span.end_ns - span.start_ns,
            "parent_span_id": span.parent_id or None,
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "span_kind": "SPAN_KIND_INTERNAL",
            "span_name": span.name,
            "span_status_code": "STATUS_CODE_ERROR" if span.error else "STATUS_CODE_UNSET",
            "span_status_message": "",
            "trace_state": "",
            "scope_name": "a.scope",
            "scope_version": "",
            "service_name": "checkout",
            "resource_attributes.process.pid": 12,
            "span_events": '[{"name": "an event", "time": "2026-01-01 00:00:00", "attributes": {"key": "value"}}]',
            "span_links": '[{"trace_id": "01", "span_id": "00000000000000ff"}]',
            **{f"span_attributes.{key}": value for key, value in span.attributes.items()},
        }
        for span in spans
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    instant = pa.timestamp("ns")
    kinds = {"timestamp": instant, "timestamp_end": instant, "duration_nano": pa.uint64()}
    kinds["resource_attributes.process.pid"] = pa.int64()
    wholes = {
        f"span_attributes.{k}" for span in spans for k, value in span.attributes.items() if isinstance(value, int)
    }
    kinds |= dict.fromkeys(wholes, pa.int64())
    return _written_table(rows, pa.schema([(name, kinds.get(name, pa.string())) for name in names]))


def otlp2parquet(spans: Sequence[SpanRecord]) -> bytes:
    """otlp2parquet since it has ids in binary and attributes as JSON."""
    rows = [
        {
            "start_time_unix_nano": span.start_ns,
            "duration_time_unix_nano": span.end_ns - span.start_ns,
            "trace_id": bytes.fromhex(span.trace_id),
            "span_id": bytes.fromhex(span.span_id),
            "parent_span_id": bytes.fromhex(span.parent_id) or None,
            "service_name": "checkout",
            "name": span.name,
            "kind": 1,
            "status_code": 2 if span.error else 0,
            "resource_attributes": "{}",
            "scope_name": "a.scope",
            "span_attributes": json.dumps(dict(span.attributes)),
            "events_json": json.dumps([{"name": "an event", "time": 1, "attributes": {"key": "value"}}]),
            "links_json": json.dumps([{"span_id": "00000000000000ff"}]),
        }
        for span in spans
    ]
    kinds = {
        "start_time_unix_nano": pa.timestamp("ns"),
        "duration_time_unix_nano": pa.duration("ns"),
        "trace_id": pa.binary(16),
        "span_id": pa.binary(8),
        "parent_span_id": pa.binary(8),
        "kind": pa.int32(),
        "status_code": pa.int32(),
    }
    return _written_table(rows, pa.schema([(name, kinds.get(name, pa.string())) for name in rows[0]]))


def duckdb_otlp(spans: Sequence[SpanRecord]) -> bytes:
    """``COPY (FROM read_otlp_traces(…)) TO 'x.parquet'``: start in µs, end and duration in ms."""
    rows = [
        {
            "timestamp": span.start_ns // 1000,
            "end_timestamp": span.end_ns // 1_000_000,
            "duration": (span.end_ns - span.start_ns) // 1_000_000,
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "parent_span_id": span.parent_id or None,
            "service_name": "checkout",
            "span_name": span.name,
            "span_kind": 1,
            "status_code": 2 if span.error else 0,
            "resource_attributes": '{"service.name": "checkout"}',
            "scope_name": "a.scope",
            "span_attributes": json.dumps(dict(span.attributes)),
            "events_json": json.dumps([{"name": "an event", "time": 1, "attributes": {"key": "value"}}]),
            "links_json": json.dumps([{"span_id": "00000000000000ff"}]),
        }
        for span in spans
    ]
    whole = {"end_timestamp", "duration", "span_kind", "status_code"}
    kinds = dict.fromkeys(whole, pa.int64()) | {"timestamp": pa.timestamp("us")}
    return _written_table(rows, pa.schema([(name, kinds.get(name, pa.string())) for name in rows[0]]))


def _tempo_attribute(key: str, value: object) -> dict[str, Any]:
    whole = isinstance(value, int)
    return {
        "Key": key,
        "IsArray": False,
        "Value": [] if whole else [value],
        "ValueInt": [value] if whole else [],
        "ValueDouble": [],
        "ValueBool": [],
        "ValueUnsupported": None,
    }


def tempo_block(spans: Sequence[SpanRecord]) -> bytes:
    """``data.parquet`` of a block of Tempo, vParquet4."""
    attribute = pa.struct(
        [
            ("Key", pa.string()),
            ("IsArray", pa.bool_()),
            *(("Value" + name, pa.list_(kind)) for name, kind in _tempo_values()),
            ("ValueUnsupported", pa.string()),
        ]
    )
    attributes = pa.list_(attribute)
    event = pa.struct([("TimeSinceStartNano", pa.uint64()), ("Name", pa.string()), ("Attrs", attributes)])
    link = pa.struct([("TraceID", pa.binary()), ("SpanID", pa.binary()), ("Attrs", attributes)])
    span_type = pa.struct(
        [
            *(("SpanID", pa.binary()), ("ParentSpanID", pa.binary()), ("Name", pa.string()), ("Kind", pa.int64())),
            *(("StartTimeUnixNano", pa.uint64()), ("DurationNano", pa.uint64()), ("StatusCode", pa.int64())),
            *(("Attrs", attributes), ("Events", pa.list_(event)), ("Links", pa.list_(link))),
            *(("HttpMethod", pa.string()), ("HttpStatusCode", pa.int64())),
        ]
    )
    scope = pa.struct([("Name", pa.string()), ("Version", pa.string())])
    scopes = pa.list_(pa.struct([("Scope", scope), ("Spans", pa.list_(span_type))]))
    resource = pa.struct([("Attrs", attributes), ("ServiceName", pa.string()), ("K8sPodName", pa.string())])
    groups = pa.list_(pa.struct([("Resource", resource), ("ss", scopes)]))
    traces: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(
            {
                "SpanID": bytes.fromhex(span.span_id),
                "ParentSpanID": bytes.fromhex(span.parent_id),
                "Name": span.name,
                "Kind": 1,
                "StartTimeUnixNano": span.start_ns,
                "DurationNano": span.end_ns - span.start_ns,
                "StatusCode": 2 if span.error else 0,
                "Attrs": [_tempo_attribute(key, value) for key, value in span.attributes.items()],
                "Events": [{"TimeSinceStartNano": 0, "Name": "an event", "Attrs": [_tempo_attribute("key", "value")]}],
                "Links": [{"TraceID": b"\1" * 16, "SpanID": bytes.fromhex("00000000000000ff"), "Attrs": []}],
            }
        )
    shared = {"Attrs": [], "ServiceName": "checkout"}
    rows = [
        {
            "TraceID": bytes.fromhex(trace),
            "TraceIDText": trace,
            "rs": [{"Resource": shared, "ss": [{"Scope": {"Name": "a.scope", "Version": ""}, "Spans": found}]}],
        }
        for trace, found in traces.items()
    ]
    return _written_table(rows, pa.schema([("TraceID", pa.binary()), ("TraceIDText", pa.string()), ("rs", groups)]))


def _tempo_values() -> list[tuple[str, Any]]:
    return [("", pa.string()), ("Int", pa.int64()), ("Double", pa.float64()), ("Bool", pa.bool_())]


def data_frame_parquet(spans: Sequence[SpanRecord]) -> bytes:
    """A data frame of Phoenix, as pandas writes it."""
    rows = json.loads(data_frame(spans))
    for row, span in zip(rows, spans, strict=True):
        row |= {"start_time": span.start_ns, "end_time": span.end_ns}
    names = dict.fromkeys(name for row in rows for name in row)
    instant = pa.timestamp("ns", tz="UTC")
    whole = {f"attributes.{k}" for span in spans for k, value in span.attributes.items() if isinstance(value, int)}
    kinds = {"start_time": instant, "end_time": instant} | dict.fromkeys(whole, pa.float64())
    return _written_table(rows, pa.schema([(name, kinds.get(name, pa.string())) for name in names]))


PARQUET: tuple[Write, ...] = (
    *(clickhouse_parquet, greptime_parquet, otlp2parquet, duckdb_otlp, tempo_block, data_frame_parquet),
)
BINARY = frozenset(write.__name__ for write in (protobuf, protobuf_with_lengths, *PARQUET))
"""The formats that are no text."""

WRITERS: dict[str, Write] = {
    write.__name__: write
    for write in (
        *(otlp_lines, otlp_document, otlp_before_0_19, otlp_bare_spans, tempo, tempo_v2, jaeger_v3),
        *(protobuf, protobuf_with_lengths, jaeger, zipkin, datadog, data_frame),
        *(console_lines, console_pretty, console_among_other_output, console_go, clickhouse_json),
        *(PARQUET if pa is not None else ()),
    )
}
