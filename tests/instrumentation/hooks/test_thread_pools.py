from __future__ import annotations

import asyncio
import contextvars
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace

from otel_parallelism import agent_turn, names, profiled
from otel_parallelism.instrumentation.hooks import thread_pools
from otel_parallelism.tracing.spans.tool_call import ToolCall, framework_tool

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.patching import Patching
    from tests.conftest import Kit

own = contextvars.ContextVar("own", default="outside")


@profiled(effect="read")
def fetch(key: int) -> str:
    time.sleep(0.03)
    return f"{key} {own.get()}"


@pytest.fixture
def carried(patching: Patching) -> None:
    patching.add(thread_pools.PATCHES)


async def test_call_in_a_pool_belongs_to_the_submitting_turn(kit: Kit, carried: None) -> None:
    async def one(agent: str) -> int:
        with agent_turn(agent) as turn:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(None, fetch, key) for key in range(3)))
        assert turn.report is not None
        return turn.report.calls

    assert await asyncio.gather(one("first"), one("second")) == [3, 3]


async def test_call_in_a_pool_belongs_to_the_turn_of_another_instrumentation(kit: Kit, carried: None) -> None:
    tracer = kit.tracer()

    async def one(count: int) -> None:
        marked = {names.OPERATION_NAME: names.INVOKE_AGENT}
        turn = tracer.start_as_current_span("invoke_agent clerk", attributes=marked)
        with turn, tracer.start_as_current_span("in between"):
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(None, fetch, key) for key in range(count)))

    await asyncio.gather(one(2), one(3))
    assert sorted(report.calls for report in kit.reports) == [2, 3]


async def test_call_of_another_instrumentation_starts_in_its_thread(kit: Kit, carried: None) -> None:
    tracer = kit.tracer()
    pool = ThreadPoolExecutor(2)

    async def call(number: int) -> None:
        marked = {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: "nap", names.TOOL_CALL_ID: str(number)}
        with tracer.start_as_current_span("execute_tool nap", attributes=marked):
            known = ToolCall(framework_tool("nap"), str(number), {})
            known.enter()
            await asyncio.get_running_loop().run_in_executor(pool, time.sleep, 0.1)
            known.end(None)

    with agent_turn("clerk") as turn, pool:
        await asyncio.gather(*(call(number) for number in range(6)))
    assert turn.report is not None
    # All six were asked for at once and ran two at a time. The exported spans keep their times, which hold the waits
    # for a thread; those of the calls are half as long in sum.
    exported = sum(span.end_time - span.start_time for span in kit.spans if span.name == "execute_tool nap")
    assert sum(each.duration_ns for each in turn.report.turn.calls) < 0.8 * exported


def test_context_is_carried_only_inside_turns(kit: Kit, carried: None) -> None:
    def current() -> object:
        return trace.get_current_span()

    with kit.tracer().start_as_current_span("a request"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(current).result() is trace.INVALID_SPAN
        with agent_turn("clerk") as turn:
            assert pool.submit(current).result() is turn.span


def test_context_variables_of_the_program_are_not_carried(kit: Kit, carried: None) -> None:
    own.set("inside")
    with agent_turn("clerk"), ThreadPoolExecutor(2) as pool:
        assert pool.submit(fetch, 1).result() == "1 outside"
        assert list(pool.map(fetch, [2, 3])) == ["2 outside", "3 outside"]


def test_errors_and_wrong_arguments_are_unchanged(kit: Kit, carried: None) -> None:
    def fails() -> None:
        raise LookupError("x")

    with agent_turn("clerk"), ThreadPoolExecutor(1) as pool:
        with pytest.raises(LookupError, match="x"):
            pool.submit(fails).result()
        with pytest.raises(TypeError):
            pool.submit()  # type: ignore[call-arg] # that is what is shown
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(fetch, key=4).result() == "4 outside"


def called(tool: str, **arguments: str) -> ToolCall:
    call = ToolCall(framework_tool(tool), "", arguments)
    call.enter()
    return call


async def test_call_that_goes_to_a_pool_at_once_starts_in_its_thread(kit: Kit, carried: None) -> None:
    loop = asyncio.get_running_loop()

    async def run(pool: ThreadPoolExecutor, city: str) -> None:
        call = called("get_weather", city=city)
        await loop.run_in_executor(pool, time.sleep, 0.1)
        call.end("rain")

    with ThreadPoolExecutor(2) as pool, agent_turn() as turn:
        await asyncio.gather(*(run(pool, city) for city in "abcdef"))
    report = turn.report
    assert report is not None
    assert (report.calls, report.peak_concurrency) == (6, 2)
    assert [finding.cause for finding in report.findings] == ["limit"]
    assert all(call.duration_ns >= 100_000_000 for call in report.turn.calls)
    assert [call.queue_ns > 90_000_000 for call in report.turn.calls] == [False, False, True, True, True, True]
    (stored,) = kit.stored().reports
    assert (stored.peak_concurrency, stored.verdict) == (2, report.verdict)


async def test_call_that_worked_before_the_pool_keeps_its_start(kit: Kit, carried: None) -> None:
    with ThreadPoolExecutor(1) as pool, agent_turn() as turn:
        call = called("get_weather")
        await asyncio.sleep(0.05)
        busy = pool.submit(time.sleep, 0.05)
        await asyncio.get_running_loop().run_in_executor(pool, time.sleep, 0.01)
        call.end("rain")
        assert busy.done()
    assert turn.report is not None
    (one,) = turn.report.turn.calls
    assert one.duration_ns >= 110_000_000


def test_a_function_in_a_pool_may_have_an_argument_of_any_name(kit: Kit, carried: None) -> None:
    with ThreadPoolExecutor(1) as pool, agent_turn():
        assert pool.submit(dict, self=1, fn=2).result() == {"self": 1, "fn": 2}
