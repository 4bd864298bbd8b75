"""Names JSON that people have beside their traces, but that holds no spans or none that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from otel_parallelism.readers.parsing.json_fields import Fields, JsonFormat, fields, objects, string
from otel_parallelism.readers.parsing.json_text import UnknownFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_parallelism.model import SpanRecord


_SESSIONS: Final = "which the command sessions reads where it is; it holds no spans"
_OTLP: Final = "export the spans as OTLP instead"
_SIGNALS: Final = {"resourceMetrics": "metrics", "resourceLogs": "logs", "resourceProfiles": "profiles"}

_BY_KEYS: Final[Mapping[frozenset[str], str]] = {
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
    frozenset({"op_name", "started_at"}): f"it is a call of Weave; {_OTLP}, to Weave and to a file",
    frozenset({"schema", "data"}): "it is a table of Grafana's inspector; download the trace as JSON there instead",
    frozenset({"tables"}): f"it is a query result of Azure Monitor; {_OTLP}",
    frozenset(
        {"traces", "metrics"}
    ): "it is a search result of Tempo, which only lists traces; read them with tempo://",
}


_BY_CONTENT: Final[tuple[tuple[Callable[[Fields], bool], str], ...]] = (
    (
        lambda data: "uuid" in data and ("sessionId" in data or {"message", "timestamp"} <= data.keys()),
        f"it is a transcript of Claude Code, {_SESSIONS}",
    ),
    (
        lambda data: {"timestamp", "type"} <= data.keys() and isinstance(data.get("payload"), dict),
        f"it is a session of Codex, {_SESSIONS}",
    ),
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


def _problem(data: Fields) -> str:
    """Return what *data* is, in one clause; empty if it is unknown."""
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
