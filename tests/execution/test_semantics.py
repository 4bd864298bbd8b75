"""
The table in docs/fixing.md about errors, timeouts and cancellation: each cell is a test.

Three calls run together in each possible way: one that ends at once, one that fails or is cancelled, and a slower one
that records when it is cancelled. Expected results are written as in the table.
"""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import parallel_map, run_tools
from otel_parallelism.execution import TaskGraph

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .conftest import Run

WAYS = ("raise", "return", "skip", "run_tools", "all", "dependents")
TIMEOUT_S = 0.3

# What is raised: what each way makes of it. Where the caller gets it, the others are cancelled; elsewhere they go on.
EXPECTED = {
    "error": "LookupError",
    "error in a thread": "LookupError",
    "timeout": "TimeoutError",
    "timeout in a thread": "TimeoutError",
    "cancelled from within": "CancelledCallError",
}


async def get_error() -> None:
    await asyncio.sleep(0.01)
    raise LookupError("no such thing")


def get_error_in_thread() -> None:
    time.sleep(0.01)
    raise LookupError("no such thing")


async def get_timeout() -> None:
    await asyncio.sleep(10)


def get_timeout_in_thread() -> None:
    time.sleep(0.5)


async def get_cancelled() -> None:
    await asyncio.sleep(0.01)
    raise asyncio.CancelledError


EVENTS: dict[str, Callable[[], Any]] = {
    "error": get_error,
    "error in a thread": get_error_in_thread,
    "timeout": get_timeout,
    "timeout in a thread": get_timeout_in_thread,
    "cancelled from within": get_cancelled,
}


class Others:
    """The calls that nothing happens to, and what became of the slower one."""

    def __init__(self) -> None:
        self.state = "not begun"

    async def get_first(self) -> str:
        return "first"

    async def get_last(self) -> str:
        self.state = "running"
        try:
            await asyncio.sleep(0.15)
        except asyncio.CancelledError:
            self.state = "cancelled"
            raise
        self.state = "done"
        return "last"


async def outcome(way: str, calls: list[Callable[[], Any]], timeout: float | None) -> list[Any]:  # noqa: ASYNC109 - passed on
    """What the caller gets: results in order, errors by the name of their type."""
    if way in {"raise", "return", "skip"}:

        def call(function: Callable[[], Any]) -> Any:
            return function()

        async def call_async(function: Callable[[], Awaitable[Any]]) -> Any:
            return await function()

        # One function for all calls, as a map has it: in threads if one of them must be.
        in_threads = any(function.__name__.endswith("in_thread") for function in calls)
        chosen: Any = call if in_threads else call_async
        policy: Any = way
        results = await parallel_map(calls, chosen, limit=3, timeout=timeout, on_error=policy)
        return [type(result).__name__ if isinstance(result, Exception) else result for result in results]
    if way == "run_tools":
        asked = [{"id": str(number), "name": call.__name__, "arguments": {}} for number, call in enumerate(calls)]
        answers = await run_tools(asked, calls, timeout=timeout)
        assert [answer["id"] for answer in answers] == ["0", "1", "2"]
        return [answer["content"].split(":")[0] for answer in answers]
    graph = TaskGraph(on_failure="all" if way == "all" else "dependents")
    for function in calls:
        graph.add(function, timeout=timeout)
    found = await graph.run()
    names = [function.__name__ for function in calls]
    return [found[name] if name in found else type(found.errors[name]).__name__ for name in names]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("event", EXPECTED)
def test_outcome_of_an_error(run: Run, loop: str, event: str, way: str) -> None:
    if loop == "virtual" and event == "timeout in a thread":
        pytest.skip("real threads start in real time: tests marked `process` run this on real event loops")
    others = Others()
    calls = [others.get_first, EVENTS[event], others.get_last]
    timeout = TIMEOUT_S if "timeout" in event else None
    error = EXPECTED[event]

    async def main() -> Any:
        try:
            return await outcome(way, calls, timeout)
        except Exception as raised:  # noqa: BLE001 - whatever comes is compared
            return type(raised).__name__

    found = run(main)
    if way in {"raise", "all"}:
        assert found == error
        assert others.state == ("done" if timeout else "cancelled")
    else:
        assert found == {"skip": ["first", "last"]}.get(way, ["first", error, "last"])
        assert others.state == "done"


@pytest.mark.parametrize("way", WAYS)
def test_outcome_of_a_cancellation(run: Run, way: str) -> None:
    others = Others()

    async def main() -> None:
        task = asyncio.create_task(outcome(way, [others.get_first, others.get_last, get_timeout], None))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert others.state == "cancelled"

    run(main)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("no_threads_left")
def test_outcome_of_cancelled_threads(run: Run, way: str) -> None:
    ended = []

    def get_in_thread() -> None:
        time.sleep(0.05)
        ended.append(True)

    def get_more_in_thread() -> None:
        get_in_thread()

    async def main() -> None:
        task = asyncio.create_task(outcome(way, [get_in_thread, get_more_in_thread], None))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == [True, True]

    run(main)


class Held:
    """Something that an error holds."""


@pytest.mark.parametrize("in_thread", [False, True])
async def test_an_error_that_was_caught_is_freed_without_a_collection(in_thread: bool) -> None:
    held: list[weakref.ref[Held]] = []

    def fail(item: int) -> None:
        error = LookupError(item)
        error.held = Held()  # type: ignore[attr-defined] # any object can be set on an exception
        held.append(weakref.ref(error.held))  # type: ignore[attr-defined] # as above
        try:
            raise error
        finally:
            del error  # else this very frame would hold it

    async def fail_later(item: int) -> None:
        fail(item)

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(LookupError) as caught:
            await parallel_map([1], fail if in_thread else fail_later, limit=1)
        del caught
        await asyncio.sleep(0)  # the task ends
        assert [reference() for reference in held] == [None]
    finally:
        gc.enable()
