"""Functions that run more than once: the id of a frame may come back, so that two runs look like one."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import Context, attach, detach

from otel_parallelism import agent_turn, profiled

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from otel_parallelism import Report
    from tests.conftest import Kit


@profiled
async def get_cost(city: str) -> dict[str, int]:
    await asyncio.sleep(1)
    return {"sum": len(city) * 7771}


@profiled
def get_price(city: str) -> dict[str, int]:
    time.sleep(1)
    return {"sum": len(city) * 7771}


async def both_costs(number: int) -> int:
    found = []
    for step in range(2):
        found.append(await get_cost("v" * (number + step)))  # noqa: PERF401 - the loop is under test
    return sum(one["sum"] for one in found) % 13


def both_prices(number: int) -> int:
    found = []
    for step in range(2):
        found.append(get_price("v" * (number + step)))  # noqa: PERF401 - likewise
    return sum(one["sum"] for one in found) % 13


async def in_tasks(number: int) -> int:
    return await asyncio.create_task(both_costs(number))


async def in_task_groups(number: int) -> int:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(both_costs(number))
    return task.result()


async def in_pool(number: int) -> int:
    return await asyncio.to_thread(both_prices, number)


async def in_threads(number: int) -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(both_prices(number)))
    thread.start()
    thread.join()
    return found[0]


async def report_of(kit: Kit, run: Callable[[int], Coroutine[Any, Any, int]]) -> Report:
    number = 20
    async with agent_turn("assistant"):
        for _ in range(4):
            number = 20 + await run(number)
    return kit.reports[-1]


@pytest.mark.parametrize("run", [in_tasks, in_task_groups])
async def test_only_calls_of_one_task_are_made_in_one_run(
    kit: Kit, run: Callable[[int], Coroutine[Any, Any, int]]
) -> None:
    report = await report_of(kit, run)
    # Each run can save one of its two calls. Each takes from the result of the run before it.
    assert {(len(finding.calls), finding.advice) for finding in report.findings} == {(2, "recommended")}
    assert [round(finding.avoidable, 1) for finding in report.findings] == [1.0] * 4


@pytest.mark.parametrize("run", [in_pool, in_threads])
async def test_calls_of_a_thread_are_not_known_to_be_made_in_one_run(
    kit: Kit, run: Callable[[int], Coroutine[Any, Any, int]]
) -> None:
    report = await report_of(kit, run)
    assert "recommended" not in {finding.advice for finding in report.findings}
    assert report.avoidable == 0


def loop_in_a_turn() -> list[object]:
    found: list[object] = []
    with agent_turn("assistant"):
        for city in ("Oslo", "Rome", "Bern"):
            found.append(get_price(city))  # noqa: PERF401 - the loop is under test
    return found


async def test_a_thread_that_opened_the_turn_does_nothing_else(kit: Kit) -> None:
    await asyncio.to_thread(loop_in_a_turn)
    thread = threading.Thread(target=loop_in_a_turn)
    thread.start()
    thread.join()
    for report in kit.reports:
        (finding,) = report.findings
        assert (finding.advice, len(finding.calls)) == ("recommended", 3)
    assert len(kit.reports) == 2


def inside(context: Context, number: int) -> int:
    token = attach(context)
    try:
        return both_prices(number)
    finally:
        detach(token)


async def test_a_thread_that_has_left_the_turn_may_run_anything(kit: Kit) -> None:
    turn = agent_turn("assistant")
    with ThreadPoolExecutor(1) as pool:
        context = pool.submit(turn.start).result()
        number = 20
        for _ in range(4):
            number = 20 + pool.submit(inside, context, number).result()
        pool.submit(turn.end).result()
    (report,) = kit.reports
    assert report.calls == 8
    assert "recommended" not in {finding.advice for finding in report.findings}
