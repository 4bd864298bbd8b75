"""Writes spans as more programs have them: JavaScript's SDK, MLflow, Phoenix, Langfuse, LangSmith, older versions."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.readers.written_formats import as_text, iso_text, otlp_lines, protobuf, scope_of, zipkin

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord
    from tests.readers.written_formats import Write

S = 10**9


def otlp_array(spans: Sequence[SpanRecord]) -> bytes:
    """Return an array of requests."""
    return json.dumps([json.loads(line) for line in otlp_lines(spans).splitlines()], indent=1).encode()


def otlp_groups(spans: Sequence[SpanRecord]) -> bytes:
    """Return an array of ``resourceSpans`` without a request around it."""
    requests = [json.loads(line) for line in otlp_lines(spans).splitlines()]
    return json.dumps([group for request in requests for group in request["resourceSpans"]]).encode()


def otlp_snake_case(spans: Sequence[SpanRecord]) -> bytes:
    """Return requests in protobuf's own names of fields, with ids in base64 and the fields in another order."""
    return b"".join(json.dumps(_snake(json.loads(line))).encode() + b"\n" for line in otlp_lines(spans).splitlines())


def _snake(data: Any) -> Any:
    if isinstance(data, list):
        return [_snake(item) for item in data]
    if not isinstance(data, dict):
        return data
    found = {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in key): _base64(value)
        if key.endswith(("traceId", "spanId", "parentSpanId"))
        else _snake(value)
        for key, value in data.items()
    }
    return dict(sorted(found.items(), reverse=True))


def _base64(written: str) -> str:
    return base64.b64encode(bytes.fromhex(written)).decode()


def protobuf_varint_lengths(spans: Sequence[SpanRecord]) -> bytes:
    """Return a request for each span, after its length as protobuf writes numbers."""
    return b"".join(_varint(len(message)) + message for message in (protobuf([span]) for span in spans))


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def zipkin_1(spans: Sequence[SpanRecord]) -> bytes:
    """Return a list of traces as Zipkin's first version has them."""
    traces: dict[str, list[Any]] = {}
    for span in json.loads(zipkin(spans)):
        endpoint, tags = span.pop("localEndpoint"), span.pop("tags")
        listed = [{"key": key, "value": value, "endpoint": endpoint} for key, value in tags.items()]
        traces.setdefault(span["traceId"], []).append(span | {"binaryAnnotations": listed})
    return json.dumps(list(traces.values())).encode()


