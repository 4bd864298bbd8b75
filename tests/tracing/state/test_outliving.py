"""Turns that end after the turn around them, as where an async generator is closed late, or begin after its end."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.context import Context, attach

from otel_parallelism import agent_turn, coverage, names, profiled

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from otel_parallelism import AgentTurn
    from tests.conftest import Kit


@profiled(effect="read")
async def look(key: int) -> int:
    await asyncio.sleep(0.06)
    return key


@profiled
def note(key: int) -> int:
    return key


async def test_turn_that_outlives_its_wrapper_keeps_its_calls(kit: Kit) -> None:
    @agent_turn("inner")
    async def serve() -> AsyncGenerator[int, None]:
        for key in range(3):
            await look(key)
        yield 3

    served = serve()
    with agent_turn("outer"):
        assert await anext(served) == 3
    assert kit.reports == []
    await served.aclose()
    (report,) = kit.reports
    assert (report.turn.name, report.calls, report.verdict) == ("inner", 3, "possibly_sequential")
    assert kit.result("invoke_agent outer")["calls"] == 3


async def test_foreign_turn_that_outlives_its_wrapper_keeps_its_calls(kit: Kit) -> None:
    tracer = kit.tracer()
    marked = {names.OPERATION_NAME: names.INVOKE_AGENT}
    with tracer.start_as_current_span("invoke_agent outer", attributes=marked):
        inner = tracer.start_span("invoke_agent inner", attributes=marked)
        with trace.use_span(inner):
            await asyncio.gather(*(look(key) for key in range(2)))
    inner.end()
    (report,) = kit.reports
    assert (report.turn.name, report.calls, report.verdict) == ("invoke_agent inner", 2, "parallel")


@pytest.mark.parametrize("inside_a_call", [False, True])
async def test_turns_of_a_task_that_outlives_its_turn_stand_alone(kit: Kit, inside_a_call: bool) -> None:
    go_on = asyncio.Event()

    async def worker() -> list[AgentTurn]:
        await go_on.wait()
        turns = []
        for _ in range(2):
            with agent_turn("worker") as turn:
                for key in range(3):
                    await look(key)
            turns.append(turn)
        return turns

    @profiled
    async def start() -> asyncio.Task[list[AgentTurn]]:
        return asyncio.create_task(worker())

    with agent_turn("request"):
        task = await start() if inside_a_call else asyncio.create_task(worker())
        await look(0)
    go_on.set()
    for turn in await task:
        assert turn.report is not None
        assert turn.report.calls == 3
        assert turn.report.verdict == "sequential"
    # The trace still shows which request started them.
    assert len({span.context.trace_id for span in kit.spans}) == 1


async def test_turn_that_outlives_the_one_around_it_keeps_all_its_calls(kit: Kit) -> None:
    async def work() -> None:
        with agent_turn("worker"):
            for key in range(20):
                await look(key)
            # A call that has lost its context belongs to the only open turn.
            copy_context().run(note_alone, 20)

    with agent_turn("request"):
        task = asyncio.create_task(work())
        await look(0)
        await look(1)
    await task
    reports = {report.turn.name: report for report in kit.reports}
    assert (reports["worker"].calls, reports["worker"].ratio) == (21, pytest.approx(1.0, abs=1e-4))
    assert (coverage().calls, coverage().calls_without_turn) == (23, 0)


def note_alone(key: int) -> None:
    attach(Context())
    note(key)


def test_turns_after_generators_that_took_turns_stand_alone(kit: Kit) -> None:
    def stream() -> Iterator[int]:
        with agent_turn("stream"):
            yield 1
            yield 2

    def program() -> AgentTurn:
        one, other = stream(), stream()
        for each in (one, other, one, other):
            next(each)
        one.close()
        other.close()
        with agent_turn("later") as turn:
            note(1)
            note(2)
        return turn

    # The generators leave the context of the first one's turn behind.
    turn = copy_context().run(program)
    assert turn.report is not None
    assert turn.report.calls == 2
