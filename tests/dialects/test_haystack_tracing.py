from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, Passage, SpanRecord, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]

REPLIES = (
    '{"replies": [{"role": "assistant", "meta": {"usage": {"prompt_tokens": 40}}, "content":'
    ' [{"tool_call": {"tool_name": "get_weather", "arguments": {"arg": "x"}, "id": "call_0"}}]}]}'
)


def test_run_is_a_turn(span: Make, plain: Read) -> None:
    given = '{"messages": [{"role": "user", "meta": {}, "content": [{"text": "hi"}]}], "streaming_callback": null}'
    seen = classify(span("haystack.agent.run", {"haystack.agent.input": given}))
    assert isinstance(seen, TurnSpan)
    assert plain(seen.input) == ["hi"]


def test_agent_step_is_a_cycle(span: Make) -> None:
    seen = classify(span("haystack.agent.step", {"haystack.agent.step": 0}))
    assert isinstance(seen, Passage)
    assert seen.cycle


def test_tool_is_a_call(span: Make, plain: Read) -> None:
    attributes = {
        "haystack.tool.name": "get_weather",
        "haystack.agent.step.tool.input": '{"arg": "x"}',
        "haystack.agent.step.tool.output": "rain",
    }
    seen = classify(span("haystack.agent.step.tool", attributes))
    assert isinstance(seen, Call)
    assert seen.tool == "get_weather"
    assert plain(seen.arguments) == {"arg": "x"}
    assert plain(seen.result) == "rain"


def test_model_request_is_a_step(span: Make) -> None:
    prefix = "haystack.agent.step.llm."
    seen = classify(span("haystack.agent.step.llm", {prefix + "input": "{}", prefix + "output": REPLIES}))
    assert isinstance(seen, Step)
    assert (seen.requested, seen.input_tokens) == (("call_0",), 40)


def test_span_names_suffice_without_content(span: Make) -> None:
    assert isinstance(classify(span("haystack.agent.step.tool")), Call)
    step = classify(span("haystack.agent.step.llm"))
    assert isinstance(step, Step)
    assert step.requested is None


def test_replies_as_python_repr_are_unknown(span: Make) -> None:
    output = "{'replies': [ChatMessage(_role=<ChatRole.ASSISTANT: 'assistant'>, _content=[ToolCall(id='call_0')])]}"
    seen = classify(span("haystack.agent.step.llm", {"haystack.agent.step.llm.output": output}))
    assert isinstance(seen, Step)
    assert seen.requested is None


def test_components_of_older_agents_are_classified(span: Make) -> None:
    component = "haystack.component.type"
    generator = classify(
        span("haystack.component.run", {component: "OpenAIChatGenerator", "haystack.component.output": REPLIES})
    )
    assert isinstance(generator, Step)
    assert generator.requested == ("call_0",)
    invoker = classify(span("haystack.component.run", {component: "ToolInvoker"}))
    assert isinstance(invoker, Passage)
    assert invoker.cycle
    agent = classify(span("haystack.component.run", {component: "Agent"}))
    assert isinstance(agent, Passage)
    assert not agent.cycle
