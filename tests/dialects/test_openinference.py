from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, Passage, SpanRecord, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]

OUT = "llm.output_messages.0.message."


def kind(name: str, **more: object) -> dict[str, object]:
    return {"openinference.span.kind": name, **{key.replace("__", "."): value for key, value in more.items()}}


@pytest.mark.parametrize(
    ("name", "attributes", "tool"),
    [
        ("get_weather", kind("TOOL", tool__name="get_weather"), "get_weather"),
        ("stubagent.get_weather", kind("TOOL", tool__name="get_weather"), "get_weather"),
        ("FinalAnswerTool", kind("TOOL", tool__name="final_answer"), "final_answer"),
        ("FunctionTool.acall", kind("TOOL", tool__name="get_weather"), "get_weather"),
        ("get_weather.acall", kind("TOOL"), "get_weather"),
        ("get_weather.__call__", kind("TOOL"), "get_weather"),
        ("get_weather.call", kind("TOOL"), "get_weather"),
        ("get_weather.run", kind("tool"), "get_weather"),
        ("execute_tool get_weather", kind("TOOL"), "get_weather"),
        ("get_weather", kind("TOOL"), "get_weather"),
    ],
)
def test_tool_name(span: Make, name: str, attributes: Mapping[str, object], tool: str) -> None:
    seen = classify(span(name, attributes))
    assert isinstance(seen, Call)
    assert seen.tool == tool


@pytest.mark.parametrize("key", ["tool_call.id", "tool.id", "tool.call_id"])
def test_call_id(span: Make, key: str) -> None:
    seen = classify(span("get_weather", {**kind("TOOL"), key: "call_0"}))
    assert isinstance(seen, Call)
    assert seen.call_id == "call_0"


@pytest.mark.parametrize(
    ("scope", "given", "returned"),
    [
        ("openai_agents", '{"arg":"x"}', "rain"),
        ("smolagents", '{"args": [], "sanitize_inputs_outputs": true, "kwargs": {"arg": "x"}}', "rain"),
        ("dspy", '{"kwargs": {"arg": "x"}}', '"rain"'),
        ("langchain", "{'arg': 'x'}", '{"type": "tool", "data": {"content": "rain", "tool_call_id": "call_0"}}'),
        ("google_adk", '{"arg": "x"}', '{"id": "call_0", "name": "get_weather", "response": {"result": "rain"}}'),
        ("llama_index", '{"kwargs": {"arg": "x"}}', '{"tool_name": "t", "raw_output": "rain", "is_error": false}'),
    ],
)
def test_envelopes_of_frameworks_are_removed(span: Make, plain: Read, scope: str, given: str, returned: str) -> None:
    attributes = {**kind("TOOL"), "input.value": given, "output.value": returned}
    seen = classify(span("get_weather", attributes, instrumentation=f"openinference.instrumentation.{scope}"))
    assert isinstance(seen, Call)
    assert plain(seen.arguments) == {"arg": "x"}
    assert plain(seen.result) in ("rain", {"result": "rain"})
    assert seen.call_id == ("call_0" if scope == "langchain" else "")


def test_hidden_content_counts_as_absent(span: Make) -> None:
    seen = classify(span("t", kind("TOOL", input__value="__REDACTED__", output__value="__REDACTED__")))
    assert isinstance(seen, Call)
    assert seen.arguments is None
    assert seen.result is None


class TestSteps:
    def test_step_in_numbered_attributes(self, span: Make, plain: Read) -> None:
        attributes = {
            **kind("LLM"),
            "llm.token_count.prompt": 40,
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "be brief",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "hi",
            "llm.input_messages.2.message.role": "tool",
            "llm.input_messages.2.message.content": "rain",
            OUT + "role": "assistant",
            OUT + "tool_calls.0.tool_call.id": "call_0",
            OUT + "tool_calls.0.tool_call.function.name": "get_weather",
            OUT + "contents.0.tool_call.id": "call_0",
            OUT + "tool_calls.1.tool_call.id": "call_1",
        }
        seen = classify(span("ChatCompletion", attributes))
        assert isinstance(seen, Step)
        assert (seen.requested, seen.input_tokens) == (("call_0", "call_1"), 40)
        assert plain(seen.messages) == ["be brief", "hi"]

    @pytest.mark.parametrize(
        ("attributes", "requested"),
        [
            ({OUT + "role": "assistant", OUT + "content": "done"}, ()),
            ({OUT + "tool_calls.0.tool_call.function.name": "get_weather"}, None),
            ({OUT + "content": "[[ ## next_tool_name ## ]]\nget_weather"}, None),
            ({OUT + "content": "Thought: look\nAction: get_weather\nAction Input: Oslo"}, None),
            ({OUT + "contents.0.tool_call.function.name": "t", OUT + "tool_calls.0.tool_call.id": "a"}, ("a",)),
            ({"output.value": '{"output":[{"type":"function_call","id":"fc_0","call_id":"a"}]}'}, ("a",)),
            ({"output.value": "assistant: "}, None),
            ({}, None),
        ],
    )
    def test_requested_calls(
        self, span: Make, attributes: dict[str, object], requested: tuple[str, ...] | None
    ) -> None:
        seen = classify(span("LM.acall", {**kind("LLM"), **attributes}))
        assert isinstance(seen, Step)
        assert seen.requested == requested

    def test_user_texts_are_read_from_input_value(self, span: Make, plain: Read) -> None:
        given = '{"model": "m", "messages": [{"role": "user", "content": "hi"}, {"role": "tool", "content": "rain"}]}'
        seen = classify(span("ChatCompletion", kind("LLM", input__value=given)))
        assert isinstance(seen, Step)
        assert plain(seen.messages) == ["hi"]

    def test_preparing_a_request_is_no_step(self, span: Make) -> None:
        assert isinstance(classify(span("OpenAI._prepare_chat_with_tools", kind("LLM"))), Passage)


