from __future__ import annotations

import json

import msgspec
import pytest

from otel_parallelism.model import Analysis, Coverage, Report
from otel_parallelism.reports.json import SCHEMA_VERSION, AnalysisDocument, render_json

TURN_KEYS = [
    "trace_id",
    "span_id",
    "name",
    "agent",
    "start",
    "duration",
    "calls",
    "ratio",
    "efficiency",
    "efficiency_floor",
    "achievable_ratio",
    "effective_ratio",
    "work",
    "makespan",
    "busy",
    "peak_concurrency",
    "calls_per_step",
    "verdict",
    "cause",
    "recommendation",
    "avoidable",
    "avoidable_potential",
    "avoidable_by_cause",
    "avoidable_steps",
    "avoidable_tokens",
    "avoidable_cached_tokens",
    "chains",
    "coverage",
    "slowest_calls",
    "findings",
    "silenced",
    "notes",
]
FINDING_KEYS = [
    "id",
    "kind",
    "cause",
    "advice",
    "calls",
    "span_ids",
    "avoidable",
    "evidence",
    "location",
    "stages",
    "effect_sources",
    "framework",
    "setting",
]


def test_document_has_the_documented_keys(both: Analysis) -> None:
    document = json.loads(render_json(both))
    assert list(document) == ["schema_version", "totals", "findings", "turns", "coverage"]
    assert document["coverage"] == {"calls": 8, "calls_without_turn": 0, "spans": 11, "anomalies": 0}
    assert [list(turn) for turn in document["turns"]] == [TURN_KEYS, TURN_KEYS]
    assert [list(finding) for finding in document["turns"][0]["findings"]] == [FINDING_KEYS]
    assert msgspec.json.decode(render_json(both), type=AnalysisDocument).coverage.spans == 11


def test_totals_are_sums_over_the_turns(sequential: Report, possible: Report) -> None:
    saving = msgspec.structs.replace(sequential, avoidable_steps=2, avoidable_tokens=900, avoidable_cached_tokens=600)
    totals = json.loads(render_json(Analysis((saving, possible), Coverage())))["totals"]
    assert totals == {
        "turns": 2,
        "calls": 6,
        "findings": 2,
        "silenced": 0,
        "work": 2.2,
        "makespan": 2.2,
        "avoidable": 0.9,
        "avoidable_potential": 0.4,
        "avoidable_steps": 2,
        "avoidable_tokens": 900,
        "avoidable_cached_tokens": 600,
    }


def test_turn_with_a_finding(sequential: Report) -> None:
    [turn] = json.loads(render_json(Analysis((sequential,), Coverage())))["turns"]
    assert turn == {
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "00f067aa0ba902b7",
        "name": "plan",
        "agent": "travel",
        "start": 1_700_000_000.0,
        "duration": 2.0,
        "calls": 4,
        "ratio": 1.0,
        "efficiency": 0.25,
        "efficiency_floor": 0.25,
        "achievable_ratio": 4.0,
        "effective_ratio": 1.0,
        "work": 1.2,
        "makespan": 1.2,
        "busy": 1.2,
        "peak_concurrency": 1,
        "calls_per_step": 4.0,
        "verdict": "sequential",
        "cause": "dispatch",
        "recommendation": "Run the round's calls together with asyncio.gather.",
        "avoidable": 0.9,
        "avoidable_potential": 0.0,
        "avoidable_by_cause": {"dispatch": 0.9},
        "avoidable_steps": 0,
        "avoidable_tokens": None,
        "avoidable_cached_tokens": None,
        "chains": 1,
        "coverage": 1.0,
        "slowest_calls": [
            {"tool": "flights", "span_id": "0000000000000000", "start": 0.2, "duration": 0.3},
            {"tool": "hotels", "span_id": "0000000000000001", "start": 0.5, "duration": 0.3},
            {"tool": "hotels", "span_id": "0000000000000002", "start": 0.8, "duration": 0.3},
            {"tool": "weather", "span_id": "0000000000000003", "start": 1.1, "duration": 0.3},
        ],
        "findings": [
            {
                "id": "463c4093",
                "kind": "sequential_chain",
                "cause": "dispatch",
                "advice": "recommended",
                "calls": ["flights", "hotels", "hotels", "weather"],
                "span_ids": ["0000000000000000", "0000000000000001", "0000000000000002", "0000000000000003"],
                "avoidable": 0.9,
                "evidence": ["one response asked for all four"],
                "location": {"file_path": "agent.py", "line_number": 31},
                "stages": [],
                "effect_sources": [],
                "framework": None,
                "setting": None,
            }
        ],
        "silenced": [],
        "notes": [],
    }


