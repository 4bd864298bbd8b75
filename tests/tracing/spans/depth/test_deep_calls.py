"""Recursion through decorated functions goes as deep as undecorated, and never ends the process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, profiled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from tests.conftest import Kit

LIMIT = 1_000
LIMIT_BEFORE = sys.getrecursionlimit()


@pytest.fixture(autouse=True)
def _deep() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


def functions(decorate: Any) -> dict[str, Callable[[int], int]]:  # noqa: C901 - one function of each kind
    """Return a recursive function of each kind; each returns the number of levels it is given."""

    @decorate
    def down(levels: int) -> int:
        return 1 + down(levels - 1) if levels else 0

    @decorate
    async def down_at_once(levels: int) -> int:
        return 1 + await down_at_once(levels - 1) if levels else 0

    @decorate
    async def down_and_wait(levels: int) -> int:
        if levels:
            return 1 + await down_and_wait(levels - 1)
        await asyncio.sleep(0)
        return 0

    @decorate
    def steps(levels: int) -> Generator[None, None, int]:
        if levels:
            return 1 + (yield from steps(levels - 1))
        yield
        return 0

    @decorate
    async def steps_at_once(levels: int) -> AsyncIterator[int]:
        if levels:
            async for step in steps_at_once(levels - 1):
                last = step
        yield last + 1 if levels else 0

    @decorate
    async def steps_and_wait(levels: int) -> AsyncIterator[int]:
        if levels:
            async for step in steps_and_wait(levels - 1):
                last = step
        await asyncio.sleep(0)
        yield last + 1 if levels else 0

    class Walker:
        @decorate
        def down(self, *, levels: int) -> int:
            return 1 + self.down(levels=levels - 1) if levels else 0

    def returned(steps: Generator[None, None, int]) -> int:
        result = 0

        def run() -> Iterator[None]:
            nonlocal result
            result = yield from steps

        assert list(run()) == [None]
        return result

    async def last(steps: AsyncIterator[int]) -> int:
        return [step async for step in steps][-1]

    return {
        "function": down,
        "method": lambda levels: Walker().down(levels=levels),
        "coroutine": lambda levels: asyncio.run(down_at_once(levels)),
        "coroutine that waits": lambda levels: asyncio.run(down_and_wait(levels)),
        "generator": lambda levels: returned(steps(levels)),
        "async generator": lambda levels: asyncio.run(last(steps_at_once(levels))),
        "async generator that waits": lambda levels: asyncio.run(last(steps_and_wait(levels))),
    }


PLAIN = functions(lambda function: function)
DECORATED = functions(profiled)
KINDS = tuple(PLAIN)


def in_thread(stack_bytes: int, call: Callable[[], int]) -> Any:
    """Return what *call* returns or raises in a thread with a stack of that size."""
    found: list[Any] = []

    def run() -> None:
        try:
            with agent_turn("t"):
                found.append(call())
        except RecursionError as error:
            found.append(error)

    before = threading.stack_size(stack_bytes)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    return found[0]


def deepest(call: Callable[[int], int]) -> int:
    """Return the most levels that *call* reaches in a new thread, to within 30."""
    least, most = 0, LIMIT
    while most - least > 30:
        levels = (least + most) // 2
        if in_thread(0, lambda: call(levels)) == levels:  # noqa: B023 - called at once
            least = levels
        else:
            most = levels
    return least


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("kit")
@pytest.mark.slow
def test_recursion_goes_as_deep_as_undecorated(kind: str) -> None:
    sys.setrecursionlimit(LIMIT)
    plain = deepest(PLAIN[kind])
    assert plain > 300
    # Early releases of Python 3.12 allow 1,500 calls through C inside one another, of which a level takes up to five.
    assert deepest(DECORATED[kind]) >= (250 if sys.version_info[:2] == (3, 12) else plain - 40)
    assert sys.getrecursionlimit() == LIMIT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("kit")
@pytest.mark.slow
def test_endless_recursion_is_an_error(kind: str) -> None:
    sys.setrecursionlimit(LIMIT)
    assert isinstance(in_thread(0, lambda: DECORATED[kind](1 << 30)), RecursionError)
    assert sys.getrecursionlimit() == LIMIT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("kit")
@pytest.mark.slow
def test_recursion_does_not_overflow_the_stack(kind: str) -> None:
    sys.setrecursionlimit(50_000)
    found = in_thread(1 << 20, lambda: DECORATED[kind](9_000))
    # From Python 3.12 on, a call that is not recorded takes no C stack.
    assert isinstance(found, RecursionError) or (found == 9_000 and sys.version_info >= (3, 12))
    assert sys.getrecursionlimit() == 50_000


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the interpreter bounds the number of calls through wrappers")
@pytest.mark.slow
def test_a_larger_stack_takes_deeper_recursion(kit: Kit) -> None:
    sys.setrecursionlimit(50_000)
    assert in_thread(16 << 20, lambda: DECORATED["function"](2_000)) == 2_000
    assert kit.reports[0].turn.coverage == 1


GROWING = """
import resource, sys
from otel_parallelism import profiled

@profiled
def down(levels):
    return 1 + down(levels - 1) if levels else resource.getrlimit(resource.RLIMIT_STACK)[0] // 10**6

sys.setrecursionlimit(10**6)
before = resource.getrlimit(resource.RLIMIT_STACK)
for _ in range(2):
    print(down(20_000) > 20_000 + before[0] // 10**6, resource.getrlimit(resource.RLIMIT_STACK) == before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the main thread's stack grow")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the interpreter bounds the number of calls through wrappers")
@pytest.mark.process
def test_stack_of_the_main_thread_grows_and_its_limit_is_restored() -> None:
    command = [sys.executable, "-c", GROWING]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this interpreter
    assert (done.stdout, done.stderr) == ("True True\nTrue True\n", "")


FORKED = """
import os, sys, threading
from otel_parallelism import profiled

@profiled
def down(levels):
    return 1 + down(levels - 1) if levels else 0

def fork():
    child = os.fork()
    if child:
        print(os.waitpid(child, 0)[1])
        return
    try:
        down(20_000)
    except RecursionError:
        os._exit(0)

sys.setrecursionlimit(10**6)
threading.Thread(target=fork).start()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes fork on Unix only")
@pytest.mark.process
def test_main_thread_of_a_process_forked_by_a_thread_has_that_threads_stack() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this interpreter
    assert (done.stdout, done.stderr) == ("0\n", "")


@profiled
async def wait_below(levels: int, seen: list[str]) -> None:
    try:
        await (wait_below(levels - 1, seen) if levels else asyncio.sleep(60))
    except BaseException as error:
        seen.append(type(error).__name__)
        raise


async def test_deep_calls_are_cancelled(kit: Kit) -> None:
    seen: list[str] = []
    task = asyncio.create_task(wait_below(70, seen))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["CancelledError"] * 71
    assert len(kit.spans) == 71
    assert sys.getrecursionlimit() == LIMIT_BEFORE


async def test_deep_calls_are_closed(kit: Kit) -> None:
    seen: list[str] = []
    calls = wait_below(70, seen)
    calls.send(None)
    calls.close()
    assert seen == ["GeneratorExit"] * 71
    assert len(kit.spans) == 71
    assert sys.getrecursionlimit() == LIMIT_BEFORE
