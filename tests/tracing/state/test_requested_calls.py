from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings, agent_turn, profiled
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.spans.tool_call import ToolCall, framework_tool
from otel_parallelism.tracing.state.requested_calls import RequestedCall

if TYPE_CHECKING:
    from conftest import Kit


@profiled
def look_up(key: Any = None, *, limit: int = 1, session: object = None) -> str:
    return f"{key}{limit}"


@profiled
def other() -> None:
    pass


@pytest.fixture
def kit(make_kit: Any) -> Kit:
    """However short a turn is, it is looked into."""
    made: Kit = make_kit(Settings(min_avoidable=0))
    return made


def answer(*asked: RequestedCall) -> ModelRequest:
    """A request that was answered by asking for that."""
    request = ModelRequest("stub")
    request.enter()
    request.answered(tuple(each.call_id for each in asked), None, asked)
    request.end()
    return request


def ids(kit: Kit) -> list[str]:
    return [call.call_id for call in kit.reports[-1].turn.calls]


def test_calls_get_requested_ids_in_any_order(kit: Kit) -> None:
    with agent_turn():
        answer(
            RequestedCall("a", "look_up", '{"key": "x"}'),
            RequestedCall("b", "look_up", '{"key": "y"}'),
            RequestedCall("c", "other", "{}"),
        )
        look_up(key="y")
        other()
        look_up("x", session=object())
        look_up("x")
    assert ids(kit) == ["b", "c", "a", ""]
    assert [call.proved for call in kit.reports[-1].turn.calls] == [True, True, True, False]


@pytest.mark.parametrize(
    ("arguments", "args", "kwargs"),
    [
        ('{"key": "x"}', (), {"key": "y"}),
        ('{"key": "x"}', ("y",), {}),
        ('{"key": 1}', (True,), {}),
        ('{"key": "x"}', (object(),), {}),
        ('{"key": "x"', ("x",), {}),
        ('["x"]', ("x",), {}),
        (None, ("x",), {}),
        ('{"key": {"deep": 1}}', (), {"key": {"deep": 2}}),
    ],
)
def test_other_or_unknown_arguments_do_not_match(kit: Kit, arguments: Any, args: Any, kwargs: Any) -> None:
    with agent_turn():
        answer(RequestedCall("a", "look_up", arguments))
        look_up(*args, **kwargs)
    assert ids(kit) == [""]


def test_ids_of_earlier_answers_are_not_assigned(kit: Kit) -> None:
    with agent_turn():
        answer(RequestedCall("a", "other", "{}"))
        answer(RequestedCall("b", "look_up", '{"key": 1.0}'))
        other()
        look_up(1)
    assert ids(kit) == ["", "b"]


def test_requested_calls_belong_to_one_turn(kit: Kit) -> None:
    @profiled
    def delegate() -> None:
        answer(RequestedCall("inner", "other", "{}"))
        other()

    with agent_turn():
        answer(RequestedCall("a", "other", "{}"))
        with agent_turn("inner"):
            other()
        assert ids(kit) == [""]
        delegate()
        other()
    assert [(call.tool, call.call_id) for call in kit.reports[-1].turn.calls if not call.sub_agent] == [
        ("delegate", ""),
        ("other", ""),
        ("other", "a"),
    ]


def test_calls_get_requested_ids_in_foreign_turn(kit: Kit) -> None:
    with kit.tracer().start_as_current_span("run", attributes={"gen_ai.operation.name": "invoke_agent"}):
        answer(RequestedCall("a", "other", "{}"))
        with kit.tracer().start_as_current_span("node"):
            other()
    assert ids(kit) == ["a"]


def test_framework_call_without_arguments_matches_by_name(kit: Kit) -> None:
    with agent_turn():
        answer(RequestedCall("a", "look_up", '{"key": "x"}'), RequestedCall("b", "other", "{}"))
        for tool in ("other", "look_up", "look_up"):
            call = ToolCall(framework_tool(tool))
            call.enter()
            call.end()
    assert ids(kit) == ["b", "a", ""]
