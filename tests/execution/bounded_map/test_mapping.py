from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import itertools
import random
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING, Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism import clock, parallel_map
from otel_parallelism.execution import CancelledCallError, Rate, Retry
from tests.execution.conftest import each_loop, run_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.execution.conftest import Run


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


class Gauge:
    """How many calls run, and ran at most."""

    def __init__(self) -> None:
        self.now = self.most = self.begun = self.ended = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """A call, from its start to its end."""
        self.begun += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            yield
        finally:
            self.now -= 1
            self.ended += 1


# Values and order


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("source", [range, numbers, lambda n: iter(range(n))], ids=["sized", "async", "iterator"])
def test_awaited_it_gives_all_results(run: Run, source: Any, ordered: bool) -> None:
    async def main() -> list[int]:
        return await parallel_map(source(100), double, limit=7, ordered=ordered)

    results = run(main)
    assert (results if ordered else sorted(results)) == [2 * number for number in range(100)]


@pytest.mark.parametrize("source", [range, numbers], ids=["sync", "async"])
def test_iterated_over_it_gives_results_in_order(run: Run, source: Any) -> None:
    async def main() -> list[int]:
        return [result async for result in parallel_map(source(100), double, limit=7)]

    assert run(main) == [2 * number for number in range(100)]


