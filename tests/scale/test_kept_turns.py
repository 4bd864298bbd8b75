"""Reports in a file: the same as in memory, in the same order, for any number of turns."""

from __future__ import annotations

import gc
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from otel_parallelism.analysis.analyze import join_parts
from otel_parallelism.reports.html import render_html
from otel_parallelism.reports.json import render_json
from otel_parallelism.reports.junit import render_junit
from otel_parallelism.reports.sarif_findings import render_findings_sarif
from otel_parallelism.reports.text import render_text
from otel_parallelism.reports.trace_event import render_trace_event
from otel_parallelism.scale import file_analysis, kept_turns
from otel_parallelism.scale.file_analysis import HowToAnalyze, analyze_in_one_process
from otel_parallelism.scale.kept_turns import StoredValues, join_many
from otel_parallelism.scale.packing import Packing
from otel_parallelism.settings import Settings
from tests.fleet.month import month

if TYPE_CHECKING:
    from otel_parallelism.analysis.analyze import AnalysisPart
    from otel_parallelism.model import Analysis, SpanRecord

PLAIN = frozenset({"gen_ai.operation.name", "gen_ai.tool.name"})


def without_content(span: SpanRecord) -> SpanRecord:
    return msgspec.structs.replace(
        span, attributes={key: span.attributes[key] for key in PLAIN & span.attributes.keys()}
    )


def parts_of(traces: list[list[SpanRecord]]) -> list[AnalysisPart]:
    analyze = HowToAnalyze(Settings()).part_analyzer()
    parts = [analyze(spans) for spans in traces]
    random.Random(3).shuffle(parts)  # noqa: S311 - a sample, no secret
    return parts


def in_every_form(analysis: Analysis) -> list[str]:
    return [
        render_text(analysis, width=100),
        render_json(analysis),
        render_html(analysis),
        render_junit(analysis, {}),
        render_findings_sarif(analysis, "1"),
        render_trace_event(analysis, base=""),
    ]


@pytest.mark.parametrize("most", [0, 1, 17, 29])
def test_reports_in_a_file_are_those_in_memory(most: int) -> None:
    # The findings of turns without content mention the turns before them.
    traces = [*month(24, faults={3: 1, 7: 1})]
    traces += [list(map(without_content, spans)) for spans in month(6, faults={3: 1})]
    parts = parts_of([*traces, [msgspec.structs.replace(span, trace_id="x" + span.trace_id) for span in traces[0]]])
    expected = join_parts(parts)
    found = join_many(iter(parts), most_in_memory=most)
    assert isinstance(found.reports, StoredValues)
    assert list(found.reports) == list(expected.reports)
    assert found.coverage == expected.coverage
    assert in_every_form(found) == in_every_form(expected)


def test_few_turns_stay_in_memory() -> None:
    parts = parts_of([*month(4)])
    assert join_many(parts, most_in_memory=4) == join_parts(parts)


def test_coverages_of_many_parts_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_turns, "_COVERAGES_AT_ONCE", 3)
    parts = parts_of([*month(11)])
    assert join_many(parts, most_in_memory=2).coverage == join_parts(parts).coverage


def test_an_analysis_uses_a_file_beyond_a_number_of_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = [span for trace in month(6) for span in trace]
    expected = analyze_in_one_process(spans, HowToAnalyze(Settings()))
    monkeypatch.setattr(file_analysis, "MOST_TURNS_IN_MEMORY", 5)
    found = analyze_in_one_process(spans, HowToAnalyze(Settings()))
    assert isinstance(found.reports, StoredValues)
    assert tuple(found.reports) == expected.reports


def test_stored_values_are_a_sequence() -> None:
    values = StoredValues(Packing[int | str](int | str))
    for value in (1, "two", 2**70, "\ud800"):
        values.append(value)
    assert len(values) == 4
    assert values[-1] == "\ud800"
    assert values[1:3] == ("two", 2**70)
    assert list(values) == [1, "two", 2**70, "\ud800"]
    assert list(reversed(values)) == ["\ud800", 2**70, "two", 1]
    with pytest.raises(IndexError):
        values[4]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this platform has no /dev/full")
def test_full_disk_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("wb+"))  # noqa: SIM115 - closed with `values`
    values = StoredValues(Packing[str](str))
    with pytest.raises(OSError, match="No space left"):
        values.append("x" * 100_000)
    values.append("small")
    del values  # pytest fails if an exception is ignored here
    gc.collect()
