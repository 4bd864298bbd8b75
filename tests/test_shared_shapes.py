"""Shapes of traces that were read wrongly once; the files are shared and are not a part of this project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.readers.otlp_json import read_otlp_json

if TYPE_CHECKING:
    from otel_parallelism.model import Analysis, Report

CASES = Path(__file__).parents[2] / "shared" / "data" / "cases"
LABELLED = ("cause_one_step_no_output", "mcp_client_server", "two_user_turns")

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"no {CASES}")


def analysis_of(name: str) -> Analysis:
    return analyze_records(read_otlp_json(CASES / name), classify)


def only_report(name: str) -> Report:
    (report,) = analysis_of(name).reports
    return report


def test_one_response_in_two_spans() -> None:
    report = only_report("shapes/one-response-in-two-spans.json")
    (finding,) = report.findings
    assert (finding.cause, report.avoidable_steps) == ("dispatch", 0)


def test_run_beside_its_calls() -> None:
    report = only_report("shapes/run-beside-its-calls.json")
    assert (report.turn.agent, report.calls, report.verdict, report.cause) == (
        "Weather agent",
        3,
        "sequential",
        "model",
    )
    assert report.ratio == pytest.approx(1.8 / 2.8)
    assert (report.avoidable_steps, report.avoidable_tokens) == (2, 350)


def test_serial_retrievers() -> None:
    report = only_report("shapes/retrievers-serial.json")
    assert report.calls == 4
    assert {call.effect for call in report.turn.calls} == {"read"}
    assert report.avoidable + report.avoidable_potential == pytest.approx(1.6)


def test_hours_between_two_calls_are_not_promised() -> None:
    first = analysis_of("shapes/long_wait_and_outlived.jsonl").reports[0]
    assert first.avoidable <= 1.01


def test_call_that_outlives_its_turn_is_mentioned() -> None:
    late = analysis_of("shapes/long_wait_and_outlived.jsonl").reports[1]
    (note,) = [note for note in late.notes if "get_b" in note]
    assert "29.10 s" in note


@pytest.mark.parametrize("name", LABELLED)
def test_labelled_turn(name: str) -> None:
    label: dict[str, Any] = json.loads((CASES / "labelled" / "truth.json").read_text())[name]
    reports = analysis_of(f"labelled/{name}.jsonl").reports
    recommended = [finding for report in reports for finding in report.findings if finding.advice == "recommended"]
    if label.get("recommended") == "none":
        assert not recommended
        return
    assert [sorted(finding.span_ids) for finding in recommended] == [sorted(group) for group in label["together"]]
    (report,) = reports
    assert report.calls == label["calls"]
    assert report.avoidable == pytest.approx(label["avoidable_s"], abs=0.05)
    assert report.avoidable_steps == label["steps"]
    assert report.cause in label["cause"]
