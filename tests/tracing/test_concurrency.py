from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context, attach

from otel_parallelism import AgentTurn, agent_turn, clock, coverage, live_turns, profiled
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.registry import REGISTRY
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from tests.conftest import Kit

STEP_S = 0.06


@profiled(effect="read")
async def fetch(key: object) -> object:
    await asyncio.sleep(STEP_S)
    return key


@profiled(effect="read")
def load(key: object) -> object:
    time.sleep(STEP_S)
    return key


async def test_sequential_calls_are_a_chain_located_at_the_await(kit: Kit) -> None:
    with agent_turn("serial", input="fig, nut, oat and rye") as turn:
        for key in ("fig", "nut", "oat", "rye"):
            await fetch(key)
    assert turn.report is not None
    assert turn.report.verdict == "sequential"
    assert turn.report.ratio == pytest.approx(1.0, abs=1e-6)
    assert turn.report.avoidable == exactly(3 * STEP_S)
    (finding,) = turn.report.findings
    assert (finding.cause, finding.advice, finding.calls) == ("code", "recommended", ("fetch",) * 4)
    assert finding.location is not None
    assert finding.location.file_path == __file__
    written = kit.result("invoke_agent serial")
    assert written["ratio"] == turn.report.ratio
    assert written["cause"] == "code"
    assert kit.reports == [turn.report]


@pytest.mark.parametrize("how", ["gather", "task group", "threads"])
async def test_concurrent_calls_are_parallel(kit: Kit, how: str) -> None:
    with agent_turn("parallel") as turn:
        if how == "gather":
            await asyncio.gather(*(fetch(key) for key in range(4)))
        elif how == "task group":
            async with asyncio.TaskGroup() as group:
                for key in range(4):
                    group.create_task(fetch(key))
        else:
            await asyncio.gather(*(asyncio.to_thread(load, key) for key in range(4)))
    assert turn.report is not None
    assert turn.report.verdict == "parallel"
    assert turn.report.calls == 4
    assert turn.report.peak_concurrency == 4
    assert turn.report.makespan == exactly(STEP_S)
    assert all(call.scope == "" for call in turn.report.turn.calls)
    assert {span.context.trace_id for span in kit.spans} == {kit.span("invoke_agent parallel").context.trace_id}


async def test_call_has_the_id_of_its_task(kit: Kit) -> None:
    with agent_turn() as turn:
        tasks = [asyncio.create_task(fetch(key)) for key in range(2)]
        await asyncio.gather(*tasks)
        await fetch(2)
    assert turn.report is not None
    assert [call.task for call in turn.report.turn.calls] == [*map(id, tasks), id(asyncio.current_task())]


async def test_coroutines_created_together_and_awaited_in_sequence(kit: Kit) -> None:
    with agent_turn() as turn:
        waiting = [fetch(key) for key in range(3)]
        for coroutine in waiting:
            await coroutine
    assert turn.report is not None
    calls = turn.report.turn.calls
    assert turn.report.ratio == pytest.approx(1.0, abs=1e-6)
    assert max(call.called_ns for call in calls) < calls[0].end_ns
    assert len({call.task for call in calls}) == 1
    assert calls[2].queue_ns / 1e9 == exactly(2 * STEP_S)
    queued = [span.attributes["agent.parallelism.queue_time"] for span in kit.calls()[1:] if span.attributes]
    assert queued == [exactly(STEP_S), exactly(2 * STEP_S)]


async def test_call_without_context_joins_only_open_turn(kit: Kit) -> None:
    loop = asyncio.get_running_loop()
    with agent_turn("lonely") as turn:
        await asyncio.gather(*(loop.run_in_executor(None, load, key) for key in range(3)))
    assert turn.report is not None
    assert turn.report.calls == 3
    assert turn.report.verdict == "parallel"
    assert {call.parent_id for call in turn.report.turn.calls} == {turn.report.turn.span_id}
    assert coverage().calls_without_turn == 0


async def test_call_without_context_joins_neither_of_two_open_turns(kit: Kit) -> None:
    loop = asyncio.get_running_loop()
    both = asyncio.Barrier(2)

    async def run() -> int:
        with agent_turn() as turn:
            await both.wait()
            await loop.run_in_executor(None, load, 1)
            await both.wait()
        assert turn.report is not None
        return turn.report.calls

    assert await asyncio.gather(run(), run()) == [0, 0]
    assert coverage() == coverage().__class__(calls=2, calls_without_turn=2, spans=4, anomalies=0)


