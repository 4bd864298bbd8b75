"""Writes spans in the formats that readers know, as the programs that own the formats write them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_parallelism.model import SpanRecord

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


def protobuf_with_lengths(spans: Sequence[SpanRecord]) -> bytes:
    messages = [_protobuf([span]) for span in spans]
    return b"".join(struct.pack(">I", len(message)) + message for message in messages)


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


WRITERS: dict[str, Write] = {
    write.__name__: write
    for write in (
        *(otlp_lines, otlp_document, otlp_before_0_19, otlp_bare_spans, tempo, tempo_v2, jaeger_v3),
        *(protobuf, protobuf_with_lengths, jaeger, zipkin, datadog, data_frame),
        *(console_lines, console_pretty, console_among_other_output, console_go),
    )
}
