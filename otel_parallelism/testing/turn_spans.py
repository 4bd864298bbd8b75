"""Writes measured turns as OTLP JSON spans, so that every command can read what tests measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from otel_parallelism import names
from otel_parallelism.shown_names import escaped_commands
from otel_parallelism.tracing.sdk.results import attributes_of, event_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from otel_parallelism.model import Call, Finding, Report, Step

_CLIENT = 3
_INTERNAL = 1
_FAILED = 2
_NO_SPANS = '"spans": []'


def spans_of_turn(report: Report, root: Path) -> list[dict[str, Any]]:
    """
    Return the spans of the turn of *report* as OTLP JSON: the turn's with its result, its model requests, its calls.

    They are in a trace of their own, since a turn without an SDK has none. Arguments, results and messages are left
    out.

    Args:
        report: The report on a turn.
        root: A folder; the names of files in it are written relative to it, so that two checkouts can be compared.
    """
    turn = report.turn
    attributes = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_NAME: turn.agent or turn.name,
        **attributes_of(report),
    }
    found = _span(turn.span_id, turn.name, (turn.start_ns, turn.end_ns), attributes)
    found["events"] = [
        {"name": names.FINDING_EVENT, "timeUnixNano": str(turn.end_ns), "attributes": _event(finding, root)}
        for finding in report.findings
    ]
    inside = [
        *(_request_span(step) | {"parentSpanId": turn.span_id} for step in turn.steps),
        *(_call_span(call) | {"parentSpanId": call.scope or turn.span_id} for call in turn.calls),
    ]
    trace_id = uuid4().hex
    return [span | {"traceId": trace_id} for span in (found, *inside)]


def write_spans(spans: Iterable[dict[str, Any]]) -> str:
    """Return *spans* of any traces as OTLP JSON that ends with a newline: one request on one line."""
    return "".join(span_parts(spans))


def span_parts(spans: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the text of `write_spans` in parts, so that one span at a time is in memory."""
    scope: dict[str, Any] = {"scope": {"name": names.INSTRUMENTATION}, "spans": []}
    request = json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [scope]}]})
    before, after = request.split(_NO_SPANS, 1)
    yield before + _NO_SPANS.removesuffix("]")
    for number, span in enumerate(spans):
        yield (", " if number else "") + escaped_commands(json.dumps(span))
    yield f"]{after}\n"


def _event(finding: Finding, root: Path) -> list[dict[str, Any]]:
    attributes = event_of(finding)
    path = attributes.get(names.CALLER_FILE_PATH)
    if path is not None and Path(path).is_relative_to(root):
        attributes[names.CALLER_FILE_PATH] = Path(path).relative_to(root).as_posix()
    return _pairs(attributes)


def _request_span(step: Step) -> dict[str, Any]:
    attributes = {
        names.OPERATION_NAME: names.CHAT,
        names.REQUESTED: step.requested,
        names.INPUT_TOKENS: step.input_tokens,
    }
    return _span(step.span_id, names.CHAT, (step.start_ns, step.end_ns), attributes) | {"kind": _CLIENT}


def _call_span(call: Call) -> dict[str, Any]:
    attributes = {
        names.OPERATION_NAME: names.EXECUTE_TOOL,
        names.TOOL_NAME: call.tool,
        names.TOOL_CALL_ID: call.call_id or None,
        names.EFFECT: call.effect if call.effect_source == "declared" else None,
    }
    found = _span(call.span_id, f"{names.EXECUTE_TOOL} {call.tool}", (call.start_ns, call.end_ns), attributes)
    return found | {"status": {"code": _FAILED}} if call.error else found


def _span(span_id: str, name: str, times_ns: tuple[int, int], attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "spanId": span_id,
        "name": name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(times_ns[0]),
        "endTimeUnixNano": str(times_ns[1]),
        "attributes": _pairs(attributes),
    }


def _pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return *attributes* in the form of OTLP; those that are None are left out."""
    return [{"key": key, "value": _value(value)} for key, value in attributes.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list() | tuple():
            return {"arrayValue": {"values": [_value(item) for item in value]}}
        case _:
            return {"stringValue": str(value)}
