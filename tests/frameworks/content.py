"""Searches all that a run wrote and shows for content: what tools and models were given, and what they returned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import opentelemetry._logs
from frameworks.scenarios import ANSWER, ERROR, FAILURE, SYSTEM, THREE, UNKNOWN
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_parallelism import names
from otel_parallelism.dialects import classify
from otel_parallelism.model import Analysis
from otel_parallelism.stored import analyze_records
from otel_parallelism.tracing.sdk.records import span_record
from tests.everything_shown import shown

if TYPE_CHECKING:
    import logging

    import pytest
    from frameworks.harness import Run
    from opentelemetry.sdk.trace import ReadableSpan

    from otel_parallelism.settings import Settings

# Its name before OpenTelemetry 1.39.
InMemoryLogRecordExporter = getattr(log_export, "InMemoryLogRecordExporter", None) or log_export.InMemoryLogExporter

GIVEN = tuple(str(value) for request in THREE for value in request.arguments.values())
RETURNED = ("7 degrees", "crowns", "parachutes")
WORDS = (*GIVEN, *RETURNED, UNKNOWN, FAILURE, ANSWER, SYSTEM, "Three at once", ERROR.partition(":")[0])


class Written:
    """Collects the metrics and the log-based events of this package."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self.reader], shutdown_on_exit=False)
        self.events = InMemoryLogRecordExporter()
        self.logger_provider = LoggerProvider(shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(log_export.SimpleLogRecordProcessor(self.events))
        patch.setattr(opentelemetry._logs, "get_logger", lambda name, **_: self.logger_provider.get_logger(name))

    def texts(self) -> dict[str, str]:
        """Return the metrics and the events as text."""
        metrics = self.reader.get_metrics_data()
        events = [record.log_record for record in self.events.get_finished_logs()]
        return {
            "metrics": metrics.to_json() if metrics is not None else "",
            "events": "".join(f"{event.body!r}{dict(event.attributes or {})!r}" for event in events),
        }

    def close(self) -> None:
        """Shut the providers down."""
        self.meter_provider.shutdown()
        self.logger_provider.shutdown()


def reported(run: Run, settings: Settings) -> dict[str, str]:
    """Return every report of a run's turns, live and from the exported spans."""
    stored = analyze_records([span_record(span, 0) for span in run.spans], classify, settings)
    live = shown(Analysis(tuple(run.reports), stored.coverage))
    return {f"live {name}": text for name, text in live.items()} | {
        f"stored {name}": text for name, text in shown(stored).items()
    }


def our_parts(span: ReadableSpan) -> str:
    """Return what this package wrote on a span: all of its own span, else what has one of its names."""
    if span.instrumentation_scope is not None and span.instrumentation_scope.name == names.INSTRUMENTATION:
        return span.to_json()
    events = [event for event in span.events if event.name.startswith(names.PREFIX)]
    return json.dumps([_ours(span.attributes), *(dict(event.attributes or {}) for event in events)])


def places(spans: tuple[ReadableSpan, ...]) -> set[tuple[str, str]]:
    """Return the attributes of spans that have content, each with the name of its span."""
    return {
        (span.name, key)
        for span in spans
        for holder in (span, *span.events, *span.links)
        for key, value in (holder.attributes or {}).items()
        if found_in(str(value))
    }


def logged(records: list[logging.LogRecord]) -> str:
    """Return what this package logged."""
    ours = [record for record in records if record.name.startswith(names.INSTRUMENTATION)]
    return "".join(f"{record.getMessage()}{record.args!r}{record.exc_text or record.exc_info!r}" for record in ours)


def found_in(text: str) -> list[str]:
    """Return the words of the content that *text* has."""
    return [word for word in WORDS if word in text]


def _ours(attributes: Any) -> dict[str, Any]:
    return {key: value for key, value in (attributes or {}).items() if key.startswith(names.PREFIX)}
