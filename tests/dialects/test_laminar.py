from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, Passage, SpanRecord, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]


def test_tool_is_a_call(span: Make, plain: Read) -> None:
    attributes = {"lmnr.span.type": "TOOL", "lmnr.span.input": '{"city":"Oslo"}', "lmnr.span.output": '"rain"'}
    seen = classify(span("get_weather", attributes))
    assert isinstance(seen, Call)
    assert seen.tool == "get_weather"
    assert plain(seen.arguments) == {"city": "Oslo"}
    assert plain(seen.result) == "rain"


def test_model_request_is_a_step(span: Make, plain: Read) -> None:
    attributes = {
        "lmnr.span.type": "LLM",
        "gen_ai.usage.input_tokens": 40,
        "gen_ai.input.messages": '[{"role":"user","content":"hi"}]',
        "gen_ai.output.messages": (
            '[{"finish_reason":"tool_calls","message":{"tool_calls":[{"id":"call_0","function":{"name":"t"}}]}}]'
        ),
    }
    seen = classify(span("openai.chat", attributes))
    assert isinstance(seen, Step)
    assert (seen.requested, seen.input_tokens) == (("call_0",), 40)
    assert plain(seen.messages) == ["hi"]


def test_other_spans_are_passages(span: Make) -> None:
    assert isinstance(classify(span("helper", {"lmnr.span.type": "DEFAULT"})), Passage)
