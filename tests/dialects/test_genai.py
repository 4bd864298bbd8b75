from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, DeveloperText, Passage, SpanRecord, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]

HI = '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]'
ASKS = '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "call_0", "name": "get_weather"}]}]'
ANSWERS = '[{"role": "assistant", "parts": [{"type": "text", "content": "done"}]}]'
DETAILS = "gen_ai.client.inference.operation.details"


def operation(name: str, **more: object) -> dict[str, object]:
    return {"gen_ai.operation.name": name, **{key.replace("__", "."): value for key, value in more.items()}}


class TestCalls:
    def test_call_has_facts_of_its_attributes(self, span: Make, plain: Read) -> None:
        attributes = {
            **operation("execute_tool"),
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "call_0",
            "gen_ai.tool.call.arguments": '{"city": "Oslo"}',
            "gen_ai.tool.call.result": "rain",
        }
        seen = classify(span("execute_tool get_weather", attributes))
        assert isinstance(seen, Call)
        assert (seen.tool, seen.call_id, seen.error) == ("get_weather", "call_0", False)
        assert plain(seen.arguments) == {"city": "Oslo"}
        assert plain(seen.result) == "rain"
        assert (seen.effect, seen.depends_on, seen.queue_ns) == ("unknown", None, 0)

    @pytest.mark.parametrize(
        ("name", "attributes", "tool"),
        [
            ("execute_tool get_weather", operation("execute_tool"), "get_weather"),
            ("anthropic.custom_tool_use get_weather", operation("execute_tool"), "get_weather"),
            ("execute_tool desk-get_weather", operation("execute_tool", gen_ai__tool__name="desk-get_weather"), None),
            ("execute_tool get_weather", {}, "get_weather"),
            ("running tool", {"gen_ai.tool.name": "get_weather"}, "get_weather"),
        ],
    )
    def test_tool_name(self, span: Make, name: str, attributes: Mapping[str, object], tool: str) -> None:
        seen = classify(span(name, attributes))
        assert isinstance(seen, Call)
        assert seen.tool == (tool or "desk-get_weather")

    def test_adk_placeholder_is_no_call_id(self, span: Make) -> None:
        seen = classify(span("execute_tool x", operation("execute_tool", gen_ai__tool__call__id="<not specified>")))
        assert isinstance(seen, Call)
        assert seen.call_id == ""

    def test_anthropic_blocks_are_decoded(self, span: Make, plain: Read) -> None:
        result = '[{"type":"text","text":"rain"}]'
        attributes = {**operation("execute_tool"), "anthropic.tool_result.content": result}
        seen = classify(span("anthropic.custom_tool_use get_weather", attributes))
        assert isinstance(seen, Call)
        assert plain(seen.result) == "rain"

    def test_content_marked_as_truncated_is_not_whole(self, span: Make) -> None:
        lost = {**operation("execute_tool"), "gen_ai.tool.call.arguments": "{}", "anthropic.content.truncated": True}
        call = classify(span("anthropic.custom_tool_use t", {**lost, "anthropic.tool_result.content": "[]"}))
        assert isinstance(call, Call)
        assert call.arguments is not None
        assert call.result is not None
        assert not call.arguments.whole
        assert not call.result.whole

    def test_content_in_one_event_per_message(self, span: Make, plain: Read) -> None:
        events = [
            ("gen_ai.tool.message", {"role": "tool", "content": '{"city": "Oslo"}', "id": "call_0"}),
            ("gen_ai.choice", {"message": '[{"text": "rain"}]', "id": "call_0"}),
        ]
        seen = classify(span("execute_tool get_weather", operation("execute_tool"), events=events))
        assert isinstance(seen, Call)
        assert plain(seen.arguments) == {"city": "Oslo"}
        assert plain(seen.result) == "rain"

    def test_content_in_one_event_for_all_messages(self, span: Make, plain: Read) -> None:
        given = '[{"role": "tool", "parts": [{"type": "tool_call", "id": "c", "arguments": {"city": "Oslo"}}]}]'
        returned = '[{"role": "tool", "parts": [{"type": "tool_call_response", "response": [{"text": "rain"}]}]}]'
        events = [(DETAILS, {"gen_ai.input.messages": given}), (DETAILS, {"gen_ai.output.messages": returned})]
        seen = classify(span("execute_tool get_weather", operation("execute_tool"), events=events))
        assert isinstance(seen, Call)
        assert plain(seen.arguments) == {"city": "Oslo"}
        assert plain(seen.result) == "rain"

    def test_call_id_in_langchain_envelope(self, span: Make, plain: Read) -> None:
        given = '{"input_str": "{}", "tags": [], "inputs": {"a": "x"}, "kwargs": {"tool_call_id": "call_0"}}'
        attributes = {**operation("execute_tool"), "gen_ai.tool.call.arguments": given}
        seen = classify(span("execute_tool get_weather", attributes))
        assert isinstance(seen, Call)
        assert seen.call_id == "call_0"
        assert plain(seen.arguments) == {"a": "x"}

    def test_call_without_captured_content(self, span: Make) -> None:
        seen = classify(span("execute_tool get_weather", operation("execute_tool")))
        assert isinstance(seen, Call)
        assert seen.arguments is None
        assert seen.result is None

    @pytest.mark.parametrize("name", ["tool.execute", "tool_call", "tool.call"])
    def test_names_from_before_the_conventions(self, span: Make, plain: Read, name: str) -> None:
        attributes = {
            **operation(name),
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call_id": "call_0",
            "gen_ai.tool.input": '{"city": "Oslo"}',
            "gen_ai.tool.output": "rain",
        }
        seen = classify(span("tool.execute get_weather", attributes))
        assert isinstance(seen, Call)
        assert (seen.tool, seen.call_id) == ("get_weather", "call_0")
        assert (plain(seen.arguments), plain(seen.result)) == ({"city": "Oslo"}, "rain")

    def test_content_wrapped_in_event_content(self, span: Make, plain: Read) -> None:
        events = [
            ("gen_ai.tool.message", {"gen_ai.event.content": '{"city": "Oslo"}'}),
            ("gen_ai.choice", {"gen_ai.event.content": '[{"text": "rain"}]'}),
        ]
        seen = classify(span("execute_tool get_weather", operation("execute_tool"), events=events))
        assert isinstance(seen, Call)
        assert (plain(seen.arguments), plain(seen.result)) == ({"city": "Oslo"}, "rain")


