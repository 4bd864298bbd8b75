from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, Passage, SpanRecord, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]

METADATA = "langfuse.observation.metadata."


def observation(kind: str, **more: object) -> dict[str, object]:
    return {"langfuse.observation.type": kind, **{f"langfuse.observation.{key}": value for key, value in more.items()}}


def test_tool_is_a_call(span: Make, plain: Read) -> None:
    given = '{"args": [], "kwargs": {"arg": "x"}}'
    seen = classify(span("get_weather", observation("tool", input=given, output="rain", level="ERROR")))
    assert isinstance(seen, Call)
    assert (seen.tool, seen.error) == ("get_weather", True)
    assert plain(seen.arguments) == {"arg": "x"}
    assert plain(seen.result) == "rain"


@pytest.mark.parametrize(
    ("level", "status", "failed", "whole"),
    [
        ("DEFAULT", "", False, True),
        ("DEFAULT", "Completed.", False, True),
        ("DEFAULT", "read timed out", False, False),
        ("WARNING", "", False, False),
        ("error", "", True, True),
    ],
)
def test_level_and_status_message_tell_what_became_of_a_call(
    span: Make, level: str, status: str, *, failed: bool, whole: bool
) -> None:
    seen = classify(span("get_weather", observation("tool", output="rain", level=level, status_message=status)))
    assert isinstance(seen, Call)
    assert seen.result is not None
    assert (seen.error, seen.result.whole) == (failed, whole)


def test_call_id_of_langchain_tool_is_in_metadata(span: Make, plain: Read) -> None:
    output = '{"content": "rain", "type": "tool", "tool_call_id": "call_0", "status": "success"}'
    attributes = {**observation("TOOL", output=output), METADATA + "tool_call_id": '"call_0"'}
    seen = classify(span("get_weather", attributes))
    assert isinstance(seen, Call)
    assert (seen.call_id, seen.error) == ("call_0", False)
    assert plain(seen.result) == "rain"


@pytest.mark.parametrize(
    ("output", "requested"),
    [
        ('{"role": "assistant", "tool_calls": [{"name": "t", "args": {}, "id": "a", "type": "tool_call"}]}', ("a",)),
        ('{"role": "assistant", "content": "done"}', ()),
        ('["get_weather", "get_stock"]', None),
        (None, None),
    ],
)
def test_generation_is_a_step(span: Make, plain: Read, output: str | None, requested: tuple[str, ...] | None) -> None:
    attributes = observation("generation", input='[{"role": "user", "content": "hi"}]', usage_details='{"input": 40}')
    if output is not None:
        attributes["langfuse.observation.output"] = output
    seen = classify(span("llm", attributes))
    assert isinstance(seen, Step)
    assert (seen.requested, seen.input_tokens) == (requested, 40)
    assert plain(seen.messages) == ["hi"]


def test_agent_is_a_turn(span: Make, plain: Read) -> None:
    seen = classify(span("helper", observation("agent", input='{"args": ["hi"], "kwargs": {}}')))
    assert isinstance(seen, TurnSpan)
    assert seen.agent == "helper"
    assert plain(seen.input) == ["hi"]


def test_chain_named_after_its_agent_is_a_turn(span: Make) -> None:
    for name, expected in (("helper", TurnSpan), ("model", Passage)):
        seen = classify(span(name, {**observation("chain"), METADATA + "lc_agent_name": '"helper"'}))
        assert isinstance(seen, expected)


def test_model_node_named_agent_is_no_turn(span: Make) -> None:
    seen = classify(span("agent", {**observation("agent"), METADATA + "langgraph_node": '"agent"'}))
    assert isinstance(seen, Passage)


@pytest.mark.parametrize(
    ("name", "path", "cycle"),
    [
        ("tools", '["__pregel_pull","tools"]', True),
        ("tools", '["__pregel_push",0,false]', False),
        ("model", '["__pregel_pull","model"]', False),
    ],
)
@pytest.mark.parametrize("kind", ["chain", "span"])
def test_other_spans_are_passages_or_cycles(span: Make, name: str, path: str, cycle: bool, kind: str) -> None:
    attributes = {
        **observation(kind),
        METADATA + "langgraph_node": f'"{name}"',
        METADATA + "langgraph_path": path,
    }
    seen = classify(span(name, attributes))
    assert isinstance(seen, Passage)
    assert seen.cycle is cycle
