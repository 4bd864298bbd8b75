"""The virtual clock that most tests run on."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from otel_parallelism import clock
from tests.virtual_time import CLOCK, exactly


def elapsed_s() -> float:
    return CLOCK.monotonic_s()


async def test_an_hour_passes_at_once() -> None:
    began_s = time.perf_counter()
    await asyncio.sleep(3600)
    assert elapsed_s() == exactly(3600)
    assert time.perf_counter() - began_s < 600


async def test_timers_fire_in_order_at_their_own_times() -> None:
    fired: list[tuple[str, float]] = []

    async def fire(name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        fired.append((name, asyncio.get_running_loop().time()))

    await asyncio.gather(fire("last", 0.3), fire("first", 0.1), fire("second", 0.2))
    assert fired == [("first", exactly(0.1)), ("second", exactly(0.2)), ("last", exactly(0.3))]


async def test_threads_of_a_loop_sleep_at_the_same_time() -> None:
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.1) for _ in range(4)), asyncio.sleep(0.05))
    assert elapsed_s() == exactly(0.1)


async def test_a_timeout_ends_before_a_thread_that_sleeps_longer() -> None:
    sleeping = asyncio.ensure_future(asyncio.to_thread(time.sleep, 1))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(sleeping), 0.25)
    assert elapsed_s() == exactly(0.25)
    await sleeping
    assert elapsed_s() == exactly(1)


async def test_sleeping_in_the_loop_blocks_it() -> None:
    fired: list[float] = []
    asyncio.get_running_loop().call_later(0.1, lambda: fired.append(elapsed_s()))
    await asyncio.sleep(0)
    time.sleep(0.5)  # noqa: ASYNC251 - the mistake that is measured
    await asyncio.sleep(0.1)
    assert fired == [exactly(0.5)]


def test_a_pool_sleeps_as_many_times_as_its_threads_need() -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(time.sleep, [0.1] * 6))
    assert elapsed_s() == exactly(0.3)


def test_threads_that_wait_for_one_another_go_on() -> None:
    both = threading.Barrier(2)

    def work(seconds: float) -> None:
        time.sleep(seconds)
        both.wait()

    threads = [threading.Thread(target=work, args=(seconds,)) for seconds in (0.1, 0.4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert elapsed_s() >= 0.4


def test_each_reading_is_later_than_the_one_before() -> None:
    first_ns, second_ns = clock.now_ns(), clock.now_ns()
    assert second_ns - first_ns == 1


@pytest.mark.process
async def test_marked_tests_take_real_time() -> None:
    began_s = time.monotonic()
    await asyncio.sleep(0.01)
    time.sleep(0.01)  # noqa: ASYNC251 - nothing else runs
    assert time.monotonic() - began_s >= 0.015
