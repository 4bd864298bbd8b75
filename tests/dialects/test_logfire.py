from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, Passage, SpanRecord, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]


def templated(template: str, **more: object) -> dict[str, object]:
    return {"logfire.msg_template": template, "gen_ai.system": "openai", **more}


def test_function_is_a_call(span: Make, plain: Read) -> None:
    attributes = templated("Function: {name}", name="get_weather", input='{"city": "Oslo"}', output="rain")
    seen = classify(span("Function: {name}", attributes))
    assert isinstance(seen, Call)
    assert seen.tool == "get_weather"
    assert plain(seen.arguments) == {"city": "Oslo"}
    assert plain(seen.result) == "rain"


def test_agent_run_is_a_turn(span: Make) -> None:
    attributes = {**templated("Agent run: {name!r}", name="helper"), "logfire.msg": "Agent run: 'helper'"}
    seen = classify(span("Agent run: {name!r}", attributes))
    assert isinstance(seen, TurnSpan)
    assert (seen.agent, seen.name) == ("helper", "Agent run: 'helper'")


@pytest.mark.parametrize(
    ("template", "kind", "cycle"),
    [
        ("Turn {turn} for agent helper", "turn", True),
        ("Task: Agent workflow", "task", False),
        ("OpenAI Agents trace: {name}", "", False),
    ],
)
def test_other_spans_are_passages_or_cycles(span: Make, template: str, kind: str, cycle: bool) -> None:
    seen = classify(span(template, templated(template, sdk_span_type=kind)))
    assert isinstance(seen, Passage)
    assert seen.cycle is cycle


@pytest.mark.parametrize("operation", ["invoke_agent", "chat", "execute_tool"])
def test_pending_span_is_a_passage(span: Make, operation: str) -> None:
    attributes = {"gen_ai.operation.name": operation, "gen_ai.tool.name": "t", "logfire.span_type": "pending_span"}
    assert isinstance(classify(span(f"{operation} t", attributes)), Passage)


def test_requested_calls_are_read_from_response_not_from_events(span: Make, plain: Read) -> None:
    history = '{"event.name":"gen_ai.assistant.message","role":"assistant","tool_calls":[{"id":"old","function":{}}]}'
    attributes = {
        **templated("Responses API with {gen_ai.request.model!r}"),
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 40,
        "events": f'[{{"event.name":"gen_ai.user.message","role":"user","content":"hi"}},{history}]',
        "raw_input": '[{"role":"user","content":"hi"}]',
        "response": '{"object":"response","output":[{"type":"function_call","call_id":"call_0","id":"fc_0"}]}',
    }
    seen = classify(span("Responses API with {gen_ai.request.model!r}", attributes))
    assert isinstance(seen, Step)
    assert (seen.requested, seen.input_tokens) == (("call_0",), 40)
    assert plain(seen.messages) == ["hi"]