def test_in_order_of_completion(run: Run) -> None:
    async def wait(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    async def main() -> tuple[list[float], list[float]]:
        times = [0.15, 0.01, 0.08]
        listed = await parallel_map(times, wait, limit=3, ordered=False)
        return listed, [result async for result in parallel_map(times, wait, limit=3, ordered=False)]

    assert run(main) == ([0.01, 0.08, 0.15], [0.01, 0.08, 0.15])


def test_no_items(run: Run) -> None:
    async def main() -> list[list[int]]:
        nothing = [result async for result in parallel_map(iter(()), double, limit=3)]
        return [await parallel_map([], double, limit=3), await parallel_map(numbers(0), double, limit=3), nothing]

    assert run(main) == [[], [], []]


def test_anext_goes_step_by_step(run: Run) -> None:
    async def main() -> list[int]:
        results = parallel_map(range(3), double, limit=2)
        first = await anext(results)
        return [first, *[result async for result in results]]

    assert run(main) == [0, 2, 4]


def test_it_runs_once(run: Run) -> None:
    async def main() -> None:
        results = parallel_map(range(3), double, limit=2)
        await results
        with pytest.raises(RuntimeError, match="once"):
            await results
        with pytest.raises(RuntimeError, match="once"):
            aiter(results)

    run(main)


def test_chunks(run: Run) -> None:
    async def total(batch: list[int]) -> int:
        return sum(batch)

    async def main() -> list[list[int]]:
        return [
            await parallel_map(range(7), total, limit=2, chunk=3),
            await parallel_map(numbers(7), total, limit=2, chunk=3),
        ]

    assert run(main) == [[3, 12, 6], [3, 12, 6]]


@each_loop
@given(
    items=st.lists(st.tuples(st.sampled_from(["value", "error"]), st.integers(0, 3)), max_size=30),
    limit=st.integers(1, 8),
    ordered=st.booleans(),
    on_error=st.sampled_from(["raise", "return", "skip"]),
    streamed=st.booleans(),
    lazily=st.sampled_from(["list", "iterator", "async"]),
)
def test_any_batch_gives_the_results_of_a_loop(  # noqa: PLR0917 - hypothesis passes them by name
    items: list[tuple[str, int]],
    limit: int,
    ordered: bool,
    on_error: Any,
    streamed: bool,
    lazily: str,
    loop: str,
) -> None:
    gauge = Gauge()
    calls: list[int] = []

    async def work(numbered: tuple[int, tuple[str, int]]) -> int:
        number, (kind, pauses) = numbered
        calls.append(number)
        with gauge.running():
            for _ in range(pauses):
                await asyncio.sleep(0)
            if kind == "error":
                raise LookupError(number)
            return number

    async def feed() -> AsyncIterator[tuple[int, tuple[str, int]]]:
        for pair in enumerate(items):
            yield pair

    def source() -> Any:
        pairs = list(enumerate(items))
        return pairs if lazily == "list" else iter(pairs) if lazily == "iterator" else feed()

    async def main() -> list[Any]:
        results = parallel_map(source(), work, limit=limit, ordered=ordered, on_error=on_error, spans=False)
        if streamed:
            return [result async for result in results]
        return list(await results)

    errors = [number for number, (kind, _) in enumerate(items) if kind == "error"]
    expected = [number for number in range(len(items)) if on_error != "skip" or number not in errors]
    if on_error == "raise" and errors:
        with pytest.raises(LookupError) as caught:
            run_in(loop, main)
        assert caught.value.args[0] in errors
    else:
        found = [result.args[0] if isinstance(result, LookupError) else result for result in run_in(loop, main)]
        assert (found if ordered else sorted(found)) == expected
        assert sorted(calls) == list(range(len(items)))
    assert len(calls) == len(set(calls))
    assert gauge.most <= limit
    assert gauge.now == 0


# Laziness, back-pressure, memory


def test_an_endless_generator_is_drawn_on_as_results_are_taken(run: Run) -> None:
    drawn = 0

    def endless() -> Iterator[int]:
        nonlocal drawn
        for number in itertools.count():
            drawn = number + 1
            yield number

    async def main() -> None:
        async with contextlib.aclosing(parallel_map(endless(), double, limit=5)) as results:
            taken = 0
            async for _ in results:
                taken += 1
                await asyncio.sleep(0.001)  # a slow consumer: the calls could run far ahead
                assert drawn - taken <= 10
                if taken == 50:
                    break

    run(main)
    assert drawn <= 60


@pytest.mark.parametrize("ordered", [True, False])
def test_slow_first_item_limits_calls_that_run_ahead(run: Run, ordered: bool) -> None:
    done: list[int] = []
    first = asyncio.Event()

    async def work(number: int) -> int:
        if number == 0:
            await first.wait()
        done.append(number)
        return number

    async def main() -> None:
        results = parallel_map(itertools.count(), work, limit=4, ordered=ordered)
        taking = asyncio.ensure_future(anext(results))
        await asyncio.sleep(0.05)
        assert len(done) <= 8
        first.set()
        assert await taking == (0 if ordered else 1)
        await results.aclose()

    run(main)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_items(run: Run) -> None:
    async def same(number: int) -> int:
        return number

    async def peak(count: int) -> int:
        gc.collect(0)
        tracemalloc.start()
        seen = 0
        async for _ in parallel_map(iter(range(count)), same, limit=10, spans=False):
            seen += 1
        assert seen == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    async def main() -> tuple[int, int]:
        await peak(100)
        return await peak(300), await peak(3_000)

    small, large = run(main)
    assert large < small + 20_000


def test_an_async_generator_is_drawn_on_by_one_task_and_closed(run: Run) -> None:
    tasks = set()
    closed_in = None

    async def source() -> AsyncIterator[int]:
        nonlocal closed_in
        try:
            # A timeout that is open across two items belongs to the task that opened it.
            async with asyncio.timeout(5):
                for number in itertools.count():
                    tasks.add(asyncio.current_task())
                    yield number
        finally:
            closed_in = asyncio.current_task()

    async def main() -> None:
        async with contextlib.aclosing(parallel_map(source(), double, limit=3)) as results:
            async for result in results:
                if result == 20:
                    break

    run(main)
    assert len(tasks) == 1
    assert closed_in in tasks


# Limits


@pytest.mark.parametrize("streamed", [True, False])
def test_the_limit_is_used_and_kept(run: Run, streamed: bool) -> None:
    gauge = Gauge()

    async def work(_: int) -> None:
        with gauge.running():
            await asyncio.sleep(random.uniform(0, 0.003))  # noqa: S311 - only spreads

    async def main() -> None:
        results = parallel_map(iter(range(60)), work, limit=6)
        if streamed:
            async for _ in results:
                pass
        else:
            await results

    run(main)
    assert (gauge.most, gauge.ended) == (6, 60)


@each_loop
@given(
    per_second=st.sampled_from([200, 500]),
    burst=st.integers(1, 5),
    count=st.integers(2, 12),
    limit=st.integers(1, 12),
)
def test_the_rate_is_never_exceeded(per_second: int, burst: int, count: int, limit: int, loop: str) -> None:
    read: list[float] = []
    starts: list[float] = []

    class Told(Rate):
        async def __aenter__(self) -> Self:
            await super().__aenter__()
            starts.append(read[-1])  # what the bucket's clock said, however late the call itself gets to run
            return self

    real_or_virtual = clock.monotonic_s

    def monotonic() -> float:
        read.append(real_or_virtual())
        return read[-1]

    async def main() -> None:
        await parallel_map(range(count), double, limit=limit, rate=Told(per_second, burst=burst))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("otel_parallelism.clock.monotonic_s", monotonic)
        run_in(loop, main)
    assert len(starts) == count
    # In any stretch of t seconds at most burst + rate * t calls start.
    for first, last in itertools.combinations(range(count), 2):
        allowed = burst + per_second * (starts[last] - starts[first])
        assert last - first + 1 <= allowed + 1e-6


def test_one_rate_holds_for_two_maps(run: Run) -> None:
    async def main() -> float:
        rate = Rate(100)
        began = clock.monotonic_s()
        await asyncio.gather(
            *(parallel_map(range(5), double, limit=5, rate=rate).__aiter__().__anext__() for _ in "ab")
        )
        await parallel_map(range(5), double, limit=5, rate=rate)
        return clock.monotonic_s() - began

    assert run(main) >= 0.06


@pytest.mark.process
def test_a_rate_may_be_used_in_another_loop() -> None:
    rate = Rate(1000)

    async def main() -> list[int]:
        return await parallel_map(range(3), double, limit=3, rate=rate)

    assert run_in("asyncio", main) == run_in("uvloop", main) == [0, 2, 4]


def test_a_number_is_a_rate_and_so_is_any_async_context_manager(run: Run) -> None:
    aiolimiter = pytest.importorskip("aiolimiter")

    async def main() -> list[list[int]]:
        return [
            await parallel_map(range(3), double, limit=3, rate=1000.0),
            await parallel_map(range(3), double, limit=3, rate=aiolimiter.AsyncLimiter(10, 1)),
            await parallel_map(range(3), double, limit=3, rate=asyncio.Semaphore(1)),
        ]

    assert run(main) == [[0, 2, 4]] * 3


# What goes wrong: each test below is a cell of the table in docs/fixing.md


async def fail_at_two(number: int) -> int:
    await asyncio.sleep(0.001 * number)
    if number == 2:
        raise LookupError(number)
    return number


def test_error_raise_ends_the_map_and_cancels_the_rest(run: Run) -> None:
    gauge = Gauge()
    cancelled = []

    async def work(number: int) -> int:
        with gauge.running():
            try:
                if number == 2:
                    await asyncio.sleep(0.1)
                    raise LookupError(number)
                await asyncio.sleep(10 if number > 2 else 0)
            except asyncio.CancelledError:
                cancelled.append(number)
                raise
        return number

    async def main() -> list[int]:
        return await parallel_map(itertools.count(), work, limit=4)

    with pytest.raises(LookupError, match="2"):
        run(main)
    assert gauge.now == 0
    assert sorted(cancelled) == [3, 4, 5]


def test_error_raise_comes_after_the_results_that_were_there(run: Run) -> None:
    async def main() -> list[int]:
        results = parallel_map(range(10), fail_at_two, limit=10)
        found = [await anext(results), await anext(results)]
        with pytest.raises(LookupError):
            await anext(results)
        return found

    assert run(main) == [0, 1]


def test_error_return_makes_it_the_result(run: Run) -> None:
    async def main() -> list[int | Exception]:
        return await parallel_map(range(4), fail_at_two, limit=2, on_error="return")

    zero, one, error, three = run(main)
    assert (zero, one, three) == (0, 1, 3)
    assert isinstance(error, LookupError)


def test_error_skip_leaves_it_out(run: Run) -> None:
    async def main() -> list[list[int]]:
        awaited = await parallel_map(range(4), fail_at_two, limit=2, on_error="skip")
        return [awaited, [result async for result in parallel_map(range(4), fail_at_two, limit=2, on_error="skip")]]

    assert run(main) == [[0, 1, 3], [0, 1, 3]]


@pytest.mark.parametrize("on_error", ["raise", "return", "skip"])
@pytest.mark.parametrize("is_async", [True, False])
def test_error_of_the_items_always_ends_the_map(run: Run, on_error: Any, is_async: bool) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the file is gone")

    async def broken_async() -> AsyncIterator[int]:
        for number in broken():
            yield number

    async def main() -> None:
        source: Any = broken_async() if is_async else broken()
        await parallel_map(source, double, limit=3, on_error=on_error)

    with pytest.raises(OSError, match="the file is gone"):
        run(main)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("is_async", [True, False])
def test_cancelled_outside_cancels_all_and_waits_for_them(run: Run, streamed: bool, is_async: bool) -> None:
    gauge = Gauge()

    async def work(_: int) -> None:
        with gauge.running():
            try:
                await asyncio.sleep(10)
            finally:
                await asyncio.sleep(0.01)  # tidying up takes its time

    async def mapped() -> None:
        results = parallel_map(numbers(100) if is_async else range(100), work, limit=5)
        if streamed:
            async for _ in results:
                pass
        else:
            await results

    async def main() -> None:
        task = asyncio.create_task(mapped())
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # asked twice, it still waits
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (gauge.begun, gauge.now) == (5, 0)

    run(main)


def test_cancelled_from_within_is_an_error_of_the_call(run: Run) -> None:
    async def work(number: int) -> int:
        if number == 1:
            raise asyncio.CancelledError
        return number

    async def main() -> list[int | Exception]:
        with pytest.raises(CancelledCallError, match="work"):
            await parallel_map(range(3), work, limit=2)
        return await parallel_map(range(3), work, limit=2, on_error="return")

    zero, error, two = run(main)
    assert (zero, two) == (0, 2)
    assert isinstance(error, CancelledCallError)


def test_leaving_the_loop_early_ends_the_calls(run: Run) -> None:
    gauge = Gauge()

    async def work(number: int) -> int:
        with gauge.running():
            await asyncio.sleep(0 if number == 0 else 10)
        return number

    async def main() -> None:
        results = parallel_map(itertools.count(), work, limit=5)
        async for _ in results:
            break
        await asyncio.sleep(0.02)
        assert gauge.now == 0

    run(main)


def test_aclose_ends_the_calls_there_and_then(run: Run) -> None:
    gauge = Gauge()

    async def work(number: int) -> int:
        with gauge.running():
            await asyncio.sleep(0 if number == 0 else 10)
        return number

    async def main() -> None:
        results = parallel_map(itertools.count(), work, limit=5)
        assert await anext(results) == 0
        await results.aclose()
        assert gauge.now == 0
        assert [result async for result in results] == []

    run(main)


def test_timeout_is_an_error_of_the_call(run: Run) -> None:
    async def work(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    async def main() -> list[float | Exception]:
        with pytest.raises(TimeoutError):
            await parallel_map([0, 10], work, limit=2, timeout=0.02)
        return await parallel_map([0, 10, 0], work, limit=2, timeout=0.02, on_error="return")

    first, error, last = run(main)
    assert (first, last) == (0, 0)
    assert isinstance(error, TimeoutError)


def test_timeout_does_not_count_the_wait_for_a_place(run: Run) -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0.02)
        return number

    async def main() -> list[int]:
        return await parallel_map(range(5), work, limit=1, timeout=0.06, rate=1000)

    assert run(main) == list(range(5))


def test_exception_of_progress_callback_ends_the_map(run: Run) -> None:
    def show(done: int, total: int | None) -> None:
        raise OSError(done, total)

    async def main() -> None:
        await parallel_map(range(5), double, limit=2, on_error="skip", progress=show)

    with pytest.raises(OSError, match="1"):
        run(main)


# Retries


class Flaky:
    """Fails so many times an item, then succeeds."""

    def __init__(self, times: int) -> None:
        self.left: dict[int, int] = {}
        self.times = times

    async def __call__(self, number: int) -> int:
        left = self.left.setdefault(number, self.times)
        if left:
            self.left[number] -= 1
            raise ConnectionError(number)
        return number


@pytest.mark.parametrize("retry", [2, Retry(times=2, wait=0.001), Retry(times=5, wait=0, on=(ConnectionError,))])
def test_retry_makes_a_failed_call_again(run: Run, retry: Any) -> None:
    async def main() -> list[int]:
        return await parallel_map(range(3), Flaky(2), limit=3, retry=retry)

    assert run(main) == [0, 1, 2]


def test_retry_gives_up_with_the_last_error(run: Run) -> None:
    async def main() -> None:
        await parallel_map(range(3), Flaky(2), limit=3, retry=Retry(times=1, wait=0))

    with pytest.raises(ConnectionError):
        run(main)


def test_only_given_exceptions_are_retried(run: Run) -> None:
    flaky = Flaky(1)

    async def main() -> None:
        await parallel_map([0], flaky, limit=3, retry=Retry(times=3, wait=0, on=TimeoutError))

    with pytest.raises(ConnectionError):
        run(main)
    assert flaky.left == {0: 0}


def test_retry_gives_each_attempt_the_full_timeout(run: Run) -> None:
    attempts = 0

    async def work(_: int) -> str:
        nonlocal attempts
        attempts += 1
        await asyncio.sleep(10 if attempts == 1 else 0.02)
        return "done"

    async def main() -> list[str]:
        return await parallel_map([0], work, limit=1, timeout=0.05, retry=Retry(times=1, wait=0))

    assert run(main) == ["done"]


def test_retry_may_be_a_decorator_of_tenacity(run: Run) -> None:
    tenacity = pytest.importorskip("tenacity")

    async def main() -> list[int]:
        again = tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_none(), reraise=True)
        return await parallel_map(range(3), Flaky(2), limit=3, retry=again)

    assert run(main) == [0, 1, 2]


