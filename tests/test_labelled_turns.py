"""
Turns of agents of all kinds, with a careful reader's label: what is safe to run together, and what must not be.

The turns and the labels are in a folder beside the project; without it the tests are skipped.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.readers.otlp_json import read_otlp_json

if TYPE_CHECKING:
    from otel_parallelism.model import Finding, Report

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "cases" / "labelled"
TRUTH: dict[str, dict[str, Any]] = json.loads((FOLDER / "truth.json").read_text()) if FOLDER.exists() else {}
UNDECIDED: dict[str, str] = {"cause_code_between_steps": "what the model said is not read yet"}
"""The turns whose label is not met yet, each with the reason."""
TURNS = [pytest.param(name, label, id=name) for name, label in TRUTH.items()] or [
    pytest.param("", {}, id="shared", marks=pytest.mark.skip(reason=f"no {FOLDER}"))
]


def reports_of(name: str) -> list[Report]:
    return list(analyze_records(read_otlp_json(FOLDER / f"{name}.jsonl"), classify).reports)


def recommended(reports: list[Report]) -> list[Finding]:
    return [finding for report in reports for finding in report.findings if finding.advice == "recommended"]


@pytest.mark.parametrize(("name", "label"), TURNS)
def test_label_of_turn(name: str, label: dict[str, Any]) -> None:
    reports = reports_of(name)
    found = recommended(reports)
    assert must_not_run_together(found, label) == []
    unmet = [part for part, met in parts_of_label(reports, found, label).items() if not met]
    if name in UNDECIDED:
        assert unmet, "it is met now: it no longer belongs in UNDECIDED"
        pytest.xfail(UNDECIDED[name])
    assert unmet == []


def parts_of_label(reports: list[Report], found: list[Finding], label: dict[str, Any]) -> dict[str, bool]:
    """Whether each part of a label is met."""
    met: dict[str, bool] = {}
    if label.get("recommended") == "none":
        met["recommended"] = found == []
    for group in map(set, label.get("together", ())):
        met[f"together {sorted(group)}"] = any(group <= set(finding.span_ids) for finding in found)
    for pair in map(set, label.get("never_together", ())):
        met[f"never together {sorted(pair)}"] = not any(pair <= together_of(finding) for finding in found)
    if "calls" in label:
        met["calls"] = sum(report.calls for report in reports) == label["calls"]
    if "avoidable_s" in label:
        avoidable = sum(report.avoidable for report in reports)
        met["avoidable_s"] = avoidable == pytest.approx(label["avoidable_s"], abs=0.01)
    if "steps" in label:
        met["steps"] = sum(report.avoidable_steps for report in reports) == label["steps"]
    if "cause" in label:
        causes = label["cause"] if isinstance(label["cause"], list) else [label["cause"]]
        met["cause"] = bool(found) and found[0].cause in causes
    return met


def together_of(finding: Finding) -> set[str]:
    """The calls of a finding that would run at once: all, or those of its largest stage."""
    stages = [{finding.span_ids[position] for position in stage} for stage in finding.stages]
    return max(stages, key=len, default=set(finding.span_ids))


def must_not_run_together(found: list[Finding], label: dict[str, Any]) -> list[tuple[str, ...]]:
    """The pairs that are recommended though the label does not say that they are safe."""
    safe = [set(group) for group in label.get("together", ())]
    wrong = []
    for finding in found:
        stages = [[finding.span_ids[at] for at in stage] for stage in finding.stages] or [list(finding.span_ids)]
        pairs = itertools.chain.from_iterable(itertools.combinations(stage, 2) for stage in stages)
        wrong += [pair for pair in pairs if not any(set(pair) <= group for group in safe)]
    return wrong
