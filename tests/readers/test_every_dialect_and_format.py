"""One seeded generator of agent traces: in every dialect and every format, and in any order, reports are equal."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from otel_parallelism import analyze_spans
from otel_parallelism.readers import any_format
from otel_parallelism.readers.any_format import read_spans
from tests.amounts import THOROUGH
from tests.dialects.written_dialects import WRITERS as DIALECTS
from tests.readers.agent_traces import agent_traces
from tests.readers.written_exports import EXPORTS
from tests.readers.written_formats import WRITERS, otlp_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_parallelism.model import SpanRecord
    from otel_parallelism.readers.parsing.json_fields import Fields, JsonFormat

FORMATS = {**WRITERS, **EXPORTS}
OWN_DIALECT = {"langfuse_observations": "langfuse", "langfuse_traces": "langfuse", "langsmith_lines": "langsmith"}
"""The formats that have fields in place of attributes, which one dialect has too."""
WITHOUT_SCOPES = {
    *("console_lines", "console_pretty", "console_among_other_output", "data_frame", "data_frame_parquet", "datadog"),
    *("mlflow_trace", "phoenix_api", "phoenix_lines", "single_spans", *OWN_DIALECT),
}
WITHOUT_EVENTS = {*OWN_DIALECT}
SHARE = 2 if THOROUGH else 8


def carried(form: str, spans: list[SpanRecord]) -> list[SpanRecord]:
    """Return *spans* with what the format has room for."""
    return [
        replace(
            span,
            instrumentation="" if form in WITHOUT_SCOPES else span.instrumentation,
            events=() if form in WITHOUT_EVENTS else span.events,
        )
        for span in spans
    ]


def reports(path: Path, content: bytes, form: str) -> Any:
    """Return the JSON reports on the traces in *content*; Datadog's ids have 64 bits."""
    path.write_bytes(content)
    analysis = analyze_spans(read_spans(path, skip=lambda _: None))
    found = [json.loads(report.to_json())["turns"][0] for report in analysis.reports]
    for report in found if form == "datadog" else ():
        report["trace_id"] = report["trace_id"][-16:]
    return sorted(found, key=lambda report: (report["start"], report["span_id"]))


def tried() -> Iterator[tuple[str, str]]:
    """Yield each format with each dialect; with a part of the dialects, which differs by format, in the core."""
    for number, form in enumerate(FORMATS):
        own = OWN_DIALECT.get(form)
        for dialect in [own] if own else list(DIALECTS)[number % SHARE :: SHARE]:
            yield form, dialect


@pytest.mark.many
@pytest.mark.parametrize(("form", "dialect"), list(tried()))
def test_reports_are_equal_whichever_reader_and_order(tmp_path: Path, form: str, dialect: str) -> None:
    seed = list(DIALECTS).index(dialect)
    spans = carried(form, agent_traces(seed, DIALECTS[dialect]))
    expected = reports(tmp_path / "spans", otlp_lines(spans), form)
    shuffled = random.Random(seed).sample(spans, len(spans))  # noqa: S311 - not a secret
    assert expected
    assert reports(tmp_path / "spans", FORMATS[form](shuffled), form) == expected


def test_every_dialect_and_format_is_tried() -> None:
    pairs = list(tried())
    assert {form for form, _ in pairs} == FORMATS.keys()
    assert {dialect for _, dialect in pairs} == DIALECTS.keys()


def test_every_reader_has_a_format_that_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: set[str] = set()

    def noting(known: JsonFormat) -> JsonFormat:
        def spans(data: Fields) -> list[SpanRecord]:
            asked.add(known.name)
            return known.spans(data)

        return replace(known, spans=spans)

    monkeypatch.setattr(any_format, "FORMATS", tuple(map(noting, any_format.FORMATS)))
    for form, write in FORMATS.items():
        spans = agent_traces(1, DIALECTS[OWN_DIALECT.get(form, "genai")])
        (tmp_path / form).write_bytes(write(spans))
        assert len(list(read_spans(tmp_path / form, skip=lambda _: None))) == len(spans)
    assert {known.name for known in any_format.FORMATS} - asked == {"records without spans"}
