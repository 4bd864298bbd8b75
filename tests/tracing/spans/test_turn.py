from __future__ import annotations

import asyncio
import gc
import inspect
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context, trace

from otel_parallelism import agent_turn, names, profiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Kit


@profiled
async def look(key: int) -> int:
    return key


@pytest.mark.parametrize(
    ("arguments", "span_name", "attributes", "name"),
    [
        ({}, "invoke_agent", {}, "invoke_agent"),
        ({"name": "clerk"}, "invoke_agent clerk", {names.AGENT_NAME: "clerk"}, "clerk"),
        ({"agent": "clerk"}, "invoke_agent clerk", {names.AGENT_NAME: "clerk"}, "invoke_agent clerk"),
        ({"name": "a refund", "agent": "clerk"}, "invoke_agent clerk", {names.AGENT_NAME: "clerk"}, "a refund"),
    ],
)
def test_span_and_names(
    kit: Kit, arguments: dict[str, Any], span_name: str, attributes: dict[str, str], name: str
) -> None:
    with agent_turn(**arguments) as turn:
        assert trace.get_current_span() is turn.span
        assert turn.report is None
    assert turn.report is not None
    assert (turn.report.turn.name, turn.report.turn.agent) == (name, attributes.get(names.AGENT_NAME, ""))
    told = {key: value for key, value in (kit.span(span_name).attributes or {}).items() if key.startswith("gen_ai")}
    assert told == {names.OPERATION_NAME: "invoke_agent", **attributes}


async def test_with_async_with(kit: Kit) -> None:
    async with agent_turn("clerk") as turn:
        await look(1)
    assert turn.report is not None
    assert turn.report.calls == 1


async def test_as_a_decorator_every_run_is_a_turn(kit: Kit) -> None:
    @agent_turn("clerk")
    async def serve(count: int) -> int:
        await asyncio.gather(*(look(key) for key in range(count)))
        return count

    assert inspect.iscoroutinefunction(serve)
    assert await asyncio.gather(serve(1), serve(2)) == [1, 2]
    assert sorted(report.calls for report in kit.reports) == [1, 2]
    assert {report.turn.agent for report in kit.reports} == {"clerk"}


def test_as_a_decorator_of_a_function_and_of_a_method(kit: Kit) -> None:
    class Agent:
        @agent_turn
        def run(self, x: int) -> int:
            return x

    @agent_turn(agent="clerk")
    def serve(x: int) -> int:
        return x

    assert Agent().run(3) == 3
    assert serve(4) == 4
    assert [report.turn.agent for report in kit.reports] == ["run", "clerk"]


@pytest.mark.parametrize(("arguments", "says"), [({"name": 3}, "name must be a string"), ({"agent": 3}, "agent= must")])
def test_wrong_arguments_are_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        agent_turn(**arguments)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="agent_turn decorates functions, not int"):
        agent_turn("x")(3)  # type: ignore[type-var] # the point


def test_a_turn_is_entered_once(kit: Kit) -> None:
    turn = agent_turn()
    with turn:
        pass
    with pytest.raises(RuntimeError, match="entered once"), turn:
        pass


def test_a_span_that_the_program_ended_itself(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        turn.span.end()
    assert turn.report is not None
    assert not kit.result("invoke_agent clerk")
    kit.forgive()


async def test_left_in_another_task_than_it_was_entered_in(kit: Kit) -> None:
    turn = agent_turn("clerk")

    async def enter() -> None:
        turn.__enter__()
        await look(1)

    async def leave() -> None:
        turn.__exit__(None, None, None)

    await asyncio.create_task(enter())
    await asyncio.create_task(leave())
    assert turn.report is not None
    assert turn.report.calls == 1


def test_left_in_another_context_of_the_same_thread(kit: Kit) -> None:
    turn = agent_turn("clerk")
    # What FastAPI does with a dependency that yields: both run in a thread pool, each in a copy of the context.
    copy_context().run(turn.__enter__)
    copy_context().run(turn.__exit__, None, None, None)
    assert turn.report is not None
    assert kit.result("invoke_agent clerk")["verdict"] == "single"


def test_a_turn_that_is_never_left_ends_when_it_is_dropped(kit: Kit) -> None:
    before = context.get_current()
    turn = agent_turn("dropped")
    turn.__enter__()
    assert context.get_current() != before
    del turn
    gc.collect()
    assert context.get_current() == before
    assert kit.span("invoke_agent dropped").end_time
    assert not kit.reports


def test_turns_that_are_left_in_the_order_in_which_they_were_entered(kit: Kit) -> None:
    def session(name: str) -> Iterator[None]:
        with agent_turn(name):
            yield
            yield

    before = context.get_current()
    first, second, third = (session(name) for name in ("first", "second", "third"))
    for one in (first, second, third, first, third, second):
        next(one)
    for one in (first, second, third):
        one.close()  # type: ignore[attr-defined] # a generator
    assert context.get_current() == before
    with agent_turn("later") as turn:
        asyncio.run(look(1))
    assert kit.span("invoke_agent later").parent is None
    assert turn.report is not None
    assert turn.report.calls == 1


def test_turns_at_different_depths_of_foreign_spans(kit: Kit) -> None:
    tracer = kit.tracer()
    with tracer.start_as_current_span("request"):
        with agent_turn("first"), tracer.start_as_current_span("socket"):
            pass
        with tracer.start_as_current_span("glue"), agent_turn("second"):
            pass
    request = kit.span("request").context
    assert kit.span("invoke_agent first").parent == request
    assert {span.context.trace_id for span in kit.spans} == {request.trace_id}
    assert [report.turn.name for report in kit.reports] == ["first", "second"]