class TestSteps:
    @pytest.mark.parametrize("name", ["chat", "generate_content", "text_completion", "chat.completions"])
    def test_model_operations_are_steps(self, span: Make, plain: Read, name: str) -> None:
        attributes = {
            **operation(name),
            "gen_ai.usage.input_tokens": 80,
            "gen_ai.input.messages": HI,
            "gen_ai.output.messages": ASKS,
        }
        seen = classify(span(f"{name} stub", attributes))
        assert isinstance(seen, Step)
        assert (seen.requested, seen.input_tokens) == (("call_0",), 80)
        assert plain(seen.messages) == ["hi"]

    @pytest.mark.parametrize("instructions", ["be brief", '[{"type": "text", "content": "be brief"}]'])
    @pytest.mark.parametrize("given", [HI, json.loads(HI)])
    def test_system_instructions_are_read_in_any_form(
        self, span: Make, plain: Read, instructions: str, given: object
    ) -> None:
        attributes = operation("chat", gen_ai__input__messages=given)
        attributes["gen_ai.system_instructions"] = instructions
        seen = classify(span("chat", attributes))
        assert isinstance(seen, Step)
        assert plain(seen.messages) == ["be brief", "hi"]

    def test_system_instructions_come_before_the_messages(self, span: Make, plain: Read) -> None:
        attributes = {**operation("chat"), "gen_ai.input.messages": HI, "gen_ai.output.messages": ASKS}
        attributes["gen_ai.system_instructions"] = '[{"type": "text", "content": "be brief"}]'
        seen = classify(span("chat stub", attributes))
        assert isinstance(seen, Step)
        said = plain(seen.messages)
        assert said == [DeveloperText("be brief"), "hi"]
        assert isinstance(said[0], DeveloperText)

    @pytest.mark.parametrize(("given", "requested"), [(HI, ("call_0",)), ('[{"role":"user","parts":[]}]', None)])
    def test_step_with_truncated_content(self, span: Make, given: str, requested: tuple[str, ...] | None) -> None:
        attributes = {
            **operation("chat"),
            "gen_ai.input.messages": given,
            "gen_ai.output.messages": ASKS,
            "anthropic.content.truncated": True,
        }
        seen = classify(span("anthropic.messages.create", attributes))
        assert isinstance(seen, Step)
        assert seen.requested == requested
        assert seen.messages is not None
        assert not seen.messages.whole

    def test_step_without_content_has_unknown_requests(self, span: Make) -> None:
        seen = classify(span("chat stub", operation("chat")))
        assert isinstance(seen, Step)
        assert (seen.requested, seen.input_tokens, seen.messages) == (None, None, None)

    def test_step_in_numbered_attributes(self, span: Make, plain: Read) -> None:
        attributes = {
            "llm.request.type": "chat",
            "gen_ai.usage.prompt_tokens": 7,
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "be brief",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": "hi",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.id": "call_0",
            "gen_ai.completion.0.tool_calls.0.name": "get_weather",
            "gen_ai.completion.0.tool_calls.1.id": "call_1",
        }
        seen = classify(span("openai.chat", attributes))
        assert isinstance(seen, Step)
        assert (seen.requested, seen.input_tokens) == (("call_0", "call_1"), 7)
        assert plain(seen.messages) == ["be brief", "hi"]

    def test_numbered_calls_without_ids_are_unknown(self, span: Make) -> None:
        seen = classify(span("chat", operation("chat", gen_ai__completion__0__tool_calls__0__name="get_weather")))
        assert isinstance(seen, Step)
        assert seen.requested is None or seen.requested == ()

    @pytest.mark.parametrize(
        "events",
        [
            [
                ("gen_ai.user.message", {"content": '[{"text": "hi"}]'}),
                ("gen_ai.choice", {"message": '[{"toolUse": {"toolUseId": "call_0", "name": "t", "input": {}}}]'}),
            ],
            [
                ("gen_ai.user.message", {"content": "hi"}),
                ("gen_ai.choice", {"message": '{"tool_calls": [{"id": "call_0", "function": {"name": "t"}}]}'}),
            ],
            [
                ("gen_ai.user.message", {"gen_ai.event.content": '{"role": "user", "content": "hi"}'}),
                ("gen_ai.choice", {"gen_ai.event.content": '{"message": {"tool_calls": [{"id": "call_0"}]}}'}),
            ],
            [
                ("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "hi"}]'}),
                ("gen_ai.content.completion", {"gen_ai.completion": ASKS}),
            ],
            [
                ("gen_ai.content.prompt", {"gen_ai.prompt": "user: hi\nassistant: rain"}),
                ("gen_ai.content.completion", {"gen_ai.completion": ASKS}),
            ],
            [(DETAILS, {"gen_ai.input.messages": HI}), (DETAILS, {"gen_ai.output.messages": ASKS})],
            [(DETAILS, {"gen_ai.input.messages": HI, "gen_ai.output.messages": ASKS})],
        ],
    )
    def test_step_in_events(self, span: Make, plain: Read, events: list[tuple[str, dict[str, object]]]) -> None:
        seen = classify(span("chat", operation("chat"), events=events))
        assert isinstance(seen, Step)
        assert seen.requested == ("call_0",)
        assert plain(seen.messages) == ["hi"]

    @pytest.mark.parametrize(
        ("prompt", "words"),
        [
            ('[{"role": "user", "content": "hi"}]', ["hi"]),
            (
                "system: be brief\nuser: hi\nand good day\ntool: rain\nuser: so?",
                ["be brief", "hi\nand good day", "so?"],
            ),
            ("hi", []),
            ("user: hi, and if...", []),
        ],
    )
    def test_step_with_its_prompt_in_one_attribute(
        self, span: Make, plain: Read, prompt: str, words: list[str]
    ) -> None:
        seen = classify(span("chat", operation("chat", gen_ai__prompt=prompt)))
        assert isinstance(seen, Step)
        assert plain(seen.messages) == words

    @pytest.mark.parametrize(
        ("attributes", "events"),
        [
            ({"gen_ai.response.finish_reasons": ["tool_calls"], "gen_ai.output.messages": ANSWERS}, []),
            ({"gen_ai.response.finish_reasons": '["tool-calls"]', "gen_ai.output.messages": ANSWERS}, []),
            ({"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.finish_reason": "tool_use"}, []),
            ({}, [("gen_ai.choice", {"index": 0, "finish_reason": "tool_calls", "message": "{}"})]),
        ],
    )
    def test_tool_finish_reason_without_listed_calls_is_unknown(
        self, span: Make, attributes: dict[str, object], events: list[tuple[str, dict[str, object]]]
    ) -> None:
        seen = classify(span("chat", {**operation("chat"), **attributes}, events=events))
        assert isinstance(seen, Step)
        assert seen.requested is None

    def test_item_id_is_not_a_call_id(self, span: Make) -> None:
        output = '[{"role": "assistant", "parts": [{"type": "tool_call", "name": "get_weather", "id": "%s"}]}]'
        for name, call_id, expected in (
            ("openai.response", "fc_0", None),
            ("openai.response", "call_0", ("call_0",)),
            ("openai.chat", "fc_0", ("fc_0",)),
        ):
            attributes = {"gen_ai.operation.name": "chat", "gen_ai.output.messages": output % call_id}
            seen = classify(span(name, attributes))
            assert isinstance(seen, Step)
            assert seen.requested == expected

    def test_stop_finish_reason_requests_no_calls(self, span: Make) -> None:
        attributes = {"gen_ai.response.finish_reasons": ["stop"], "gen_ai.output.messages": ANSWERS}
        seen = classify(span("chat", {**operation("chat"), **attributes}))
        assert isinstance(seen, Step)
        assert seen.requested == ()

    def test_events_stored_in_an_attribute(self, span: Make, plain: Read) -> None:
        events = (
            '[{"event.name": "gen_ai.user.message", "role": "user", "content": "hi"},'
            ' {"event.name": "gen_ai.choice", "message":'
            ' {"role": "assistant", "tool_calls": [{"id": "call_0", "type": "function", "function": {"name": "t"}}]}}]'
        )
        seen = classify(span("chat stub", {**operation("chat"), "events": events}))
        assert isinstance(seen, Step)
        assert seen.requested == ("call_0",)
        assert plain(seen.messages) == ["hi"]

    def test_structured_attributes_are_read(self, span: Make, plain: Read) -> None:
        messages = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
        asks = [{"role": "assistant", "parts": [{"type": "tool_call", "id": "call_0"}]}]
        attributes = {**operation("chat"), "gen_ai.input.messages": messages, "gen_ai.output.messages": asks}
        seen = classify(span("chat", attributes))
        assert isinstance(seen, Step)
        assert seen.requested == ("call_0",)
        assert plain(seen.messages) == ["hi"]


class TestTurns:
    @pytest.mark.parametrize("name", ["invoke_agent", "invoke_workflow", "invoke_swarm", "invoke_graph"])
    def test_runs_are_turns(self, span: Make, plain: Read, name: str) -> None:
        attributes = {**operation(name), "gen_ai.agent.name": "helper", "gen_ai.input.messages": HI}
        seen = classify(span(f"{name} helper", attributes))
        assert isinstance(seen, TurnSpan)
        assert (seen.agent, seen.name) == ("helper", f"{name} helper")
        assert plain(seen.input) == ["hi"]

    def test_run_named_like_a_model_request_is_a_turn(self, span: Make) -> None:
        seen = classify(span("chat with support", operation("invoke_agent", gen_ai__agent__name="support")))
        assert isinstance(seen, TurnSpan)
        assert (seen.agent, seen.name) == ("support", "chat with support")

    def test_agent_is_workflow_name_or_span_name(self, span: Make) -> None:
        for name, attributes in (
            ("invoke_workflow helper", operation("invoke_workflow", gen_ai__workflow__name="helper")),
            ("invoke_agent helper", operation("invoke_agent")),
            ("invoke_agent helper", {}),
        ):
            seen = classify(span(name, attributes))
            assert isinstance(seen, TurnSpan)
            assert seen.agent == "helper"

    def test_user_texts_are_read_from_all_messages_of_a_run(self, span: Make, plain: Read) -> None:
        messages = (
            '[{"role":"user","parts":[{"type":"text","content":"hi"}]},'
            '{"role":"user","parts":[{"type":"tool_call_response","id":"a","result":"rain"}]}]'
        )
        for attributes in (operation("invoke_agent"), {}):
            seen = classify(span("helper run", {**attributes, "pydantic_ai.all_messages": messages}))
            assert isinstance(seen, TurnSpan)
            assert plain(seen.input) == ["hi"]

    def test_user_texts_are_read_from_events_of_a_strands_run(self, span: Make, plain: Read) -> None:
        events = [("gen_ai.user.message", {"content": '[{"text": "hi"}]'})]
        seen = classify(span("invoke_agent helper", operation("invoke_agent"), events=events))
        assert isinstance(seen, TurnSpan)
        assert plain(seen.input) == ["hi"]


@pytest.mark.parametrize(
    ("name", "attributes", "cycle"),
    [
        ("execute_event_loop_cycle", operation("execute_event_loop_cycle"), True),
        ("execute_event_loop_cycle", {"event_loop.cycle_id": "1"}, True),
        ("running 3 tools", {}, True),
        ("running 1 tool", {}, True),
        ("running tools", {"tools": ["a"]}, True),
        ("create_agent helper", operation("create_agent"), False),
        ("execute_task model", operation("execute_task"), False),
    ],
)
def test_parents_of_rounds_are_cycles(span: Make, name: str, attributes: Mapping[str, object], cycle: bool) -> None:
    seen = classify(span(name, attributes))
    assert isinstance(seen, Passage)
    assert seen.cycle is cycle
