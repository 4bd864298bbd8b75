"""Programs whose tools return at once, judged by structure: those that fail, those that pass, and what is not known."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, parallel_map, profiled, run_tools
from otel_parallelism.testing.captured_turns import CapturedTurns, release
from otel_parallelism.testing.demands import Demand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from otel_parallelism.testing.demands import Judgement

pytestmark = pytest.mark.process  # on the virtual clock, calls that take no time would have one and the same time

CITIES = ("Porto", "Braga", "Faro")


@profiled(effect="read", depends_on=[])
async def get_weather(city: str) -> str:
    return f"rain in {city}"


@profiled(effect="read")
async def get_news(city: str) -> str:
    return f"nothing new in {city}"


@profiled(effect="read", depends_on=[])
def read_weather(city: str) -> str:
    return f"rain in {city}"


@profiled(effect="read")
async def read_aloud(text: str) -> str:
    return text


TOOLS: dict[str, Any] = {"get_weather": get_weather, "get_news": get_news}


async def call_tool(name: str, city: str) -> str:
    """Call a tool, as the loop of an agent does it: the tool's coroutine is made only when this one runs."""
    found: str = await TOOLS[name](city)
    return found


async def gather() -> None:
    await asyncio.gather(get_weather("Porto"), get_news("Braga"))


async def gather_of_dispatchers() -> None:
    await asyncio.gather(call_tool("get_weather", "Porto"), call_tool("get_news", "Braga"))


async def task_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(call_tool("get_weather", "Porto"))
        group.create_task(call_tool("get_news", "Braga"))


async def bounded_map() -> None:
    await parallel_map(CITIES, get_weather, limit=2)


async def bounded_map_in_threads() -> None:
    await parallel_map(CITIES, read_weather, limit=2)


async def bounded_map_of_stream() -> None:
    async def cities() -> AsyncIterator[str]:
        for city in CITIES:
            yield city

    await parallel_map(cities(), partial(get_weather), limit=2)


async def one_round() -> None:
    asked = [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": '{"city": "Porto"}'}}
        for number, name in enumerate(TOOLS)
    ]
    await run_tools({"role": "assistant", "tool_calls": asked}, TOOLS)


async def chain() -> None:
    news = await get_news("Porto")
    await read_aloud(news)


async def one_by_one() -> tuple[str, str]:
    weather = await get_weather("Porto")
    news = await get_news("Braga")
    return weather, news


async def loop() -> list[str]:
    return [await get_weather(city) for city in CITIES]


async def made_first_awaited_one_by_one() -> None:
    for waiting in [get_weather("Porto"), get_news("Braga")]:
        await waiting


async def gather_then_one() -> tuple[list[str], str]:
    before = await asyncio.gather(get_weather("Porto"), get_weather("Braga"))
    news = await get_news("Faro")
    return before, news


async def group_then_one() -> str:
    async with asyncio.TaskGroup() as group:
        group.create_task(get_weather("Porto"))
    return await get_news("Faro")


async def wait_then_one() -> str:
    tasks = [asyncio.create_task(get_weather(city)) for city in CITIES]
    await asyncio.wait(tasks)
    return await get_news("Faro")


async def task_awaited_at_once() -> str:
    await asyncio.create_task(get_weather("Porto"))
    return await get_news("Braga")


async def plain_functions() -> tuple[str, str]:
    porto = read_weather("Porto")
    braga = read_weather("Braga")
    return porto, braga


async def background_task() -> str:
    task = asyncio.create_task(get_weather("Porto"))
    await asyncio.sleep(0)  # for anything but the task
    news = await get_news("Braga")
    return news + await task


async def workers_of_a_queue() -> None:
    waiting = list(CITIES)

    async def worker() -> None:
        while waiting:
            await get_weather(waiting.pop())

    await asyncio.gather(worker(), worker())


async def threads() -> None:
    await asyncio.gather(*(asyncio.to_thread(read_weather, city) for city in CITIES))


async def threads_one_by_one() -> None:
    for city in CITIES:
        await asyncio.to_thread(read_weather, city)


async def executor_futures() -> None:
    run_in = asyncio.get_running_loop().run_in_executor
    await asyncio.gather(*[run_in(None, read_weather, city) for city in CITIES])


async def pool() -> None:
    with ThreadPoolExecutor(2) as executor:
        list(executor.map(read_weather, CITIES))


