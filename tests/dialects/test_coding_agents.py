"""What is particular to the spans of coding agents: Claude Code, Gemini CLI, Codex and Copilot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Passage, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.model import Content, SpanRecord

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]


@pytest.mark.parametrize(
    ("source", "waits"),
    [("config", False), ("hook", False), ("user_temporary", True), ("user_reject", True), ("", True)],
)
def test_claude_codes_permission_by_a_rule_waits_for_no_person(span: Make, source: str, waits: bool) -> None:
    seen = classify(span("claude_code.tool.blocked_on_user", {"decision": "accept", "source": source}))
    assert isinstance(seen, Passage)
    assert seen.waiting == waits


@pytest.mark.parametrize("name", ["claude_code.tool.execution", "claude_code.hook"])
def test_claude_codes_parts_of_a_call_are_passages(span: Make, name: str) -> None:
    assert isinstance(classify(span(name, {"tool_use_id": "toolu_a", "gen_ai.tool.call.id": "toolu_a"})), Passage)


def test_claude_codes_request_inside_a_tool_is_none(span: Make) -> None:
    assert isinstance(classify(span("claude_code.llm_request", {"llm_request.context": "tool"})), Passage)


@pytest.mark.parametrize(
    ("attributes", "requested"),
    [
        ({"stop_reason": "tool_use"}, None),
        ({"stop_reason": "end_turn"}, ()),
        ({"response.has_tool_call": False}, ()),
        ({"response.has_tool_call": True}, None),
        ({"response.has_tool_call": "true"}, None),
        ({}, None),
    ],
)
def test_claude_codes_request_asks_for_tools_by_its_stop_reason(
    span: Make, attributes: dict[str, object], requested: tuple[str, ...] | None
) -> None:
    seen = classify(span("claude_code.llm_request", attributes))
    assert isinstance(seen, Step)
    assert (seen.requested, seen.input_tokens) == (requested, None)
    # Without a reason, it is not known whether what runs beside the response was asked for by it.
    assert seen.streams == (requested is None and bool(attributes))


@pytest.mark.parametrize(
    ("tool", "attributes", "given", "whole"),
    [
        ("Read", {"file_path": "/a"}, {"file_path": "/a"}, True),
        ("Bash", {"full_command": "ls"}, {"full_command": "ls"}, True),
        ("Edit", {"file_path": "/a"}, {"file_path": "/a"}, False),
        ("Grep", {"pattern": "x"}, {"pattern": "x"}, False),
        ("Grep", {"tool_input": '{"pattern": "x"}'}, {"pattern": "x"}, True),
    ],
)
def test_claude_codes_arguments_are_whole_where_one_is_all(
    span: Make, plain: Read, *, tool: str, attributes: dict[str, object], given: object, whole: bool
) -> None:
    seen = classify(span("claude_code.tool", {"tool_name": tool} | attributes))
    assert isinstance(seen, Call)
    assert seen.arguments is not None
    assert (plain(seen.arguments), seen.arguments.whole) == (given, whole)


def test_claude_codes_hidden_content_is_absent(span: Make) -> None:
    tool = classify(span("claude_code.tool", {"tool_name": "Read", "file_path": "<REDACTED>"}))
    turn = classify(span("claude_code.interaction", {"user_prompt": "<REDACTED>"}))
    assert isinstance(tool, Call)
    assert isinstance(turn, TurnSpan)
    assert tool.arguments is turn.input is None


def test_gemini_clis_arguments_stand_inside_the_call_too(span: Make, plain: Read) -> None:
    given = {"request": {"callId": "c", "name": "get", "args": {"city": "Oslo"}}}
    attributes = {"gen_ai.operation.name": "tool_call", "gen_ai.input.messages": json.dumps(given)}
    seen = classify(span("tool_call", attributes))
    assert isinstance(seen, Call)
    assert plain(seen.arguments) == {"city": "Oslo"}


def test_gemini_clis_content_that_is_cut_off_is_not_whole(span: Make) -> None:
    cut = '[{"parts":[{"functionCall":{"name":"get"...[TRUNCATED: original length 23456]'
    step = classify(span("llm_call", {"gen_ai.operation.name": "llm_call", "gen_ai.output.messages": cut}))
    call = classify(span("tool_call", {"gen_ai.operation.name": "tool_call", "gen_ai.output.messages": cut}))
    assert isinstance(step, Step)
    assert isinstance(call, Call)
    assert step.requested is None
    assert call.result is not None
    assert not call.result.whole


def test_gemini_clis_sub_agent_is_a_run(span: Make) -> None:
    assert isinstance(classify(span("agent_call", {"gen_ai.operation.name": "agent_call"})), TurnSpan)


def test_codex_other_spans_are_passages(span: Make) -> None:
    for name in ("run_turn", "handle_tool_call", "session_init"):
        assert isinstance(classify(span(name, {"call_id": "c", "tool_name": "shell"})), Passage)


def test_codex_aborted_tool_failed(span: Make) -> None:
    seen = classify(span("shell", {"call_id": "c", "tool_name": "shell", "aborted": True}))
    assert isinstance(seen, Call)
    assert (seen.tool, seen.call_id, seen.error) == ("shell", "c", True)


@pytest.mark.parametrize(
    ("name", "operation", "kind"),
    [
        ("invoke_agent copilot", "invoke_agent", TurnSpan),
        ("chat gpt-5", "chat", Step),
        ("execute_tool readFile", "execute_tool", Call),
        ("execute_hook PreToolUse", "execute_hook", Passage),
    ],
)
def test_copilot_follows_the_conventions(span: Make, name: str, operation: str, kind: type) -> None:
    attributes = {"gen_ai.operation.name": operation, "copilot_chat.chat_session_id": "s", "copilot_chat.turn.index": 1}
    assert isinstance(classify(span(name, attributes, instrumentation="copilot-chat")), kind)