@pytest.mark.parametrize("wraps", [False, True])
def test_a_cancelled_call_is_not_made_again(run: Run, wraps: bool) -> None:
    begun = 0

    async def work(_: int) -> None:
        nonlocal begun
        begun += 1
        try:
            await asyncio.sleep(10)
        except BaseException as error:
            if wraps:
                raise LookupError("no answer") from error
            raise

    async def main() -> None:
        task = asyncio.ensure_future(asyncio.wait_for(parallel_map([0], work, limit=1, retry=5), 0.02))
        with pytest.raises(TimeoutError):
            await task

    run(main)
    assert begun == 1


# Threads and contexts


@pytest.mark.usefixtures("no_threads_left")
def test_a_sync_function_runs_in_threads_up_to_the_limit(run: Run) -> None:
    gauge = Gauge()
    main_thread = threading.get_ident()

    def work(number: int) -> int:
        assert threading.get_ident() != main_thread
        with gauge.running():
            time.sleep(0.01)
        return number

    async def main() -> list[int]:
        return await parallel_map(range(40), work, limit=20)

    assert run(main) == list(range(40))
    assert 1 < gauge.most <= 20


request = contextvars.ContextVar("request", default="none")


@pytest.mark.parametrize("is_async", [True, False])
def test_calls_see_the_context_around_and_not_one_anothers(run: Run, is_async: bool) -> None:
    def look(number: int) -> str:
        seen = request.get()
        request.set(f"call {number}")
        return seen

    async def look_async(number: int) -> str:
        seen = look(number)
        await asyncio.sleep(0)
        assert request.get() == f"call {number}"
        return seen

    async def main() -> list[str]:
        request.set("outer")
        results: list[str] = await parallel_map(range(9), look_async if is_async else look, limit=2)
        assert request.get() == "outer"
        return results

    assert run(main) == ["outer"] * 9