class TestTurns:
    @pytest.mark.parametrize(
        ("name", "attributes"),
        [
            ("helper.run", kind("AGENT")),
            ("helper.arun", kind("AGENT", agent__name="helper")),
            ("helper.on_messages_stream", kind("AGENT")),
            ("helper._execute_core", kind("AGENT")),
            ("helper.kickoff", kind("AGENT")),
            ("helper", kind("AGENT")),
            ("agent_run [helper]", kind("AGENT")),
            ("agent_run [helper]", kind("LLM")),
            ("invoke_agent helper", kind("LLM")),
        ],
    )
    def test_agents_are_turns(self, span: Make, name: str, attributes: Mapping[str, object]) -> None:
        seen = classify(span(name, attributes))
        assert isinstance(seen, TurnSpan)
        assert seen.agent == "helper"

    def test_input_of_a_turn(self, span: Make, plain: Read) -> None:
        seen = classify(span("helper.run", kind("AGENT", input__value='{"task": "hi", "images": null}')))
        assert isinstance(seen, TurnSpan)
        assert plain(seen.input) == ["hi"]

    def test_model_node_named_agent_is_no_turn(self, span: Make) -> None:
        node = '{"langgraph_step": 1, "langgraph_node": "agent", "langgraph_path": ["__pregel_pull", "agent"]}'
        assert isinstance(classify(span("agent", kind("AGENT", metadata=node))), Passage)
        assert isinstance(classify(span("agent", kind("AGENT"))), TurnSpan)

    @pytest.mark.parametrize(("name", "turn"), [("helper", True), ("model", False)])
    def test_chain_named_after_its_agent_is_a_turn(self, span: Make, plain: Read, name: str, turn: bool) -> None:
        metadata = '{"ls_integration": "langchain_create_agent", "lc_agent_name": "helper", "langgraph_node": "tools"}'
        given = '{"messages": [["user", "hi"]]}'
        seen = classify(span(name, kind("CHAIN", metadata=metadata, input__value=given)))
        assert isinstance(seen, TurnSpan) is turn
        if isinstance(seen, TurnSpan):
            assert seen.agent == "helper"
            assert plain(seen.input) == ["hi"]

    def test_root_chain_of_a_graph_is_a_passage(self, span: Make) -> None:
        seen = classify(span("LangGraph", kind("CHAIN")))
        assert isinstance(seen, Passage)
        assert not seen.cycle


@pytest.mark.parametrize(
    ("name", "metadata", "cycle"),
    [
        ("turn", "", True),
        ("Step 1", "", True),
        ("Step 12", "", True),
        ("Step by step", "", False),
        ("tools", "", True),
        ("tools", '{"langgraph_node": "tools", "langgraph_path": ["__pregel_pull", "tools"]}', True),
        ("tools", '{"langgraph_node": "tools", "langgraph_path": ["__pregel_push", 0, false]}', False),
        ("tool_executor", '{"langgraph_node": "tool_executor"}', True),
        ("tool_executor", '{"langgraph_node": "model"}', False),
        ("execute_event_loop_cycle", "", True),
        ("model", '{"langgraph_node": "model"}', False),
        ("Agent workflow", "", False),
    ],
)
def test_parents_of_rounds_are_cycles(span: Make, name: str, metadata: str, cycle: bool) -> None:
    seen = classify(span(name, kind("CHAIN", metadata=metadata)))
    assert isinstance(seen, Passage)
    assert seen.cycle is cycle
