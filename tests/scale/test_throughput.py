"""The measurement of throughput in a small form: every input in every format is written, read and analysed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.scale.file_analysis import HowToAnalyze, analyze_in_one_process
from otel_parallelism.settings import Settings
from tests.bench import throughput

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("form", throughput.FORMATS)
@pytest.mark.slow
def test_inputs_hold_what_they_are_named_for(tmp_path: Path, form: str) -> None:
    path = tmp_path / "spans"
    for name, traces in throughput.inputs(turns=40, large=12).items():
        count = throughput.written(path, form, traces())
        analysis = analyze_in_one_process(read_spans(path), HowToAnalyze(Settings()))
        assert analysis.coverage.spans == count
        calls = {"one trace, flat": 1, "one trace, deep": 1, "one trace, calls": 11}.get(name, 123)
        calls = 12 if name.startswith("long content") else calls
        assert (analysis.coverage.calls, analysis.coverage.calls_without_turn) == (calls, 0)
        if name.startswith("one trace"):
            turn = analysis.reports[0].turn
            assert turn.end_ns - turn.start_ns == 24 * throughput.MS


@pytest.mark.process
def test_the_table_has_a_row_for_each_input(capfd: pytest.CaptureFixture[str]) -> None:
    throughput.main(["--turns", "3", "--large", "9", "--formats", "json", "--jobs"])
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[-5] for line in lines[1:]] == ["20", "20", "37", "14", "14", "9", "9", "9"]