def test_a_function_that_returns_an_awaitable_is_awaited(run: Run) -> None:
    async def main() -> list[int]:
        return await parallel_map(range(3), lambda number: double(number), limit=2)  # noqa: PLW0108 - a lambda, often

    assert run(main) == [0, 2, 4]


@pytest.mark.usefixtures("no_threads_left")
def test_error_in_a_thread(run: Run) -> None:
    def work(number: int) -> int:
        raise StopIteration(number) if number else LookupError(number)

    async def main() -> list[int | Exception]:
        return await parallel_map(range(2), work, limit=2, on_error="return")

    lookup, stop = run(main)
    assert isinstance(lookup, LookupError)
    assert isinstance(stop, RuntimeError)  # a StopIteration cannot pass through a coroutine
    assert isinstance(stop.__cause__, StopIteration)


@pytest.mark.usefixtures("no_threads_left")
def test_cancelled_outside_waits_for_threads(run: Run) -> None:
    ended = []

    def work(number: int) -> None:
        time.sleep(0.1)
        ended.append(number)

    async def main() -> None:
        task = asyncio.ensure_future(asyncio.wait_for(parallel_map(range(50), work, limit=2), 0.03))
        with pytest.raises(TimeoutError):
            await task
        assert sorted(ended) == [0, 1]

    run(main)