def _hr(at_ns: int) -> list[int]:
    return [at_ns // S, at_ns % S]


def sdk_objects(spans: Sequence[SpanRecord]) -> bytes:
    """Return spans of the JavaScript SDK through ``JSON.stringify``, one after another over several lines."""
    return b"\n".join(
        json.dumps(
            {
                "instrumentationScope": {"name": scope_of(span)},
                "resource": {"_rawAttributes": [["service.name", "checkout"]]},
                "_spanContext": {"traceId": span.trace_id, "spanId": span.span_id, "traceFlags": 1},
                "parentSpanContext": {"traceId": span.trace_id, "spanId": span.parent_id} if span.parent_id else None,
                "name": span.name,
                "kind": 0,
                "startTime": _hr(span.start_ns),
                "endTime": _hr(span.end_ns),
                "attributes": dict(span.attributes),
                "events": [
                    {"name": event.name, "attributes": dict(event.attributes), "time": _hr(span.start_ns)}
                    for event in span.events
                ],
                "status": {"code": 2 if span.error else 0},
                "links": [],
            },
            indent=2,
        ).encode()
        for span in spans
    )


def console_node(spans: Sequence[SpanRecord]) -> bytes:
    """Return spans as Node shows objects, with other output between them."""
    return b"".join(b"done { ok }\n" + _shown(_node(span)).encode() + b"\n" for span in spans)


def _node(span: SpanRecord) -> dict[str, Any]:
    parent = {"traceId": span.trace_id, "spanId": span.parent_id, "traceFlags": 1}
    return {
        "resource": {"attributes": {"service.name": "checkout"}},
        "instrumentationScope": {"name": scope_of(span), "version": None},
        "traceId": span.trace_id,
        "parentSpanContext": parent if span.parent_id else None,
        "traceState": None,
        "name": span.name,
        "id": span.span_id,
        "kind": 0,
        "timestamp": span.start_ns / 1000,
        "duration": (span.end_ns - span.start_ns) / 1000,
        "attributes": dict(span.attributes),
        "status": {"code": 2 if span.error else 0},
        "events": [
            {"name": each.name, "attributes": dict(each.attributes), "time": _hr(span.start_ns)} for each in span.events
        ],
        "links": [],
    }


def _shown(value: object, indent: str = "") -> str:
    """Return *value* as ``util.inspect`` shows it, every field on a line."""
    if isinstance(value, Mapping):
        inner = ",\n".join(f"{indent}  {_key(key)}: {_shown(item, indent + '  ')}" for key, item in value.items())
        return f"{{\n{inner}\n{indent}}}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[ {', '.join(_shown(item, indent) for item in value)} ]" if value else "[]"
    if isinstance(value, str):
        quote = next((mark for mark in "'\"`" if mark not in value), "'")
        escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace(quote, "\\" + quote)
        return f"{quote}{escaped}{quote}"
    return "undefined" if value is None else json.dumps(value)


def _key(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def mlflow_trace(spans: Sequence[SpanRecord]) -> bytes:
    """Return a trace a line as MLflow exports it."""
    traces: dict[str, list[SpanRecord]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    return b"".join(
        json.dumps(
            {
                "info": {"trace_id": f"tr-{trace}", "state": "OK", "request_time": "2026-01-01T00:00:00Z"},
                "data": {
                    "spans": [
                        {
                            "trace_id": _base64(span.trace_id),
                            "span_id": _base64(span.span_id),
                            "parent_span_id": _base64(span.parent_id) if span.parent_id else None,
                            "name": span.name,
                            "start_time_unix_nano": span.start_ns,
                            "end_time_unix_nano": span.end_ns,
                            "attributes": dict(span.attributes),
                            "events": [
                                {"name": event.name, "attributes": dict(event.attributes)} for event in span.events
                            ],
                            "status": {"code": "STATUS_CODE_ERROR" if span.error else "STATUS_CODE_OK", "message": ""},
                        }
                        for span in found
                    ]
                },
            }
        ).encode()
        + b"\n"
        for trace, found in traces.items()
    )


def phoenix_api(spans: Sequence[SpanRecord]) -> bytes:
    """Return a page of spans of Phoenix's API."""
    return json.dumps({"next_cursor": None, "data": [_phoenix(span) for span in spans]}).encode()


def phoenix_lines(spans: Sequence[SpanRecord]) -> bytes:
    """Return the same spans, one a line, with nested attributes."""
    return b"".join(
        json.dumps(_phoenix(span) | {"attributes": _nested(span.attributes)}).encode() + b"\n" for span in spans
    )


def _phoenix(span: SpanRecord) -> dict[str, Any]:
    return {
        "id": f"U3Bhbjo{span.span_id}",
        "name": span.name,
        "context": {"trace_id": span.trace_id, "span_id": span.span_id},
        "span_kind": "UNKNOWN",
        "parent_id": span.parent_id or None,
        "start_time": f"{span.start_ns}",
        "end_time": f"{span.end_ns}",
        "status_code": "ERROR" if span.error else "OK",
        "status_message": "",
        "attributes": dict(span.attributes),
        "events": [{"name": event.name, "attributes": dict(event.attributes)} for event in span.events],
    }


def _nested(attributes: Mapping[str, object]) -> dict[str, Any]:
    """Return *attributes* with an object for each part of a key, where no key is the start of another."""
    found: dict[str, Any] = {}
    for key, value in attributes.items():
        *outer, last = key.split(".")
        if any(other.startswith(f"{key}.") or key.startswith(f"{other}.") for other in attributes):
            outer, last = [], key
        into = found
        for part in outer:
            into = into.setdefault(part, {})
        into[last] = value
    return found


def single_spans(spans: Sequence[SpanRecord]) -> bytes:
    """Return a span a line, as smoltrace and other tools write them."""
    return b"".join(
        json.dumps(
            {
                "trace_id": f"0x{span.trace_id}",
                "span_id": f"0x{span.span_id}",
                "parent_span_id": f"0x{span.parent_id}" if span.parent_id else None,
                "name": span.name,
                "start_time": span.start_ns,
                "end_time": span.end_ns,
                "attributes": dict(span.attributes),
                "events": [{"name": event.name, "attributes": dict(event.attributes)} for event in span.events],
                "status": {"code": "ERROR" if span.error else "UNSET"},
            }
        ).encode()
        + b"\n"
        for span in spans
    )


def langfuse_observations(spans: Sequence[SpanRecord]) -> bytes:
    """Return a page of observations; *spans* are in Langfuse's own dialect."""
    found = [_observation(span) for span in spans]
    return json.dumps({"data": found, "meta": {"page": 1, "limit": 50, "totalItems": len(found)}}).encode()


def langfuse_traces(spans: Sequence[SpanRecord]) -> bytes:
    """Return a trace a line, with one observation at the top."""
    traces: dict[str, list[SpanRecord]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    lines: list[dict[str, Any]] = []
    for trace, found in traces.items():
        roots = [span for span in found if not span.parent_id]
        if len(roots) == 1:  # a reader makes a span of the trace above several
            about = {"id": trace, "name": roots[0].name, "timestamp": iso_text(roots[0].start_ns, 3)}
            lines.append(about | {"observations": [_observation(span) for span in found]})
        else:
            lines += [_observation(span) for span in found]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _observation(span: SpanRecord) -> dict[str, Any]:
    prefix = "langfuse.observation."
    own = {key.removeprefix(prefix): value for key, value in span.attributes.items()}
    return {
        "id": span.span_id,
        "traceId": span.trace_id,
        "parentObservationId": span.parent_id or None,
        "type": as_text(own.get("type", "span")).upper(),
        "name": span.name,
        "startTime": iso_text(span.start_ns, 3),
        "endTime": iso_text(span.end_ns, 3),
        "input": own.get("input"),
        "output": own.get("output"),
        "usageDetails": json.loads(as_text(own.get("usage_details", "{}"))),
        "metadata": {key.removeprefix("metadata."): own[key] for key in own if key.startswith("metadata.")},
        "level": "ERROR" if span.error else "DEFAULT",
    }


def langsmith_lines(spans: Sequence[SpanRecord]) -> bytes:
    """Return a run a line; *spans* are in LangSmith's own dialect."""
    found = []
    for span in spans:
        own = span.attributes
        tokens = {"prompt_tokens": own["gen_ai.usage.input_tokens"]} if "gen_ai.usage.input_tokens" in own else {}
        found.append(
            {
                "id": span.span_id,
                "trace_id": span.trace_id,
                "parent_run_id": span.parent_id or None,
                "name": span.name,
                "run_type": own.get("langsmith.span.kind", "chain"),
                "start_time": iso_text(span.start_ns, 3).rstrip("Z"),
                "end_time": iso_text(span.end_ns, 3).rstrip("Z"),
                "inputs": json.loads(as_text(own.get("gen_ai.prompt", "null"))),
                "outputs": json.loads(as_text(own.get("gen_ai.completion", "null"))),
                "error": "failed" if span.error else None,
                **tokens,
            }
        )
    return b"".join(json.dumps(run).encode() + b"\n" for run in found)


EXPORTS: dict[str, Write] = {
    write.__name__: write
    for write in (
        *(otlp_array, otlp_groups, otlp_snake_case, protobuf_varint_lengths, zipkin_1, sdk_objects, console_node),
        *(mlflow_trace, phoenix_api, phoenix_lines, single_spans, langfuse_observations, langfuse_traces),
        langsmith_lines,
    )
}
