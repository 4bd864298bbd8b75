from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, Passage, SpanRecord, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]


def kind(name: str, /, **more: object) -> dict[str, object]:
    return {"traceloop.span.kind": name, **{f"traceloop.entity.{key}": value for key, value in more.items()}}


def test_decorated_tool_is_a_call(span: Make, plain: Read) -> None:
    given, returned = '{"args": [], "kwargs": {"arg": "x"}}', '"rain"'
    seen = classify(span("get_weather.tool", kind("tool", name="get_weather", input=given, output=returned)))
    assert isinstance(seen, Call)
    assert seen.tool == "get_weather"
    assert plain(seen.arguments) == {"arg": "x"}
    assert plain(seen.result) == "rain"


def test_tool_name_without_an_entity(span: Make) -> None:
    seen = classify(span("get_weather.tool", kind("tool")))
    assert isinstance(seen, Call)
    assert seen.tool == "get_weather"


def test_langchain_envelope_is_removed(span: Make, plain: Read) -> None:
    given = '{"input_str": "{}", "tags": [], "inputs": {"arg": "x"}, "kwargs": {"tool_call_id": "call_0"}}'
    returned = (
        '{"output": {"lc": 1, "kwargs": {"content": "rain", "tool_call_id": "call_0", "status": "error"}},'
        ' "kwargs": {"tags": []}}'
    )
    seen = classify(span("execute_tool get_weather", kind("tool", name="get_weather", input=given, output=returned)))
    assert isinstance(seen, Call)
    assert (seen.call_id, seen.error) == ("call_0", True)
    assert plain(seen.arguments) == {"arg": "x"}
    assert plain(seen.result) == "rain"


def test_llama_index_task_with_tool_name_is_a_call(span: Make, plain: Read) -> None:
    output = '{"tool_name": "get_weather", "tool_kwargs": {}, "tool_id": "call_0", "tool_output": {"content": "rain"}}'
    attributes = {**kind("task", output=output), "tool.name": "get_weather", "tool.arguments": '{"city": "Oslo"}'}
    seen = classify(span("BaseWorkflowAgent.task", attributes))
    assert isinstance(seen, Call)
    assert (seen.tool, seen.call_id) == ("get_weather", "call_0")
    assert plain(seen.arguments) == {"city": "Oslo"}
    assert plain(seen.result) == {"content": "rain"}


@pytest.mark.parametrize("name", ["workflow", "agent"])
def test_workflows_and_agents_are_turns(span: Make, plain: Read, name: str) -> None:
    given = '{"inputs": {"messages": [["user", "hi"]]}, "tags": [], "metadata": {"run": "01a202ed"}, "kwargs": {}}'
    seen = classify(span(f"helper.{name}", kind(name, name=f"helper.{name}", input=given)))
    assert isinstance(seen, TurnSpan)
    assert seen.agent == "helper"
    assert plain(seen.input) == ["hi"]


@pytest.mark.parametrize(
    ("name", "attributes", "cycle"),
    [
        ("llm.task", kind("task", name="llm"), False),
        ("execute_task tools", kind("task", name="tools"), True),
        ("tools.task", kind("task"), True),
        (
            "execute_task tools",
            {
                **kind("task", name="tools"),
                "traceloop.association.properties.langgraph_path": ["__pregel_push", "0", "False"],
            },
            False,
        ),
        (
            "execute_task tool_node",
            {**kind("task", name="tool_node"), "traceloop.association.properties.langgraph_node": "tool_node"},
            True,
        ),
        (
            "execute_task tools_condition",
            {**kind("task", name="tools_condition"), "traceloop.association.properties.langgraph_node": "llm"},
            False,
        ),
        ("mcp.client", kind("session"), False),
        ("mcp.server", kind("server"), False),
    ],
)
def test_other_spans_are_passages_or_cycles(
    span: Make, name: str, attributes: Mapping[str, object], cycle: bool
) -> None:
    seen = classify(span(name, attributes))
    assert isinstance(seen, Passage)
    assert seen.cycle is cycle
