"""Names JSON that people have beside their traces, but that holds no spans: transcripts, metrics, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from otel_parallelism.readers.parsing.json_fields import Fields, JsonFormat, fields
from otel_parallelism.readers.parsing.json_text import UnknownFormatError

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord


_EXPORT: Final = "which holds no spans; export telemetry with OpenTelemetry instead"
_SIGNALS: Final = {"resourceMetrics": "metrics", "resourceLogs": "logs", "resourceProfiles": "profiles"}


def _problem(data: Fields) -> str:
    """Return what *data* is, in one clause; empty if it is unknown."""
    keys = data.keys()
    if "uuid" in keys and ("sessionId" in keys or {"message", "timestamp"} <= keys):
        return f"it is a transcript of Claude Code, {_EXPORT}"
    if {"timestamp", "type", "payload"} <= keys and isinstance(data["payload"], dict):
        return f"it is a session of Codex, {_EXPORT}"
    if "process" in fields(data.get("batch")):
        return "it is Jaeger's Thrift as JSON; download the trace as JSON in Jaeger's UI instead"
    if {"hrTime", "attributes"} <= keys:
        return "it is a log record of the JavaScript SDK, and no span"
    if "scopeMetrics" in keys and "resource" in keys:
        return "it holds metrics and no spans"
    return next((f"it holds {signal} and no spans" for key, signal in _SIGNALS.items() if key in keys), "")


def _refuse(data: Fields) -> list[SpanRecord]:
    _raise(_problem(data))


def _raise(problem: str) -> NoReturn:
    raise UnknownFormatError(problem)


FORMAT = JsonFormat("records without spans", lambda data: bool(_problem(data)), _refuse)
