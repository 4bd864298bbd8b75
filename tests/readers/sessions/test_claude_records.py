"""What only Claude Code's transcripts tell: cancelled batches, sub-agents, permissions, and turns that were stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.readers.sessions.agent_turns import TranscriptCounts
from otel_parallelism.readers.sessions.claude_transcripts import claude_turns
from otel_parallelism.readers.sessions.session_spans import cancelled_batches, session_spans

if TYPE_CHECKING:
    from pathlib import Path

    from otel_parallelism.model import Report
    from otel_parallelism.readers.sessions.agent_turns import RecordedTurn


def user(second: float, content: Any, **fields: Any) -> dict[str, Any]:
    message = {"role": "user", "content": content}
    return {"type": "user", "timestamp": f"2026-11-02T09:00:{second:06.3f}Z", "message": message, **fields}


def asked(second: float, key: str, *calls: tuple[str, str, dict[str, Any]], **fields: Any) -> dict[str, Any]:
    blocks = [{"type": "tool_use", "id": name, "name": tool, "input": given} for name, tool, given in calls]
    message = {"id": key, "role": "assistant", "content": blocks}
    return {"type": "assistant", "timestamp": f"2026-11-02T09:00:{second:06.3f}Z", "message": message, **fields}


def result(second: float, name: str, text: str = "x = 1", *, error: bool = False, **fields: Any) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": name, "content": text, "is_error": error}
    return user(second, [block], **fields)


def turns(tmp_path: Path, *records: dict[str, Any]) -> list[RecordedTurn]:
    path = tmp_path / "session.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return list(claude_turns(path, TranscriptCounts()))


def report(turn: RecordedTurn) -> Report:
    [found] = analyze_records(session_spans(turn), classify).reports
    return found


def reads(key: str, second: float, *names: str, **fields: Any) -> dict[str, Any]:
    return asked(second, key, *((name, "Read", {"file_path": f"/srv/{name}.py"}) for name in names), **fields)


@pytest.mark.parametrize(
    "text",
    [
        "<tool_use_error>Cancelled: parallel tool call Bash(npm test) errored</tool_use_error>",
        "<tool_use_error>Sibling tool call errored</tool_use_error>",
    ],
)
def test_a_batch_that_one_failure_cancelled_is_counted(tmp_path: Path, text: str) -> None:
    calls = [(f"c{number}", "Bash", {"command": f"make {number}"}) for number in range(4)]
    back = [result(4, f"c{number}", text, error=True) for number in (1, 2, 3)]
    [turn] = turns(tmp_path, user(0, "Build"), asked(3, "m", *calls), result(4, "c0", "Exit code 2", error=True), *back)
    assert list(cancelled_batches(turn)) == [(4, 3)]


def test_blocks_of_one_response_are_one_round(tmp_path: Path) -> None:
    records = [user(0, "Look"), reads("m1", 3, "a"), reads("m1", 3.2, "b"), result(4, "a"), result(4.2, "b")]
    [turn] = turns(tmp_path, *records)
    assert [len(response.calls) for response in turn.responses] == [2]
    assert report(turn).findings == ()


def test_a_sub_agent_is_a_turn_of_its_own(tmp_path: Path) -> None:
    inside = {"isSidechain": True}
    records = [
        user(0, "Look", uuid="u"),
        asked(2, "m1", ("t", "Task", {"prompt": "Look"})),
        user(2, "Look into it", uuid="s1", parentUuid=None, **inside),
        reads("m2", 4, "a", uuid="s2", parentUuid="s1", **inside),
        result(5, "a", uuid="s3", parentUuid="s2", **inside),
        reads("m3", 7, "b", uuid="s4", parentUuid="s3", **inside),
        result(8, "b", uuid="s5", parentUuid="s4", **inside),
        result(9, "t", "It is fine"),
    ]
    outer, inner = sorted((report(turn) for turn in turns(tmp_path, *records)), key=lambda each: each.calls)
    assert (outer.calls, inner.calls) == (1, 2)
    assert inner.avoidable == pytest.approx(3.0)


def test_a_slow_command_may_have_waited_for_a_permission(tmp_path: Path) -> None:
    def plan(mode: str) -> Report:
        status = [asked(2, "m1", ("s", "Bash", {"command": "git status"})), result(28, "s", "clean")]
        log = [asked(30, "m2", ("l", "Bash", {"command": "git log -2"})), result(58, "l", "first commit")]
        [turn] = turns(tmp_path, user(0, "What happened?", permissionMode=mode), *status, *log)
        return report(turn)

    assert (plan("default").avoidable, plan("default").avoidable_potential > 0) == (0, True)
    assert plan("bypassPermissions").avoidable > 20


def test_the_time_before_a_call_ran_is_waiting(tmp_path: Path) -> None:
    done = {"toolUseResult": {"durationMs": 1_000}}
    fetch = asked(2, "m1", ("f", "WebFetch", {"url": "https://example.com/a"}))
    [turn] = turns(tmp_path, user(0, "Fetch it"), fetch, result(42, "f", "a page", **done))
    found = report(turn)
    assert (found.work, sum(wait.duration_ns for wait in found.turn.waiting)) == (1.0, 39 * 10**9)


@pytest.mark.parametrize(
    ("tool", "first", "second"),
    [
        ("Read", {"file_path": "/srv/long.py", "limit": 2000}, {"file_path": "/srv/long.py", "offset": 2000}),
        ("Bash", {"command": "sed -n 1,80p long.py"}, {"command": "sed -n 81,99p long.py"}),
        ("Grep", {"pattern": "load", "head_limit": 20}, {"pattern": "load", "head_limit": 20, "offset": 20}),
    ],
)
def test_reading_on_needs_the_first_part(
    tmp_path: Path, tool: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    one, other = asked(3, "m1", ("a", tool, first)), asked(7, "m2", ("b", tool, second))
    [turn] = turns(tmp_path, user(0, "Read it"), one, result(4, "a"), other, result(8, "b"))
    assert (report(turn).avoidable, report(turn).avoidable_potential) == (0, 0)


def test_a_tool_that_was_loaded_is_not_called_before(tmp_path: Path) -> None:
    load = asked(3, "m1", ("a", "ToolSearch", {"query": "issues"}))
    use = asked(7, "m2", ("b", "mcp__github__get_issue", {"number": 7}))
    [turn] = turns(tmp_path, user(0, "Read issue 7"), load, result(4, "a", "loaded"), use, result(8, "b", "a title"))
    assert report(turn).avoidable == 0


def test_edits_of_one_response_ran_one_after_another(tmp_path: Path) -> None:
    calls = [(name, "Edit", {"file_path": f"/srv/{name}.py"}) for name in ("a", "b", "c")]
    results = [result(4 + at, name) for at, (name, _, _) in enumerate(calls)]
    [turn] = turns(tmp_path, user(0, "Change"), asked(3, "m", *calls), *results)
    found = report(turn)
    assert (found.peak_concurrency, found.findings) == (1, ())


def test_an_interruption_ends_the_turn(tmp_path: Path) -> None:
    stopped = user(5, [{"type": "text", "text": "[Request interrupted by user]"}])
    records = [user(0, "Look"), reads("m1", 3, "a"), result(4, "a"), stopped]
    [turn] = turns(tmp_path, *records, user(50, "Go on"))
    assert turn.end_ns - turn.start_ns == 4 * 10**9


def queued(second: float, **fields: Any) -> dict[str, Any]:
    attachment = {"type": "queued_command", "commandMode": "prompt", "origin": {"kind": "human"}, "prompt": "And b?"}
    at = f"2026-11-02T09:00:{second:06.3f}Z"
    return {"type": "attachment", "timestamp": at, "attachment": attachment | fields}


def test_what_the_person_wrote_while_the_agent_worked_begins_a_turn(tmp_path: Path) -> None:
    first = (user(0, "What is in a.py?"), reads("m1", 1, "a"), result(3, "a"))
    both = turns(tmp_path, *first, queued(3), reads("m2", 4, "b"), result(6, "b"), asked(7, "m3"))
    assert [turn.words for turn in both] == ["What is in a.py?", "And b?"]


@pytest.mark.parametrize(
    "other",
    [
        {"type": "todo_reminder"},
        {"commandMode": "task-notification"},
        {"origin": {"kind": "hook"}},
        {"isMeta": True},
        {"prompt": "<task-notification>done</task-notification>"},
        {"prompt": None},
    ],
)
def test_other_attachments_begin_no_turn(tmp_path: Path, other: dict[str, Any]) -> None:
    first = (user(0, "What is in a.py?"), reads("m1", 1, "a"), result(3, "a"))
    [turn] = turns(tmp_path, *first, queued(3, **other), reads("m2", 4, "b"), result(6, "b"))
    assert [len(response.calls) for response in turn.responses] == [1, 1]
