"""Calls that a thread of a pool makes: what submitted them made them, as if it had called them itself."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, profiled
from otel_parallelism.instrumentation.hooks import thread_pools

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from otel_parallelism import Report
    from otel_parallelism.instrumentation.hooks.patching import Patching
    from tests.conftest import Kit


@pytest.fixture(autouse=True)
def carried(patching: Patching) -> None:
    patching.add(thread_pools.PATCHES)


@profiled
def get_price(city: str) -> dict[str, int]:
    time.sleep(1)
    return {"sum": len(city) * 7771}


@profiled
def get_news(topic: str) -> str:
    time.sleep(1)
    return "headlines of the day"


@profiled
def get_weather(place: str) -> str:
    time.sleep(1)
    return "sunny and dry"


async def one_by_one() -> list[object]:
    return [
        await asyncio.to_thread(get_price, "Oslo"),
        await asyncio.to_thread(get_news, "sport"),
        await asyncio.to_thread(get_weather, "Rome"),  # the last
    ]


async def in_an_executor() -> list[object]:
    loop = asyncio.get_running_loop()
    price = await loop.run_in_executor(None, get_price, "Oslo")
    news = await loop.run_in_executor(None, functools.partial(get_news, topic="sport"))
    weather = await loop.run_in_executor(None, get_weather, "Rome")  # the last
    return [price, news, weather]


async def in_a_loop() -> list[str]:
    found = []
    for place in ("Oslo", "Rome", "Bern"):  # the last
        found.append(await asyncio.to_thread(get_weather, place))  # noqa: PERF401 - the loop is under test
    return found


def weather_of(place: str) -> str:
    return get_weather(place)


async def through_a_function() -> list[str]:
    first = await asyncio.to_thread(weather_of, "Oslo")
    second = await asyncio.to_thread(weather_of, "Rome")
    return [first, second, await asyncio.to_thread(weather_of, "Bern")]


async def through_a_lambda() -> list[object]:
    price = await asyncio.to_thread(lambda: get_price("Oslo"))
    news = await asyncio.to_thread(lambda: get_news("sport"))
    return [price, news, await asyncio.to_thread(lambda: get_weather("Rome"))]


async def report_of(kit: Kit, program: Callable[[], Coroutine[Any, Any, object]]) -> Report:
    async with agent_turn("assistant"):
        # The function is the outermost one of its task, so it is known to run once.
        await asyncio.create_task(program())
    return kit.reports[-1]


@pytest.mark.parametrize("program", [one_by_one, in_an_executor, in_a_loop, through_a_function, through_a_lambda])
async def test_calls_awaited_one_by_one_can_run_together(
    kit: Kit, program: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    (finding,) = (await report_of(kit, program)).findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("code", "recommended", 3)
    assert "together, in threads: asyncio.gather over asyncio.to_thread at " in finding.recommendation


@pytest.mark.parametrize("program", [one_by_one, in_an_executor, in_a_loop])
async def test_the_place_is_where_the_program_submits_the_call(
    kit: Kit, program: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    lines, first = inspect.getsourcelines(program)
    (last,) = [first + at for at, line in enumerate(lines) if "the last" in line]
    # Several tasks and turns share the threads of the pool.
    await asyncio.gather(*(report_of(kit, program) for _ in range(2)))
    for report in kit.reports:
        (finding,) = report.findings
        assert finding.location is not None
        assert finding.location.file_path.endswith("test_submitted_calls.py")
        lines_of = {call.caller.line_number for call in report.turn.calls if call.caller is not None}
        assert last in lines_of or finding.location.line_number == last
        assert len(lines_of) == (1 if program is in_a_loop else 3)


async def value_handed_on() -> str:
    price = await asyncio.to_thread(get_price, "Oslo")
    return await asyncio.to_thread(get_news, "x" * (price["sum"] % 7))


async def value_in_a_partial() -> str:
    price = await asyncio.to_thread(get_price, "Oslo")
    call = functools.partial(get_news, "z" * (price["sum"] % 5))
    return await asyncio.to_thread(call)


async def value_in_a_lambda() -> str:
    price = await asyncio.to_thread(get_price, "Oslo")
    return await asyncio.to_thread(lambda: get_news("z" * (price["sum"] % 5)))


async def branch() -> str:
    price = await asyncio.to_thread(get_price, "Oslo")
    return await asyncio.to_thread(get_news, "sport") if price["sum"] > 3 else ""


async def until() -> None:
    for place in ("Oslo", "Rome", "Bern"):
        price = await asyncio.to_thread(get_price, place)
        if price["sum"] % 1000 == 1:
            break


STATE: dict[str, str] = {}


@profiled
def get_session(realm: str) -> str:
    time.sleep(1)
    STATE["session"] = realm[::-1]
    return "fine"


@profiled
def get_inbox(folder: str) -> list[str]:
    time.sleep(1)
    return [STATE.get("session", ""), folder]


async def shared_state() -> list[object]:
    session = await asyncio.to_thread(get_session, "corp")
    return [session, await asyncio.to_thread(get_inbox, "inbox")]


async def shared_state_in_a_partial() -> list[object]:
    loop = asyncio.get_running_loop()
    session = await loop.run_in_executor(None, functools.partial(get_session, realm="corp"))
    return [session, await loop.run_in_executor(None, functools.partial(get_inbox, folder="inbox"))]


async def run_by_name(function: Callable[[str], Any], text: str) -> Any:
    return await asyncio.to_thread(function, text)


async def shared_state_by_name() -> list[object]:
    return [await run_by_name(get_session, "corp"), await run_by_name(get_inbox, "inbox")]


LOCK = threading.Lock()


@profiled
def read_left(name: str) -> str:
    with LOCK:
        time.sleep(1)
    return f"{name} left"


@profiled
def read_right(name: str) -> str:
    with LOCK:
        time.sleep(1)
    return f"{name} right"


async def behind_a_lock() -> list[str]:
    left = await asyncio.to_thread(read_left, "ann")
    return [left, await asyncio.to_thread(read_right, "bob")]


@profiled
def get_slowly(name: str) -> str:
    """Never call this in parallel with another: it is not thread-safe."""
    time.sleep(1)
    return f"{name} slowly"


async def told_not_to() -> list[str]:
    slowly = await asyncio.to_thread(get_slowly, "ann")
    return [slowly, await asyncio.to_thread(get_weather, "Rome")]


def two_that_need_each_other(place: str) -> str:
    price = get_price(place)
    return get_news("k" * (price["sum"] % 9))


async def two_in_one_thread() -> str:
    return await asyncio.to_thread(two_that_need_each_other, "Oslo")


def loop_in_a_thread(place: str) -> str:
    async def inner() -> str:
        price = await asyncio.to_thread(get_price, place)
        return await asyncio.to_thread(get_news, "e" * (price["sum"] % 8))

    return asyncio.run(inner())


async def loop_inside() -> str:
    return await asyncio.to_thread(loop_in_a_thread, "Oslo")


async def result_taken_later() -> str:
    with ThreadPoolExecutor(8) as pool:
        price = pool.submit(get_price, "Oslo")
        await asyncio.sleep(2)
        return pool.submit(get_news, "r" * (price.result()["sum"] % 6)).result()


async def only_if_it_fails() -> str:
    try:
        await asyncio.to_thread(get_price, None)  # type: ignore[arg-type]
    except TypeError:
        return await asyncio.to_thread(get_news, "sport")
    return ""


@pytest.mark.parametrize(
    "program",
    [
        value_handed_on,
        value_in_a_partial,
        value_in_a_lambda,
        branch,
        until,
        shared_state,
        shared_state_in_a_partial,
        shared_state_by_name,
        behind_a_lock,
        told_not_to,
        two_in_one_thread,
        loop_inside,
        result_taken_later,
        only_if_it_fails,
    ],
)
async def test_calls_that_may_need_each_other_are_not_recommended(
    kit: Kit, program: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    report = await report_of(kit, program)
    assert report.calls >= 2
    assert "recommended" not in {finding.advice for finding in report.findings}


async def test_a_small_pool_may_be_meant_to_run_calls_one_by_one(kit: Kit) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        for place in ("Oslo", "Rome", "Bern"):
            await loop.run_in_executor(pool, get_weather, place)

    with ThreadPoolExecutor(1) as pool:
        (finding,) = (await report_of(kit, program)).findings
    assert (finding.cause, finding.advice, finding.location) == ("unknown", "potential", None)


async def test_calls_that_waited_for_a_thread_have_no_place(kit: Kit) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        made = [loop.run_in_executor(pool, get_weather, str(number)) for number in range(6)]
        await asyncio.gather(*made)

    with ThreadPoolExecutor(5) as pool:
        report = await report_of(kit, program)
    assert [call.caller is None for call in report.turn.calls] == [False] * 5 + [True]
