"""Forms of the known formats in other versions, exports and programs: each has one call of a second."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.errors import UnreadableError
from otel_parallelism.model import Call
from otel_parallelism.readers.any_format import read_spans

if TYPE_CHECKING:
    from pathlib import Path

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "0000000000000001"
NAMED = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_x"}
ISO = {"start": "2026-01-01T00:00:01Z", "end": "2026-01-01T00:00:02Z"}
PAIRS = [{"key": key, "value": {"stringValue": value}} for key, value in NAMED.items()]
OTLP = {
    "traceId": TRACE,
    "spanId": SPAN,
    "name": "execute_tool get_x",
    "attributes": PAIRS,
    "startTimeUnixNano": "1000000000000000000",
    "endTimeUnixNano": "1000000001000000000",
}
OLD_AND_NEW = [
    {"instrumentationLibrarySpans": [{"instrumentationLibrary": {}, "spans": [OTLP]}], "scopeSpans": []},
    {"scopeSpans": [], "instrumentationLibrarySpans": [{"instrumentationLibrary": {}, "spans": [OTLP]}]},
    {"scopeSpans": [{"spans": [OTLP]}], "instrumentationLibrarySpans": [{"spans": [OTLP]}]},
]
JAEGER = {
    "traceID": TRACE,
    "spanID": "01",
    "operationName": "execute_tool get_x",
    "references": None,
    "logs": None,
    "startTime": 1_700_000_000_000_000,
    "duration": 1_000_000,
    "processID": "p1",
    "tags": [{"key": "gen_ai.tool.name", "type": "string", "value": "get_x"}],
}
OBSERVATION = {
    "id": SPAN,
    "traceId": TRACE,
    "type": "TOOL",
    "name": "get_x",
    "parentObservationId": None,
    "startTime": ISO["start"],
    "endTime": ISO["end"],
    "input": {},
    "output": {},
}
ABOUT = {"id": TRACE, "name": "agent", "timestamp": ISO["start"]}
IN_A_BUCKET = {
    "id": SPAN,
    "trace_id": TRACE,
    "type": "TOOL",
    "name": "get_x",
    "parent_observation_id": None,
    "start_time": "2026-01-01 00:00:01.000",
    "end_time": "2026-01-01 00:00:02.000",
    "usage_details": {},
}
RUN = {
    "id": "a0000000-0000-0000-0000-000000000001",
    "name": "get_x",
    "run_type": "tool",
    "inputs": {},
    "outputs": {},
    "start_time": "2026-01-01T00:00:01",
    "end_time": "2026-01-01T00:00:02",
    "parent_run_id": None,
}
CHAIN = {
    "id": "a0000000-0000-0000-0000-000000000002",
    "name": "agent",
    "run_type": "chain",
    "start_time": "2026-01-01T00:00:00",
    "end_time": "2026-01-01T00:00:03",
    "child_runs": [RUN],
}
MLFLOW = {
    "trace_id": "zTHve9SwILwC1T+tcg+7rQ==",
    "span_id": "f4g4E1+OK1k=",
    "parent_span_id": None,
    "name": "get_x",
    "start_time_unix_nano": 10**18,
    "end_time_unix_nano": 10**18 + 10**9,
    "attributes": {"mlflow.spanType": '"TOOL"'},
}
MLFLOW_TRACE = {"info": {"trace_id": "tr-1"}, "data": {"spans": [MLFLOW]}}
FRAME = {
    "name": "get_x",
    "span_kind": "TOOL",
    "parent_id": None,
    "status_code": "OK",
    "start_time": 1_767_225_601_000,
    "end_time": 1_767_225_602_000,
    "context.span_id": SPAN,
    "context.trace_id": TRACE,
    "attributes.tool.name": "get_x",
}
CONSOLE = {
    "name": "execute_tool get_x",
    "kind": "SpanKind.INTERNAL",
    "parent_id": None,
    "attributes": NAMED,
    "context": {"trace_id": f"0x{TRACE}", "span_id": f"0x{SPAN}", "trace_state": "[]"},
    "start_time": "2026-01-01T00:00:01.000000Z",
    "end_time": "2026-01-01T00:00:02.000000Z",
}
DATADOG = {
    "trace_id": 5,
    "span_id": 6,
    "parent_id": 0,
    "resource": "execute_tool get_x",
    "error": 0,
    "meta": NAMED,
    "start": 10**18,
    "duration": 10**9,
}
LOGFIRE = {
    "trace_id": TRACE,
    "span_id": SPAN,
    "parent_span_id": None,
    "span_name": "execute_tool get_x",
    "kind": "span",
    "start_timestamp": ISO["start"],
    "end_timestamp": ISO["end"],
    "attributes": json.dumps(NAMED),
}
CLICKHOUSE = {
    "TraceId": TRACE,
    "SpanId": SPAN,
    "ParentSpanId": "",
    "SpanName": "execute_tool get_x",
    "Duration": 10**9,
    "Timestamp": "2026-01-01 00:00:01.000000000",
    "SpanAttributes": {"gen_ai": {"tool": {"name": "get_x"}}},
}
WRITTEN: dict[str, Any] = {
    **{f"OTLP with both names {number}": {"resourceSpans": [group]} for number, group in enumerate(OLD_AND_NEW)},
    "Jaeger's list of traces": [{"traceID": TRACE, "spans": [JAEGER]}],
    "Langfuse's page of traces": {"data": [ABOUT | {"observations": [OBSERVATION]}], "meta": {"page": 1}},
    "Langfuse's session": {"id": "s", "traces": [ABOUT | {"observations": [OBSERVATION]}]},
    "Langfuse's download": {"trace": ABOUT, "observations": [OBSERVATION]},
    "Langfuse's export into a bucket": IN_A_BUCKET,
    "LangSmith's page of runs": {"runs": [RUN], "cursors": {}},
    "LangSmith's run with its children": CHAIN,
    "MLflow's page of traces": {"traces": [MLFLOW_TRACE]},
    "MLflow's spans alone": {"spans": [MLFLOW]},
    "a data frame of MLflow's traces": {"columns": ["trace_id", "spans"], "index": [0], "data": [["tr-1", [MLFLOW]]]},
    "a data frame by columns": {name: {"0": value} for name, value in FRAME.items()},
    "a data frame with lists": {name: [value] for name, value in FRAME.items()},
    "a data frame by rows": {"0": FRAME},
    "a data frame that is split": {"columns": list(FRAME), "index": [0], "data": [list(FRAME.values())]},
    "a data frame with its schema": {"schema": {"fields": []}, "data": [FRAME]},
    "a data frame with an absent value": [FRAME | {"attributes.llm.token_count.prompt": float("nan")}],
    "an array on the console": [CONSOLE],
    "Datadog's traces in an object": {"traces": [[DATADOG]]},
    "Logfire's rows": [LOGFIRE, LOGFIRE | {"kind": "pending_span"}],
    "ClickHouse's type JSON": CLICKHOUSE,
}


def calls_in(path: Path) -> list[Call]:
    return [found for found in map(classify, read_spans(path)) if isinstance(found, Call)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", WRITTEN)
def test_each_form_has_its_call(tmp_path: Path, name: str, indent: int | None) -> None:
    path = tmp_path / "spans"
    path.write_text(json.dumps(WRITTEN[name], indent=indent) + "\n")
    (call,) = calls_in(path)
    assert (call.tool, call.end_ns - call.start_ns) == ("get_x", 10**9)


@pytest.mark.parametrize(
    ("fields", "failed"),
    [
        ({}, False),
        ({"otel_status_code": "OK", "is_exception": False}, False),
        ({"otel_status_code": "ERROR"}, True),
        ({"is_exception": True}, True),
    ],
)
def test_a_row_of_logfire_tells_of_a_failure(tmp_path: Path, fields: dict[str, object], failed: bool) -> None:
    path = tmp_path / "spans"
    path.write_text(json.dumps(LOGFIRE | fields))
    assert [call.error for call in calls_in(path)] == [failed]


def test_langfuse_keeps_the_message_of_a_status(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_text(json.dumps(IN_A_BUCKET | {"output": "rain", "status_message": "read timed out"}))
    (found,) = calls_in(path)
    assert found.result is not None
    assert not found.result.whole


def test_a_span_without_a_duration_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_text(json.dumps({"data": [{"spans": [JAEGER | {"duration": None}]}]}))
    assert [call.duration_ns for call in calls_in(path)] == [0]


def test_the_runs_of_a_run_are_below_it(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_text(json.dumps(CHAIN))
    chain, tool = read_spans(path)
    assert (tool.parent_id, tool.trace_id) == (chain.span_id, chain.trace_id)


@pytest.mark.parametrize("before", ["INFO tracing: ", "2026-01-01T00:00:00Z stdout F ", "app-1  | "])
def test_a_log_may_write_before_each_span(tmp_path: Path, before: str) -> None:
    path = tmp_path / "spans"
    path.write_text(f"{before}{json.dumps(CONSOLE)}\n" * 3)
    skipped: list[UnreadableError] = []
    assert len(list(read_spans(path, skip=skipped.append))) == 3
    assert skipped == []
    path.write_text(f"{json.dumps(CONSOLE)}\n{before}{json.dumps(CONSOLE)}\n{before}oops {{ok}}\n{before}oops\n")
    assert len(list(read_spans(path, skip=skipped.append))) == 2
    assert [error.line for error in skipped] == [3, 4]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"data": [ABOUT | {"observations": ["a"]}]}, "a trace of Langfuse without its observations"),
        ({"traces": [{"info": {"trace_id": "tr-1"}}]}, "a trace of MLflow without its spans"),
        ({"traces": [{"traceID": TRACE, "rootServiceName": "a", "durationMs": 3}]}, "a search result of Tempo"),
        ({"trace.id": TRACE, "guid": "1", "duration.ms": 5}, "a span of New Relic"),
        ({"event_id": "1", "contexts": {}, "spans": [LOGFIRE]}, "an event of Sentry"),
        ({"@timestamp": "2026", "trace": {"id": TRACE}, "processor": {}}, "a document of Elastic APM"),
        ({"data": [{"attributes": {"resource_name": "a", "start_timestamp": "2026"}}]}, "a search result of Datadog's"),
        (
            {"name": "AppDependencies", "data": {"baseType": "RemoteDependencyData"}},
            "telemetry of Application Insights",
        ),
    ],
)
def test_what_others_export_is_called_what_it_is(tmp_path: Path, value: Any, what: str) -> None:
    path = tmp_path / "spans"
    for indent in (None, 1):
        path.write_text(json.dumps(value, indent=indent))
        with pytest.raises(UnreadableError, match=what):
            list(read_spans(path))
