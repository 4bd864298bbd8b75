from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from otel_parallelism import agent_turn, profiled
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

    from tests.conftest import Kit


@profiled
async def stream(count: int) -> AsyncIterator[int]:
    for item in range(count):
        await asyncio.sleep(0.01)
        yield item


@profiled
async def inner() -> None: ...


async def test_the_consumer_keeps_its_own_current_span(kit: Kit) -> None:
    seen = []

    @profiled
    async def tell() -> AsyncIterator[str]:
        seen.append(trace.get_current_span().get_span_context().span_id)
        yield "one"
        seen.append(trace.get_current_span().get_span_context().span_id)
        yield "two"

    with agent_turn() as turn:
        outside = trace.get_current_span()
        async for _ in tell():
            assert trace.get_current_span() is outside
            await inner()
    (call,) = [span for span in kit.calls() if span.name == "execute_tool tell"]
    assert seen == [call.context.span_id] * 2
    assert turn.report is not None
    assert {recorded.scope for recorded in turn.report.turn.calls} == {""}


async def test_calls_made_in_the_body_are_inside(kit: Kit) -> None:
    @profiled
    async def tell() -> AsyncIterator[int]:
        await inner()
        yield 1
        await inner()

    with agent_turn() as turn:
        assert [item async for item in tell()] == [1]
    assert turn.report is not None
    assert turn.report.calls == 1
    assert sorted(call.scope != "" for call in turn.report.turn.calls) == [False, True, True]


async def test_closed_early(kit: Kit) -> None:
    with agent_turn() as turn:
        items = stream(100)
        async for item in items:
            if item == 2:
                break
        await items.aclose()  # type: ignore[attr-defined] # an async generator
    assert turn.report is not None
    (call,) = turn.report.turn.calls
    assert not call.error
    assert call.duration_ns / 1e9 == exactly(0.03)


async def test_closed_from_another_task(kit: Kit) -> None:
    items: AsyncGenerator[int] = stream(100)  # type: ignore[assignment] # an async generator

    async def take() -> None:
        await anext(items)

    with agent_turn() as turn:
        await asyncio.create_task(take())
        await asyncio.create_task(take())
        await asyncio.create_task(items.aclose())
    assert turn.report is not None
    assert turn.report.calls == 1


@pytest.mark.slow
async def test_abandoned(kit: Kit) -> None:
    with agent_turn() as turn:
        async for _ in stream(100):
            break
        gc.collect(1)
        await asyncio.sleep(0.05)
    assert turn.report is not None
    assert turn.report.calls == 1
    assert len(kit.calls()) == 1


async def test_never_begun_is_no_call(kit: Kit) -> None:
    with agent_turn() as turn:
        await stream(3).aclose()  # type: ignore[attr-defined] # an async generator
    assert turn.report is not None
    assert turn.report.calls == 0


def test_values_go_in_and_come_out_as_ever(kit: Kit) -> None:
    @profiled
    def echo() -> Generator[object, object, str]:
        heard: object = None
        while heard != "stop":
            try:
                heard = yield heard
            except KeyError as error:
                heard = error
        return "done"

    with agent_turn() as turn:
        conversation = echo()
        assert next(conversation) is None
        assert conversation.send("hello") == "hello"
        error = KeyError("mine")
        assert conversation.throw(error) is error
        with pytest.raises(StopIteration) as stopped:
            conversation.send("stop")
    assert stopped.value.value == "done"
    assert turn.report is not None
    assert turn.report.calls == 1


async def test_thrown_into_an_async_generator(kit: Kit) -> None:
    @profiled
    async def listen() -> AsyncGenerator[str, str]:
        try:
            while True:
                heard = yield "?"
                assert heard == "hello"
        except LookupError:
            yield "caught"

    with agent_turn():
        conversation = listen()
        assert await anext(conversation) == "?"
        assert await conversation.asend("hello") == "?"
        assert await conversation.athrow(LookupError()) == "caught"
        with pytest.raises(StopAsyncIteration):
            await anext(conversation)


class Held:
    pass


@pytest.mark.parametrize("ending", ["exhausted", "closed", "thrown into", "thrown into while it waits"])
async def test_what_an_async_generator_held_is_freed_at_its_end(kit: Kit, ending: str) -> None:
    @profiled
    async def tell(_: Held) -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        yield 2

    held = Held()
    watched = weakref.ref(held)
    told: Any = tell(held)
    gc.disable()
    try:
        with agent_turn():
            assert await anext(told) == 1
            if ending == "exhausted":
                assert [item async for item in told] == [2]
            elif ending == "closed":
                await told.aclose()
            elif ending == "thrown into":
                with pytest.raises(KeyError):
                    await told.athrow(KeyError("stop"))
            else:
                step = told.asend(None)
                step.send(None)
                with pytest.raises(KeyError):
                    step.throw(KeyError("stop"))
                del step
        del held, told
        assert watched() is None
    finally:
        gc.enable()


def test_an_error_in_the_body(kit: Kit) -> None:
    @profiled
    def fails() -> Iterator[int]:
        yield 1
        raise OSError("disk 9")

    with agent_turn() as turn:
        items = fails()
        assert next(items) == 1
        with pytest.raises(OSError, match="disk 9"):
            next(items)
    assert turn.report is not None
    assert turn.report.turn.calls[0].error


def test_closing_a_generator_that_will_not_stop(kit: Kit) -> None:
    @profiled
    def stubborn() -> Iterator[int]:
        while True:
            try:
                yield 1
            except GeneratorExit:
                yield 2

    with agent_turn():
        items = stubborn()
        next(items)
        with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
            items.close()  # type: ignore[attr-defined] # a generator
        assert not kit.span("execute_tool stubborn").status.is_ok


def test_a_closed_turn_that_yields_once_more_has_ended(kit: Kit) -> None:
    @agent_turn
    def answer() -> Iterator[str]:
        try:
            yield "Hello"
        finally:
            yield "and good bye"

    items = answer()
    next(items)
    with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
        items.close()  # type: ignore[attr-defined] # as above
    assert [report.turn.name for report in kit.reports] == ["answer"]
    with pytest.raises(GeneratorExit):
        next(items)
    assert len(kit.reports) == 1


async def test_a_span_of_the_body_is_still_current_after_a_yield(kit: Kit) -> None:
    tracer = kit.tracer()

    @profiled
    async def tell() -> AsyncIterator[int]:
        with tracer.start_as_current_span("mine") as mine:
            yield 1
            assert trace.get_current_span() is mine

    with agent_turn():
        async for _ in tell():
            pass
    assert kit.span("mine").parent is not None
    assert kit.span("mine").parent.span_id == kit.span("execute_tool tell").context.span_id  # type: ignore[union-attr]


async def test_turns_may_be_generators_too(kit: Kit) -> None:
    @agent_turn("teller")
    async def tell() -> AsyncIterator[int]:
        await inner()
        yield 1
        await inner()
        yield 2

    @agent_turn
    def count() -> Iterator[int]:
        yield 1

    outside = trace.get_current_span()
    async for _ in tell():
        assert trace.get_current_span() is outside
    assert list(count()) == [1]
    assert kit.result("invoke_agent teller")["calls"] == 2
    assert kit.result("invoke_agent count")["calls"] == 0