def test_unknown_values_are_null(silent: Report, possible: Report) -> None:
    empty, unsure = json.loads(render_json(Analysis((silent, possible), Coverage())))["turns"]
    absent = (
        "ratio",
        "efficiency",
        "efficiency_floor",
        "achievable_ratio",
        "effective_ratio",
        "cause",
        "avoidable_tokens",
        "avoidable_cached_tokens",
    )
    assert {key: empty[key] for key in absent} == dict.fromkeys(absent)
    assert empty["recommendation"] is None
    assert empty["slowest_calls"] == empty["findings"] == []
    assert unsure["agent"] is None
    assert unsure["findings"][0]["location"] is None
    assert unsure["coverage"] == 0.5


def test_slowest_calls_exclude_nested_calls_and_are_at_most_five(parallel: Report) -> None:
    many = tuple(
        msgspec.structs.replace(parallel.turn.calls[0], span_id=f"{at:016x}", tool=f"tool_{at}", end_ns=end)
        for at, end in enumerate(range(parallel.turn.start_ns, parallel.turn.start_ns + 7_000_000, 1_000_000))
    )
    inner = msgspec.structs.replace(many[0], scope=many[1].span_id, end_ns=many[-1].end_ns + 1)
    report = msgspec.structs.replace(parallel, turn=msgspec.structs.replace(parallel.turn, calls=(*many, inner)))
    [turn] = json.loads(render_json(Analysis((report,), Coverage())))["turns"]
    assert [(call["tool"], call["duration"]) for call in turn["slowest_calls"]] == [
        ("tool_6", 0.006),
        ("tool_5", 0.005),
        ("tool_4", 0.004),
        ("tool_3", 0.003),
        ("tool_2", 0.002),
    ]


def test_document_has_no_content_of_calls(both: Analysis) -> None:
    assert "an argument" not in render_json(both)
    assert "a result" not in render_json(both)


def test_document_without_turns() -> None:
    assert json.loads(render_json(Analysis((), Coverage(calls=3, calls_without_turn=3, spans=4)))) == {
        "schema_version": SCHEMA_VERSION,
        "totals": {
            "turns": 0,
            "calls": 0,
            "findings": 0,
            "silenced": 0,
            "work": 0,
            "makespan": 0,
            "avoidable": 0,
            "avoidable_potential": 0,
            "avoidable_steps": 0,
            "avoidable_tokens": None,
            "avoidable_cached_tokens": None,
        },
        "findings": [],
        "turns": [],
        "coverage": {"calls": 3, "calls_without_turn": 3, "spans": 4, "anomalies": 0},
    }
    assert render_json(Analysis((), Coverage())).endswith("}\n")


def test_findings_of_one_fault_are_one(sequential: Report, possible: Report) -> None:
    finding = msgspec.structs.replace(sequential.findings[0], avoidable=1.25, stages=((0, 1), (2, 3)))
    worst = msgspec.structs.replace(sequential, findings=(finding,))
    document = json.loads(render_json(Analysis((sequential, possible, worst, sequential), Coverage())))
    fault, other = document["findings"]
    assert fault == {
        "id": "463c4093",
        "kind": "sequential_chain",
        "cause": "dispatch",
        "advice": "recommended",
        "agent": "travel",
        "calls": ["flights", "hotels", "hotels", "weather"],
        "count": 3,
        "turns": 3,
        "avoidable": pytest.approx(3.05),
        "worst": {
            "position": 2,
            "trace_id": worst.turn.trace_id,
            "span_id": worst.turn.span_id,
            "avoidable": 1.25,
        },
        "recommendation": "Run the round's calls together with asyncio.gather.",
        "location": {"file_path": "agent.py", "line_number": 31},
    }
    assert (other["advice"], other["count"], other["avoidable"]) == ("potential", 1, 0.4)
    assert document["turns"][2]["findings"][0]["stages"] == [[0, 1], [2, 3]]