@pytest.mark.usefixtures("no_threads_left")
def test_timeout_does_not_wait_for_the_thread_which_keeps_its_place(run: Run) -> None:
    running = 0
    most = 0
    go_on = threading.Event()

    def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if number == 0:
            go_on.wait(5)
        running -= 1
        return number

    async def main() -> list[int | Exception]:
        began = clock.monotonic_s()
        found = await parallel_map(range(3), work, limit=2, timeout=0.1, on_error="return")
        assert clock.monotonic_s() - began < 2
        return found

    try:
        hung, *others = run(main)
    finally:
        go_on.set()
    assert isinstance(hung, TimeoutError)
    assert others == [1, 2]
    assert most <= 2


def test_partials_methods_and_callable_objects(run: Run) -> None:
    class Service:
        async def fetch(self, number: int) -> int:
            return number

        async def __call__(self, number: int) -> int:
            return number

    async def add(left: int, right: int) -> int:
        return left + right

    async def main() -> list[list[int]]:
        service = Service()
        return [
            await parallel_map([1], service.fetch, limit=1),
            await parallel_map([1], service, limit=1),
            await parallel_map([1], functools.partial(add, 1), limit=1),
        ]

    assert run(main) == [[1], [1], [2]]


# Progress


@pytest.mark.parametrize(("source", "total"), [(range, 7), (numbers, None)], ids=["sized", "async"])
def test_progress_counts_items_also_in_chunks(run: Run, source: Any, total: int | None) -> None:
    told: list[tuple[int, int | None]] = []

    async def work(batch: list[int]) -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        await parallel_map(source(7), work, limit=1, chunk=3, progress=lambda *state: told.append(state))

    run(main)
    assert told == [(3, total), (6, total), (7, total)]