async def test_call_without_context_joins_wrapped_turn(kit: Kit) -> None:
    loop = asyncio.get_running_loop()
    with agent_turn("outer") as outer, agent_turn("inner") as inner:
        await loop.run_in_executor(None, load, 1)
    assert inner.report is not None
    assert inner.report.calls == 1
    assert outer.report is inner.report


@pytest.mark.parametrize("root", ["of its own", "shared"])
@pytest.mark.slow
def test_call_without_context_is_cheap_with_many_open_turns(kit: Kit, root: str) -> None:
    @profiled
    def look() -> None: ...

    def begin() -> AgentTurn:
        turn = agent_turn()
        turn.__enter__()
        # Each holds one thing that is no call, and so might wrap another.
        request = ModelRequest()
        request.enter()
        request.end()
        return turn

    shared = kit.tracer().start_span("worker")
    around = trace.set_span_in_context(shared) if root == "shared" else Context()
    turns = [contextvars.copy_context().run(lambda: (attach(around), begin())[1]) for _ in range(500)]
    called = Counter[str]()
    sys.setprofile(lambda _frame, event, _called: called.update([event]))
    try:
        contextvars.Context().run(look)
    finally:
        sys.setprofile(None)
    assert 0 < called["call"] < len(turns)
    for turn in turns:
        turn.end()
    shared.end()


async def test_copied_context_carries_turn_into_thread(kit: Kit) -> None:
    with ThreadPoolExecutor() as pool, agent_turn() as one:
        with agent_turn("inside") as inside:
            pool.submit(contextvars.copy_context().run, load, 1).result()
        await fetch(1)
    assert inside.report is not None
    assert inside.report.calls == 1
    assert one.report is not None
    assert [call.tool for call in one.report.turn.calls] == ["inside", "fetch"]


async def test_nested_calls_are_in_scope_of_their_call(kit: Kit) -> None:
    @profiled
    async def outer(count: int) -> None:
        for key in range(count):
            await fetch(key)

    with agent_turn() as turn:
        await asyncio.gather(outer(3), outer(3))
    assert turn.report is not None
    assert turn.report.calls == 2
    assert turn.report.avoidable == exactly(2 * STEP_S)
    scopes = {call.scope for call in turn.report.turn.calls if call.tool == "fetch"}
    assert scopes == {call.span_id for call in turn.report.turn.calls if call.tool == "outer"}


async def test_concurrent_turns_have_separate_calls(kit: Kit) -> None:
    async def run(count: int) -> int:
        with agent_turn(f"agent {count}") as turn:
            await asyncio.gather(*(fetch(key) for key in range(count)))
        assert turn.report is not None
        return turn.report.calls

    assert await asyncio.gather(*(run(count) for count in range(1, 8))) == list(range(1, 8))
    assert coverage().calls == sum(range(1, 8))