async def threads_of_a_queue() -> None:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for city in CITIES:
        waiting.put(city)

    def worker() -> None:
        while not waiting.empty():
            read_weather(waiting.get())

    both = [threading.Thread(target=worker) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()


async def jobs_of_a_queue() -> None:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for city in CITIES:
        waiting.put(city)

    def worker() -> None:
        while not waiting.empty():
            read_weather(waiting.get())

    with ThreadPoolExecutor(2) as executor:
        for job in [executor.submit(worker) for _ in range(2)]:
            job.result()


async def jobs_of_a_queue_beside_one_another() -> None:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for city in CITIES:
        waiting.put(city)

    def worker() -> None:
        while not waiting.empty():
            read_weather(waiting.get())

    await asyncio.gather(asyncio.to_thread(worker), asyncio.to_thread(worker))


async def agents_beside_one_another() -> None:
    async def agent(name: str) -> None:
        with agent_turn(name):
            await one_by_one()

    await asyncio.gather(agent("first"), agent("second"))


RIGHT = (gather, gather_of_dispatchers, task_group, bounded_map, bounded_map_in_threads, one_round, chain, threads)
"""Programs that ask for all calls together that need nothing from one another."""
RIGHT_UNSEEN = (
    *(bounded_map_of_stream, workers_of_a_queue, executor_futures, pool, threads_of_a_queue, jobs_of_a_queue),
    jobs_of_a_queue_beside_one_another,
)
"""Others; that they do cannot be seen."""
WRONG = (
    *(one_by_one, loop, made_first_awaited_one_by_one, gather_then_one, wait_then_one),
    *(task_awaited_at_once, plain_functions),
)
"""Programs that fail."""


@pytest.fixture
def captured() -> Iterator[CapturedTurns]:
    found = CapturedTurns()
    found.start()
    yield found
    found.stop()
    release()


def run(program: Callable[[], Awaitable[object]], **how: Any) -> None:
    async def agent() -> None:
        with agent_turn(program.__name__):
            await program()

    with asyncio.Runner(**how) as runner:
        runner.run(agent())


def judge(captured: CapturedTurns, **demand: Any) -> Judgement:
    return Demand(structure=True, **demand).judge(captured.turn)


@pytest.mark.parametrize("program", RIGHT)
def test_right_programs_pass(captured: CapturedTurns, program: Any) -> None:
    run(program)
    found = judge(captured, min_efficiency=1.0)
    assert (found.failures, found.unknown) == ((), "")
    assert found.report.verdict == ("serial_by_need" if program is chain else "parallel")


@pytest.mark.parametrize("program", RIGHT_UNSEEN)
def test_right_programs_pass_where_that_is_not_seen(captured: CapturedTurns, program: Any) -> None:
    run(program)
    assert judge(captured, min_efficiency=1.0).failures == ()


@pytest.mark.parametrize("program", WRONG)
def test_wrong_programs_fail(captured: CapturedTurns, program: Any) -> None:
    run(program)
    found = judge(captured)
    assert found.report.avoidable == found.report.makespan - 1
    (finding,) = found.report.findings
    assert finding.location is not None
    assert finding.location.file_path == __file__
    calls = round(found.report.makespan)
    assert found.failures == (f"it takes as long as {calls} calls, and 1 would do",)


def test_order_alone_is_no_fault(captured: CapturedTurns) -> None:
    # The last call waits for the group, which the source does not show to be needless.
    run(group_then_one)
    found = judge(captured)
    assert (found.failures, found.unknown) == ((), "")
    assert (found.report.makespan, found.report.verdict) == (2.0, "possibly_sequential")


def test_more_time_may_be_allowed(captured: CapturedTurns) -> None:
    run(loop)
    assert judge(captured, max_avoidable=2).failures == ()
    assert judge(captured, max_avoidable=1).failures == (
        "it takes as long as 3 calls, and 1 would do; 1 more are allowed",
    )
    assert judge(captured, allow=["cause:code"]).failures == ()
    assert judge(captured, max_avoidable=2, min_efficiency=0.5).failures == (
        "its efficiency is 0.33, and 0.5 is the least allowed",
    )


def test_program_whose_order_is_not_known(captured: CapturedTurns) -> None:
    run(background_task)
    found = judge(captured)
    assert found.failures == ()
    why = "it is not known whether the program asked for these together: get_weather and get_news"
    assert found.unknown == why


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 has no eager tasks")
@pytest.mark.parametrize("program", [task_group, gather, workers_of_a_queue])
def test_eager_tasks_run_before_the_next_is_made(captured: CapturedTurns, program: Any) -> None:
    def new_loop() -> asyncio.AbstractEventLoop:
        made = asyncio.new_event_loop()
        made.set_task_factory(asyncio.eager_task_factory)
        return made

    run(program, loop_factory=new_loop)
    assert judge(captured, min_efficiency=1.0).failures == ()


def test_threads_awaited_one_by_one(captured: CapturedTurns) -> None:
    run(threads_one_by_one)
    assert judge(captured).failures == ("it takes as long as 3 calls, and 1 would do",)


def test_agent_in_a_thread(captured: CapturedTurns) -> None:
    """The thread that began the turn runs its calls one by one."""

    def agent() -> None:
        with agent_turn("agent"):
            for city in CITIES:
                read_weather(city)

    async def main() -> None:
        await asyncio.to_thread(agent)

    asyncio.run(main())
    assert judge(captured).failures == ("it takes as long as 3 calls, and 1 would do",)


def test_greenlets_take_turns(captured: CapturedTurns) -> None:
    greenlet = pytest.importorskip("greenlet", reason="the loops group has gevent")
    with agent_turn("greenlets"):
        for made in [greenlet.greenlet(read_weather) for _ in CITIES]:
            made.switch(f"city {id(made)}")
    found = judge(captured, min_efficiency=1.0)
    assert found.failures == ()
    assert found.unknown


def test_coroutines_that_no_known_loop_runs(captured: CapturedTurns) -> None:
    with agent_turn("by hand"):
        for waiting in [call_tool("get_weather", city) for city in CITIES]:
            with pytest.raises(StopIteration):
                waiting.send(None)
    found = judge(captured, min_efficiency=1.0)
    assert found.failures == ()
    assert found.unknown


def test_more_tasks_than_are_looked_at(captured: CapturedTurns) -> None:
    async def program() -> None:
        others = [asyncio.create_task(asyncio.sleep(60)) for _ in range(301)]
        await gather_of_dispatchers()
        for other in others:
            other.cancel()

    run(program)
    assert judge(captured, min_efficiency=1.0).failures == ()


def test_turns_beside_one_another(captured: CapturedTurns) -> None:
    asyncio.run(agents_beside_one_another())
    assert [Demand(structure=True).judge(report).failures for report in captured.turns] == [
        ("it takes as long as 2 calls, and 1 would do",)
    ] * 2


def test_turns_are_judged_only_where_that_was_asked_for() -> None:
    found = CapturedTurns(structure=False)
    found.start()
    try:
        run(loop)
        (call, *_) = found.turn.turn.calls
        assert call.dispatch is None
    finally:
        found.stop()
        release()