# What is refused


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"limit": 0}, ValueError, "limit= must be 1 or more, not 0"),
        ({"limit": 1.5}, TypeError, "limit= must be an integer, not 1.5"),
        ({"limit": 1, "chunk": 0}, ValueError, "chunk="),
        ({"limit": 1, "timeout": 0}, ValueError, "timeout= must be above 0 seconds"),
        ({"limit": 1, "rate": 0}, ValueError, "rate must be above 0"),
        ({"limit": 1, "rate": "fast"}, TypeError, "rate="),
        ({"limit": 1, "retry": -1}, ValueError, "times="),
        ({"limit": 1, "retry": "often"}, TypeError, "retry="),
        ({"limit": 1, "on_error": "ignore"}, ValueError, "on_error="),
    ],
)
def test_wrong_options_are_refused_at_once(options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        parallel_map(range(3), double, **options)


def test_wrong_items_and_functions_are_refused_at_once() -> None:
    async def stream(number: int) -> AsyncIterator[int]:
        yield number

    nothing: Any = None
    with pytest.raises(TypeError, match="items must be iterable, not None"):
        parallel_map(nothing, double, limit=1)
    with pytest.raises(TypeError, match="stream\\(\\) is a generator function"):
        parallel_map([1], stream, limit=1)
    with pytest.raises(TypeError, match="expected a function"):
        parallel_map([1], nothing, limit=1)
    with pytest.raises(ValueError, match="burst="):
        Rate(1, burst=0)
    for wrong in ({"wait": -1}, {"factor": 0.5}):
        with pytest.raises(ValueError, match="must be"):
            Retry(**wrong)
