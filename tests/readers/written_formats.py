"""Writes spans in the formats that readers know, as the programs that own the formats write them."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeAlias

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:
    pa = parquet = None
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_parallelism.model import SpanEvent, SpanRecord

if TYPE_CHECKING:
    from pathlib import Path

Write: TypeAlias = Callable[[Sequence[SpanRecord]], bytes]


def _value(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": value}


def _pairs(attributes: Mapping[str, object]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def as_text(value: object) -> str:
    """Return an attribute as the formats write it that have nothing but texts."""
    return value if isinstance(value, str) else json.dumps(value)


def by_scope(spans: Sequence[SpanRecord]) -> list[tuple[str, list[SpanRecord]]]:
    """Return *spans* by the name of what recorded them."""
    found: dict[str, list[SpanRecord]] = {}
    for span in spans:
        found.setdefault(scope_of(span), []).append(span)
    return list(found.items())


def scope_of(span: SpanRecord) -> str:
    return span.instrumentation or "a.scope"


def _otlp(span: SpanRecord) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _pairs(span.attributes),
        "events": [
            {"timeUnixNano": str(span.start_ns), "name": event.name, "attributes": _pairs(event.attributes)}
            for event in span.events
        ],
        "status": {"code": 2} if span.error else {},
    }


def _request(spans: Sequence[SpanRecord], scopes: str = "scopeSpans", scope: str = "scope") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}
    inner = [{scope: {"name": name}, "spans": [_otlp(span) for span in some]} for name, some in by_scope(spans)]
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
    return b"".join(json.dumps(_otlp(span) | {"scope": {"name": scope_of(span)}}).encode() + b"\n" for span in spans)


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
    scopes = {name: group.scope_spans.add() for name, _ in by_scope(spans)}
    for name, scope in scopes.items():
        scope.scope.name = name
    for span in spans:
        written = scopes[scope_of(span)].spans.add(
            trace_id=bytes.fromhex(span.trace_id),
            span_id=bytes.fromhex(span.span_id),
            parent_span_id=bytes.fromhex(span.parent_id),
            name=span.name,
            start_time_unix_nano=span.start_ns,
            end_time_unix_nano=span.end_ns,
        )
        written.status.code = 2 if span.error else 0  # type: ignore[assignment]
        _add_attributes(written.attributes, span.attributes)
        for event in span.events:
            _add_attributes(written.events.add(name=event.name).attributes, event.attributes)
    return data.SerializeToString()


def _add_attributes(to: Any, attributes: Mapping[str, object]) -> None:
    for key, value in attributes.items():
        ParseDict(_value(value), to.add(key=key).value)


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
        tags = _jaeger_tags(span.attributes)
        tags += [{"key": "error", "type": "bool", "value": True}] if span.error else []
        traces.setdefault(span.trace_id, []).append(
            {
                "traceID": span.trace_id,
                "spanID": span.span_id,
                "operationName": span.name,
                "references": [parent] if span.parent_id else [],
                "startTime": span.start_ns // 1000,
                "duration": (span.end_ns - span.start_ns) // 1000,
                "tags": [*tags, {"key": "otel.scope.name", "type": "string", "value": scope_of(span)}],
                "logs": [
                    {
                        "timestamp": span.start_ns // 1000,
                        "fields": _jaeger_tags({"event": event.name, **event.attributes}),
                    }
                    for event in span.events
                ],
                "processID": "p1",
            }
        )
    processes = {"p1": {"serviceName": "checkout", "tags": []}}
    data = [{"traceID": trace, "spans": found, "processes": processes} for trace, found in traces.items()]
    return json.dumps({"data": data, "total": 0, "errors": None}, indent=1).encode()


def _jaeger_tags(attributes: Mapping[str, object]) -> list[dict[str, Any]]:
    """Return *attributes* as Jaeger has them: lists are JSON texts."""
    kinds = {bool: "bool", int: "int64"}
    return [
        {
            "key": key,
            "type": kinds.get(type(value), "string"),
            "value": value if type(value) in kinds else as_text(value),
        }
        for key, value in attributes.items()
    ]


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
                "tags": {key: as_text(value) for key, value in span.attributes.items()}
                | {"otel.scope.name": scope_of(span)}
                | ({"error": "yes"} if span.error else {}),
                "annotations": [
                    {"timestamp": span.start_ns // 1000, "value": f'"{one.name}":{json.dumps(dict(one.attributes))}'}
                    for one in span.events
                ],
            }
            for span in spans
        ]
    ).encode()


def iso_text(at_ns: int, digits: int = 6) -> str:
    whole, rest = divmod(at_ns, 10**9)
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{rest:09d}"[:digits] + "Z"


def _console(span: SpanRecord) -> dict[str, Any]:
    return {
        "name": span.name,
        "context": {"trace_id": f"0x{span.trace_id}", "span_id": f"0x{span.span_id}", "trace_state": "[]"},
        "kind": "SpanKind.INTERNAL",
        "parent_id": f"0x{span.parent_id}" if span.parent_id else None,
        "start_time": iso_text(span.start_ns),
        "end_time": iso_text(span.end_ns),
        "status": {"status_code": "ERROR" if span.error else "UNSET"},
        "attributes": dict(span.attributes),
        "events": [
            {"name": event.name, "timestamp": iso_text(span.start_ns), "attributes": dict(event.attributes)}
            for event in span.events
        ],
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
                "StartTime": iso_text(span.start_ns, 9),
                "EndTime": iso_text(span.end_ns, 9),
                "Attributes": _go_pairs(span.attributes),
                "Events": [{"Name": each.name, "Attributes": _go_pairs(each.attributes)} for each in span.events]
                or None,
                "Links": None,
                "Status": {"Code": "Error" if span.error else "Unset", "Description": ""},
                "Resource": [{"Key": "service.name", "Value": {"Type": "STRING", "Value": "checkout"}}],
                "InstrumentationScope": {"Name": scope_of(span), "Version": ""},
            },
            indent="\t",
        ).encode()
        + b"\n"
        for span in spans
    )


def _go_pairs(attributes: Mapping[str, object]) -> list[dict[str, Any]]:
    kinds = {bool: "BOOL", int: "INT64", str: "STRING"}
    return [
        {"Key": key, "Value": {"Type": kinds.get(type(value), "STRINGSLICE"), "Value": value}}
        for key, value in attributes.items()
    ]


def data_frame(spans: Sequence[SpanRecord]) -> bytes:
    return json.dumps(
        [
            {
                "name": span.name,
                "span_kind": "UNKNOWN",
                "parent_id": span.parent_id or None,
                "start_time": iso_text(span.start_ns).replace("Z", "+00:00"),
                "end_time": iso_text(span.end_ns).replace("Z", "+00:00"),
                "status_code": "ERROR" if span.error else "OK",
                "events": [{"name": event.name, "attributes": dict(event.attributes)} for event in span.events],
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
                    "meta": {k: as_text(value) for k, value in span.attributes.items() if type(value) is not int}
                    | ({"events": _events_json(span)} if span.events else {}),
                    "metrics": {key: value for key, value in span.attributes.items() if type(value) is int},
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
    return [(key, as_text(value)) for key, value in attributes.items()]


def events_of(span: SpanRecord) -> Sequence[SpanEvent]:
    """Return the events of *span*; where it has none, one that tells nothing."""
    return span.events or (SpanEvent("an event", {"key": "value"}),)


def _events_json(span: SpanRecord) -> str:
    return json.dumps([{"name": one.name, "time": 1, "attributes": dict(one.attributes)} for one in events_of(span)])


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
            "ScopeName": scope_of(span),
            "ScopeVersion": "",
            "SpanAttributes": _texts(span.attributes),
            "Duration": span.end_ns - span.start_ns,
            "StatusCode": "Error" if span.error else "Unset",
            "StatusMessage": "",
            "Events.Timestamp": [span.start_ns for _ in events_of(span)],
            "Events.Name": [event.name for event in events_of(span)],
            "Events.Attributes": [_texts(event.attributes) for event in events_of(span)],
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
        | {"Timestamp": iso_text(row["Timestamp"], 9).replace("T", " ").rstrip("Z"), "Links.Attributes": [{}]}
        | {"Events.Timestamp": [iso_text(at_ns, 9).replace("T", " ").rstrip("Z") for at_ns in row["Events.Timestamp"]]}
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
            "scope_name": scope_of(span),
            "scope_version": "",
            "service_name": "checkout",
            "resource_attributes.process.pid": 12,
            "span_events": _events_json(span),
            "span_links": '[{"trace_id": "01", "span_id": "00000000000000ff"}]',
            **{f"span_attributes.{key}": _in_column(value) for key, value in span.attributes.items()},
        }
        for span in spans
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    instant = pa.timestamp("ns")
    kinds = {"timestamp": instant, "timestamp_end": instant, "duration_nano": pa.uint64()}
    kinds["resource_attributes.process.pid"] = pa.int64()
    kinds |= _column_kinds(spans, "span_attributes.", pa.int64())
    return _written_table(rows, pa.schema([(name, kinds.get(name, pa.string())) for name in names]))


def _in_column(value: object) -> object:
    return value if isinstance(value, str | int) else as_text(value)


def _column_kinds(spans: Sequence[SpanRecord], prefix: str, whole: Any) -> dict[str, Any]:
    """Return the types of the columns of attributes that are no texts."""
    values = [(f"{prefix}{key}", value) for span in spans for key, value in span.attributes.items()]
    return {name: pa.bool_() if isinstance(value, bool) else whole for name, value in values if isinstance(value, int)}


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
            "scope_name": scope_of(span),
            "span_attributes": json.dumps(dict(span.attributes)),
            "events_json": _events_json(span),
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
            "scope_name": scope_of(span),
            "span_attributes": json.dumps(dict(span.attributes)),
            "events_json": _events_json(span),
            "links_json": json.dumps([{"span_id": "00000000000000ff"}]),
        }
        for span in spans
    ]
    whole = {"end_timestamp", "duration", "span_kind", "status_code"}
    kinds = dict.fromkeys(whole, pa.int64()) | {"timestamp": pa.timestamp("us")}
    return _written_table(rows, pa.schema([(name, kinds.get(name, pa.string())) for name in rows[0]]))


def _tempo_attribute(key: str, value: object) -> dict[str, Any]:
    listed = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return {
        "Key": key,
        "IsArray": isinstance(value, list | tuple),
        "Value": [item for item in listed if isinstance(item, str)],
        "ValueInt": [item for item in listed if type(item) is int],
        "ValueDouble": [],
        "ValueBool": [item for item in listed if isinstance(item, bool)],
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
    traces: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, {}).setdefault(scope_of(span), []).append(
            {
                "SpanID": bytes.fromhex(span.span_id),
                "ParentSpanID": bytes.fromhex(span.parent_id),
                "Name": span.name,
                "Kind": 1,
                "StartTimeUnixNano": span.start_ns,
                "DurationNano": span.end_ns - span.start_ns,
                "StatusCode": 2 if span.error else 0,
                "Attrs": [_tempo_attribute(key, value) for key, value in span.attributes.items()],
                "Events": [
                    {
                        "TimeSinceStartNano": 0,
                        "Name": event.name,
                        "Attrs": [_tempo_attribute(key, value) for key, value in event.attributes.items()],
                    }
                    for event in events_of(span)
                ],
                "Links": [{"TraceID": b"\1" * 16, "SpanID": bytes.fromhex("00000000000000ff"), "Attrs": []}],
            }
        )
    shared = {"Attrs": [], "ServiceName": "checkout"}
    rows = [
        {
            "TraceID": bytes.fromhex(trace),
            "TraceIDText": trace,
            "rs": [
                {
                    "Resource": shared,
                    "ss": [{"Scope": {"Name": name, "Version": ""}, "Spans": some} for name, some in found.items()],
                }
            ],
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
        row |= {key: _in_column(value) for key, value in row.items() if key.startswith("attributes.")}
        row["events"] = [event | {"attributes": json.dumps(event["attributes"])} for event in row["events"]]
    names = dict.fromkeys(name for row in rows for name in row)
    instant = pa.timestamp("ns", tz="UTC")
    kinds = {"start_time": instant, "end_time": instant} | _column_kinds(spans, "attributes.", pa.float64())
    kinds["events"] = pa.list_(pa.struct([("name", pa.string()), ("attributes", pa.string())]))
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
