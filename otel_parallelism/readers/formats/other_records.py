"""Names JSON that people have beside their traces, but that holds no spans or none that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from otel_parallelism.readers.parsing.json_fields import Fields, JsonFormat, fields, objects, string
from otel_parallelism.readers.parsing.json_text import UnknownFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_parallelism.model import SpanRecord


_SESSIONS: Final = "not a file of spans; otel-parallelism sessions reads it from its own folder"
_OTLP: Final = "export the spans as OTLP instead"
_SIGNALS: Final = {"resourceMetrics": "metrics", "resourceLogs": "logs", "resourceProfiles": "profiles"}

_OPIK: Final = f"it is an export of Opik; {_OTLP}, to Opik and to a file"
_RECORD: Final = "record the program with OpenTelemetry and export the spans as OTLP instead"
_HELICONE: Final = f"it is an export of Helicone, which has the model's requests and no calls of tools; {_RECORD}"
_SEARCH: Final = "it is a search result of Tempo, which only lists traces; read them with tempo://"
_LISTS: Final = ("data", "content", "spans", "traces", "items", "results", "rows")
"""Where an answer of a service has its records."""

_BY_KEYS: Final[Mapping[frozenset[str], str]] = {
    frozenset({"schema_version", "turns"}): (
        "it is a report of otel-parallelism and has no spans; -o NAME.jsonl of run and analyze writes spans"
    ),
    frozenset({"sessionId", "projectHash", "messages"}): f"it is a chat of Gemini CLI, {_SESSIONS}",
    frozenset({"hrTime", "attributes"}): "it is a log record of the JavaScript SDK, and no span",
    frozenset({"resource", "scopeMetrics"}): "it holds metrics and no spans",
    frozenset({"traceEvents"}): f"it is a timeline in Chrome's Trace Event format, whose events have no ids; {_OTLP}",
    frozenset({"Traces"}): f"it holds traces of AWS X-Ray; {_OTLP}",
    frozenset({"span_data", "trace_id"}): (
        "it is a span of the OpenAI Agents SDK's own tracing; record it with an OpenTelemetry instrumentation instead"
    ),
    frozenset(
        {"root_span_id", "span_attributes"}
    ): f"it is a row of a Braintrust log; {_OTLP}, to Braintrust and to a file",
    frozenset({"request_id", "request_created_at"}): _HELICONE,
    frozenset({"request_id", "response_body", "response_status"}): _HELICONE,
    frozenset({"op_name", "started_at"}): f"it is a call of Weave; {_OTLP}, to Weave and to a file",
    frozenset({"schema", "data"}): "it is a table of Grafana's inspector; download the trace as JSON there instead",
    frozenset({"tables"}): f"it is a query result of Azure Monitor; {_OTLP}",
    frozenset({"traceID", "rootServiceName"}): _SEARCH,
    frozenset({"traceID", "rootTraceName"}): _SEARCH,
    frozenset({"trace.id", "guid"}): f"it is a span of New Relic; {_OTLP}",
    frozenset({"event_id", "spans", "contexts"}): f"it is an event of Sentry; {_OTLP}",
    frozenset({"@timestamp", "trace", "processor"}): f"it is a document of Elastic APM; {_OTLP}",
    frozenset({"traces", "metrics"}): _SEARCH,
}


_BY_CONTENT: Final[tuple[tuple[Callable[[Fields], bool], str], ...]] = (
    (
        lambda data: any(isinstance(item, str) for item in _list(data.get("observations"))),
        "it is a trace of Langfuse without its observations; export the observations, or read them with langfuse://",
    ),
    (
        lambda data: {"info"} == data.keys() and "trace_id" in fields(data["info"]),
        "it is a trace of MLflow without its spans; export the whole trace instead",
    ),
    (
        lambda data: "uuid" in data and ("sessionId" in data or {"message", "timestamp"} <= data.keys()),
        f"it is a transcript of Claude Code, {_SESSIONS}",
    ),
    (
        lambda data: {"timestamp", "type"} <= data.keys() and isinstance(data.get("payload"), dict),
        f"it is a session of Codex, {_SESSIONS}",
    ),
    (lambda data: _is_of_opik(data) or _is_of_opik(fields(data.get("trace"))), _OPIK),
    (
        lambda data: isinstance(fields(data.get("log")).get("entries"), list),
        f"it is a HAR file of HTTP requests, which has no calls of tools; {_RECORD}",
    ),
    (
        lambda data: {"resource_name", "start_timestamp"} <= fields(data.get("attributes")).keys(),
        f"it is a search result of Datadog's API; {_OTLP}",
    ),
    (lambda data: "baseType" in fields(data.get("data")), f"it is telemetry of Application Insights; {_OTLP}"),
    (
        lambda data: "process" in fields(data.get("batch")),
        "it is Jaeger's Thrift as JSON; download the trace as JSON in Jaeger's UI instead",
    ),
    (
        lambda data: any("role" in message for message in objects(data.get("messages"))),
        "it is a conversation, which has no times; record the program with OpenTelemetry instead",
    ),
    (
        lambda data: string(data.get("trace_id")).startswith("1-") and "start_time" in data,
        f"it is a segment of AWS X-Ray; {_OTLP}",
    ),
    (
        lambda data: "trace.span_id" in fields(data.get("data")),
        f"it is an event of Honeycomb; {_OTLP}, to Honeycomb and to a file",
    ),
    (
        lambda data: any("_source" in hit for hit in objects(fields(data.get("hits")).get("hits"))),
        f"it is a search result of Elasticsearch; {_OTLP}",
    ),
    (
        lambda data: any("projectId" in trace for trace in objects(data.get("traces"))),
        f"it holds traces of Google Cloud's API, version 1; {_OTLP}",
    ),
)


def _is_of_opik(data: Fields) -> bool:
    """Return whether *data* is a trace or a span as Opik's clients, its API and its command ``export`` write it."""
    known = {str(key).replace("_", "").lower() for key in data}
    told = {"usage", "feedbackscores", "lastupdatedat", "createdby", "spancount", "totalestimatedcost"}
    return {"id", "starttime", "projectid"} <= known and bool(told & known)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _problem(data: Fields) -> str:
    """Return what *data* is, or the first of the records that it lists, in one clause; empty if it is unknown."""
    inside = (next(iter(objects(data.get(key))), None) for key in _LISTS)
    return next((problem for item in (data, *inside) if item is not None and (problem := _problem_of(item))), "")


def _problem_of(data: Fields) -> str:
    keys = data.keys()
    found = [told for is_such, told in _BY_CONTENT if is_such(data)]
    found += [told for marks, told in _BY_KEYS.items() if marks <= keys]
    found += [f"it holds {signal} and no spans" for key, signal in _SIGNALS.items() if key in keys]
    return found[0] if found else ""


def _refuse(data: Fields) -> list[SpanRecord]:
    _raise(_problem(data))


def _raise(problem: str) -> NoReturn:
    raise UnknownFormatError(problem)


FORMAT = JsonFormat("records without spans", lambda data: bool(_problem(data)), _refuse, rank=9)
