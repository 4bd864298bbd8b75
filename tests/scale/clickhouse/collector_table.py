"""ClickHouse in this process with the table of spans that the OpenTelemetry Collector makes there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.readers.formats.span_columns import FORMAT
from otel_parallelism.scale.clickhouse.sql_script import all_statements
from otel_parallelism.settings import Settings
from tests.readers.written_formats import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from otel_parallelism.model import SpanRecord

TABLE = "otel.otel_traces"
ALWAYS = ("toDateTime64('2000-01-01', 9)", "toDateTime64('2200-01-01', 9)")
"""A time range that holds all spans of the tests."""

# As version 0.140 of the Collector's exporter makes it, without its compression codecs.
_SCHEMA = f"""CREATE TABLE {TABLE} (
  Timestamp DateTime64(9),
  TraceId String,
  SpanId String,
  ParentSpanId String,
  TraceState String,
  SpanName LowCardinality(String),
  SpanKind LowCardinality(String),
  ServiceName LowCardinality(String),
  ResourceAttributes Map(LowCardinality(String), String),
  ScopeName String,
  ScopeVersion String,
  SpanAttributes Map(LowCardinality(String), String),
  Duration UInt64,
  StatusCode LowCardinality(String),
  StatusMessage String,
  Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)),
  Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1"""


class CollectorTable:
    """A session of chdb with an empty table of spans."""

    def __init__(self) -> None:
        reason = "chdb is not installed (dependency group clickhouse)"
        self._session = pytest.importorskip("chdb.session", reason=reason).Session()
        self.run("DROP DATABASE IF EXISTS otel")
        self.run("CREATE DATABASE otel")
        self.run(_SCHEMA)

    def run(self, statement: str) -> None:
        """Run a statement without a result."""
        self._session.query(statement)

    def make_views(self) -> None:
        """Run the statements of the printed script, one by one."""
        script = all_statements(TABLE, Settings(), hourly=True)
        lines = [line for line in script.splitlines() if not line.startswith("-- ")]
        for statement in "\n".join(lines).split(";\n"):
            if statement.strip():
                self.run(statement)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of *query*; 64-bit integers are numbers, and absent values are None."""
        text = str(self._session.query(query, "JSONEachRow"))
        return [json.loads(line) for line in text.splitlines()]

    def insert(self, spans: Iterable[SpanRecord]) -> None:
        """
        Insert *spans* as the Collector does: all attributes are texts.

        A source such as ``service.name=a host.name=b`` stands for all attributes of the resource.
        """
        lines = "\n".join(json.dumps(_row(span)) for span in spans)
        self.run(f"INSERT INTO {TABLE} FORMAT JSONEachRow\n{lines}")

    def replace(self, spans: Iterable[SpanRecord]) -> None:
        """Replace all spans by *spans*."""
        self.run(f"TRUNCATE TABLE {TABLE}")
        self.insert(spans)

    def spans(self) -> Iterator[SpanRecord]:
        """Yield the spans in the table, as the package reads them from ClickHouse."""
        start = "toString(toUnixTimestamp64Nano(Timestamp)) AS StartTimeUnixNano"
        for row in self.rows(f"SELECT * EXCEPT (Timestamp), {start} FROM {TABLE}"):
            yield from FORMAT.spans(row)

    def close(self) -> None:
        """End the session; a process can have only one."""
        self._session.close()


def _row(span: SpanRecord) -> dict[str, Any]:
    resource = {"service.name": "checkout", "service.instance.id": span.source, "telemetry.sdk": "x"}
    if "=" in span.source:
        resource = dict(pair.split("=") for pair in span.source.split())
    return {
        "Timestamp": f"{span.start_ns // 10**9}.{span.start_ns % 10**9:09}",
        "TraceId": span.trace_id,
        "SpanId": span.span_id,
        "ParentSpanId": span.parent_id,
        "SpanName": span.name,
        "SpanKind": {2: "Server", 3: "Client"}.get(span.kind, "Internal"),
        "ServiceName": resource.get("service.name", ""),
        "ResourceAttributes": resource,
        "ScopeName": span.instrumentation,
        "SpanAttributes": _texts(span.attributes),
        "Duration": (span.end_ns - span.start_ns) % 2**64,  # unsigned, also if a span ends before it starts
        "StatusCode": "Error" if span.error else "Unset",
        "Events.Timestamp": [span.start_ns // 10**9 for _ in span.events],
        "Events.Name": [event.name for event in span.events],
        "Events.Attributes": [_texts(event.attributes) for event in span.events],
        "Links.TraceId": ["" for _ in span.links],
        "Links.SpanId": list(span.links),
        "Links.TraceState": ["" for _ in span.links],
        "Links.Attributes": [{} for _ in span.links],
    }


def _texts(attributes: Mapping[str, object]) -> dict[str, str]:
    return {key: as_text(value) for key, value in attributes.items()}
