from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, Passage, SpanRecord, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]


def test_tool_is_a_call(span: Make, plain: Read) -> None:
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.id": "call_0",
        "langsmith.span.kind": "tool",
        "gen_ai.prompt": '{"city":"Oslo"}',
        "gen_ai.completion": '{"output":{"content":"rain","type":"tool","tool_call_id":"call_0","status":"success"}}',
    }
    seen = classify(span("get_weather", attributes))
    assert isinstance(seen, Call)
    assert (seen.tool, seen.call_id) == ("get_weather", "call_0")
    assert plain(seen.arguments) == {"city": "Oslo"}
    assert plain(seen.result) == "rain"


def test_model_request_is_a_step(span: Make, plain: Read) -> None:
    attributes = {
        "gen_ai.operation.name": "chat",
        "langsmith.span.kind": "llm",
        "gen_ai.usage.input_tokens": 40,
        "gen_ai.prompt": '{"messages":[[{"lc":1,"id":["langchain","HumanMessage"],"kwargs":{"content":"hi"}}]]}',
        "gen_ai.completion": (
            '{"generations":[[{"message":{"lc":1,"kwargs":{"content":"",'
            '"tool_calls":[{"name":"t","args":{},"id":"call_0","type":"tool_call"}]}}}]]}'
        ),
    }
    seen = classify(span("ChatOpenAI", attributes))
    assert isinstance(seen, Step)
    assert (seen.requested, seen.input_tokens) == (("call_0",), 40)
    assert plain(seen.messages) == ["hi"]


def test_chain_named_after_its_agent_is_a_turn(span: Make, plain: Read) -> None:
    attributes = {
        "gen_ai.operation.name": "chain",
        "langsmith.span.kind": "chain",
        "langsmith.metadata.lc_agent_name": "helper",
        "gen_ai.prompt": '{"messages":[{"role":"user","content":"hi"}]}',
    }
    seen = classify(span("helper", attributes))
    assert isinstance(seen, TurnSpan)
    assert seen.agent == "helper"
    assert plain(seen.input) == ["hi"]
    assert isinstance(classify(span("model", attributes)), Passage)


@pytest.mark.parametrize(
    ("name", "path", "cycle"),
    [
        ("tools", '["__pregel_pull","tools"]', True),
        ("tools", '["__pregel_push",0,false]', False),
        ("helper", "", False),
    ],
)
def test_other_chains_are_passages_or_cycles(span: Make, name: str, path: str, cycle: bool) -> None:
    attributes = {
        "gen_ai.operation.name": "chain",
        "langsmith.span.kind": "chain",
        "langsmith.metadata.langgraph_node": "tools",
        "langsmith.metadata.langgraph_path": path,
    }
    seen = classify(span(name, attributes))
    assert isinstance(seen, Passage)
    assert seen.cycle is cycle


@pytest.mark.parametrize(("kind", "operation"), [("prompt", "chat"), ("retriever", "embeddings"), ("parser", "parser")])
def test_prompt_template_is_no_model_request(span: Make, kind: str, operation: str) -> None:
    attributes = {"gen_ai.operation.name": operation, "langsmith.span.kind": kind}
    assert isinstance(classify(span("ChatPromptTemplate", attributes)), Passage)
