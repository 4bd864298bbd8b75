"""One turn in the words of many SDKs, from files that are not a part of the project, gives the same answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.model import Step
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Report

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "cases" / "dialects"
FILES = [pytest.param(path, id=path.stem) for path in sorted(FOLDER.glob("*.json"))] or [
    pytest.param(None, id="shared", marks=pytest.mark.skip(reason=f"no {FOLDER}"))
]
TOKENS = {"mlflow": 2000, "claude-code": 81_104 + 82_104}


def reports_of(path: Path) -> tuple[Report, ...]:
    return analyze_records(read_otlp_json(path), classify, Settings()).reports


@pytest.mark.parametrize("path", FILES)
def test_three_reads_in_three_rounds_are_found(path: Path) -> None:
    report = reports_of(path)[0]
    assert (report.verdict, report.calls, report.avoidable_steps) == ("sequential", 3, 2)
    assert report.avoidable_tokens == TOKENS.get(path.stem, 2500)
    assert report.avoidable == pytest.approx(10 if path.stem == "claude-code" else 1.2, abs=0.02)
    (finding,) = report.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("model", "recommended", 3)
    lasting = 2 if path.stem == "claude-code" else 0.4
    assert [call.duration_ns / 1e9 for call in report.turn.calls] == pytest.approx([lasting] * 3, rel=0.02)


@pytest.mark.parametrize("path", FILES)
def test_each_file_shows_its_requests(path: Path) -> None:
    steps = [one for one in map(classify, read_otlp_json(path)) if isinstance(one, Step)]
    assert len(steps) in {4, 6}  # one file has a second turn
    assert all(step.input_tokens for step in steps)


@pytest.mark.parametrize("path", [param for param in FILES if param.id in {"vercel-ai-sdk-6", "shared"}])
def test_a_turn_of_parallel_calls_is_parallel(path: Path) -> None:
    _, together = reports_of(path)
    assert (together.verdict, together.calls, together.findings) == ("parallel", 3, ())