def test_turns_in_threads_have_separate_calls(kit: Kit) -> None:
    counts: dict[int, int] = {}

    def run(count: int) -> None:
        with agent_turn(f"agent {count}") as turn:
            for key in range(count):
                load(key)
        assert turn.report is not None
        counts[count] = turn.report.calls

    threads = [threading.Thread(target=run, args=(count,)) for count in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == {1: 1, 2: 2, 3: 3}


def test_turns_start_while_open_turns_are_read(kit: Kit) -> None:
    begun: list[Any] = []

    class Meanwhile:
        """Whenever it is asked for something, another thread begins a turn."""

        start_ns = 0

        @property
        def finished(self) -> bool:
            attributes = {"gen_ai.operation.name": "invoke_agent"}
            begun.append(kit.tracer().start_span("meanwhile", attributes=attributes))
            return True

        @property
        def children(self) -> None:
            assert self.finished

    for followed in (REGISTRY.turns, REGISTRY.candidates):
        followed[0] = Meanwhile()  # type: ignore[index] # as good as a node
    assert len(live_turns()) == 0
    assert len(live_turns()) == len(begun) - 2 == 2
    contextvars.Context().run(load, 1)
    for followed in (REGISTRY.turns, REGISTRY.candidates):
        del followed[0]  # type: ignore[attr-defined] # as above
    for span in begun:
        span.end()
    assert coverage().calls_without_turn == 1


async def test_sub_agent_is_one_call_of_enclosing_turn(kit: Kit) -> None:
    with agent_turn("outer") as outer:
        await fetch(0)
        with agent_turn("inner") as inner:
            await asyncio.gather(fetch(1), fetch(2))
        await fetch(3)
    assert inner.report is not None
    assert outer.report is not None
    assert inner.report.calls == 2
    assert [call.tool for call in outer.report.turn.calls] == ["fetch", "inner", "fetch"]
    assert outer.report.turn.calls[1].sub_agent
    assert kit.reports == [inner.report, outer.report]
    assert coverage().calls == 4


async def test_open_call_lasts_until_turn_end(kit: Kit) -> None:
    with agent_turn() as turn:
        task = asyncio.create_task(fetch(1))
        await asyncio.sleep(STEP_S / 3)
        (live,) = live_turns()
        assert (live.calls, live.open_calls) == (1, 1)
        assert live.work == exactly(STEP_S / 3)
    assert turn.report is not None
    (call,) = turn.report.turn.calls
    assert call.end_ns == turn.report.turn.end_ns
    assert await task == 1
    assert call.duration_ns < kit.calls()[0].end_time - kit.calls()[0].start_time  # type: ignore[operator] # ended


async def test_call_started_after_turn_end_has_no_turn(kit: Kit) -> None:
    async def late() -> None:
        await asyncio.sleep(STEP_S / 2)
        await fetch(1)

    with agent_turn() as turn:
        task = asyncio.create_task(late())
        await asyncio.sleep(0)
    await task
    assert turn.report is not None
    assert turn.report.calls == 0
    assert coverage().calls_without_turn == 1


async def test_cancellation_is_raised_and_recorded(kit: Kit) -> None:
    with agent_turn() as turn, pytest.raises(TimeoutError):
        async with asyncio.timeout(STEP_S / 3):
            await fetch(1)
    assert turn.report is not None
    (call,) = turn.report.turn.calls
    assert call.error
    assert call.duration_ns / 1e9 == exactly(STEP_S / 3)
    (span,) = kit.calls()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "CancelledError"
    assert span.status.status_code.name == "ERROR"
    assert span.events == ()


async def test_error_is_raised_and_its_message_not_exported(kit: Kit) -> None:
    class BookingError(Exception):
        pass

    failure = BookingError("no seats for Ms Ypsilanti")

    @profiled
    async def book() -> None:
        raise failure

    with agent_turn() as turn, pytest.raises(BookingError) as caught:
        await book()
    assert caught.value is failure
    assert failure.__context__ is None
    assert turn.report is not None
    assert turn.report.turn.calls[0].error
    span = kit.span("execute_tool book")
    assert span.attributes is not None
    assert span.attributes["error.type"].endswith("BookingError")  # type: ignore[union-attr] # a string
    (event,) = span.events
    assert event.attributes is not None
    stack = str(event.attributes["exception.stacktrace"])
    assert stack.endswith(", in book\n")
    assert "raise failure" not in stack
    assert "Ypsilanti" not in kit.everything()


def test_turn_left_by_an_exception_has_a_report(kit: Kit) -> None:
    def fail(_: object) -> None:
        raise KeyError("gone")

    turn = agent_turn("fails")
    with pytest.raises(KeyError, match="gone"), turn:
        fail(load(1))
    assert turn.report is not None
    assert turn.report.calls == 1
    assert kit.span("invoke_agent fails").status.status_code.name == "ERROR"


async def test_durations_are_those_of_the_function_body(kit: Kit) -> None:
    with agent_turn() as turn:
        started_ns = clock.now_ns()
        await fetch(1)
        ended_ns = clock.now_ns()
    assert turn.report is not None
    (call,) = turn.report.turn.calls
    assert call.duration_ns == pytest.approx(ended_ns - started_ns, abs=10)
    (span,) = kit.calls()
    assert (span.start_time, span.end_time) == (call.start_ns, call.end_ns)
