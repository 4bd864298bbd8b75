"""What only Codex's transcripts tell: lines before the output of a command, and how long it ran."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.readers.sessions.agent_turns import TranscriptCounts
from otel_parallelism.readers.sessions.codex_rollouts import codex_turns
from otel_parallelism.readers.sessions.session_spans import session_spans

if TYPE_CHECKING:
    from pathlib import Path


def record(second: int, kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-11-02T09:00:{second:02}Z", "type": kind, "payload": payload}


@pytest.mark.parametrize(
    ("told", "result"),
    [
        ("Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 0\nOutput:\nsrc/a.py:1\n", "src/a.py:1"),
        ("Wall time: 0.1 seconds\nProcess exited with code 0\nOutput:", ""),
        ("Wall time: 0.1 seconds\nno more", "Wall time: 0.1 seconds\nno more"),
        ("read\nOutput:\nWell", "read\nOutput:\nWell"),
    ],
)
def test_what_stands_before_the_output_is_no_result(tmp_path: Path, told: str, result: str) -> None:
    path = tmp_path / "rollout-1.jsonl"
    given = {"name": "exec_command", "arguments": '{"cmd": "rg -n x src"}', "call_id": "c"}
    records = [
        record(0, "event_msg", type="user_message", message="Where is x?"),
        record(1, "response_item", type="function_call", **given),
        record(2, "response_item", type="function_call_output", call_id="c", output=told),
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    (turn,) = codex_turns(path, TranscriptCounts())
    assert [call.result for call in turn.responses[0].calls] == [result]


@pytest.mark.parametrize(
    ("seconds", "verdict", "concurrency"),
    [([1, 3, 7], "sequential", 1.0), ([1, 2, 4], "parallel", 1.75)],
)
def test_commands_of_one_response_that_ran_one_by_one_are_not_taken_for_parallel(
    tmp_path: Path, seconds: list[int], verdict: str, concurrency: float
) -> None:
    path = tmp_path / "rollout-1.jsonl"
    records = [record(0, "event_msg", type="user_message", message="Show a, b and c.")]
    for name in "abc":
        given = {"name": "exec_command", "arguments": json.dumps({"cmd": f"cat {name}"}), "call_id": name}
        records.append(record(1, "response_item", type="function_call", **given))
    for name, after, took in zip("abc", seconds, [1, 2, 4], strict=True):
        output = f"Wall time: {took} seconds\nOutput:\nall of {name}"
        records.append(record(1 + after, "response_item", type="function_call_output", call_id=name, output=output))
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    (turn,) = codex_turns(path, TranscriptCounts())
    (report,) = analyze_records(session_spans(turn), classify).reports
    assert (report.verdict, report.concurrency) == (verdict, concurrency)
