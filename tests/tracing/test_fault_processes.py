"""
Faults that need a process, a signal or another event loop: a program prints the same with and without `@profiled`.

Two faults are not tested here. Python without the global interpreter lock is not installed where the checks run. Of
interactive debuggers, `test_span_faults.py` tests the trace functions that they use.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

PLAIN = """
import contextlib
profiled = lambda function: function
agent_turn = lambda name=None: contextlib.nullcontext()
"""
DECORATED = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from otel_parallelism import agent_turn, install, profiled

class Exporter(SpanExporter):
    def export(self, spans):
        EXPORT

provider = TracerProvider()
provider.add_span_processor(PROCESSOR(Exporter()))
install(provider)
"""
NOT_INSTALLED = "from otel_parallelism import agent_turn, profiled\n"
COMMON = """
import asyncio, gc, os, signal, sys, threading, time

@profiled
def tool(x):
    return x

@profiled
async def async_tool(x):
    await asyncio.sleep(0)
    return x

"""


def outcome(folder: Path, code: str) -> tuple[int, str, str]:
    """Run *code* in a process of its own and return its exit status, and what it prints, on stdout and stderr."""
    program = folder / "program.py"
    program.write_text(code)
    command = [sys.executable, str(program)]
    # Coverage would take as long again, and find little that other tests do not.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    done = subprocess.run(  # noqa: S603 - our own code
        command, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    return done.returncode, done.stdout, done.stderr


def same(
    folder: Path, code: str, *, before: str = "", export: str = "return None", processor: str = "SimpleSpanProcessor"
) -> str:
    """Check that *code* ends and prints the same plain and decorated; return what it prints."""
    body = COMMON + dedent(code)
    decorated = before + DECORATED.replace("EXPORT", export).replace("PROCESSOR", processor) + body
    expected = outcome(folder, before + PLAIN + body)
    assert outcome(folder, decorated) == expected
    return expected[1]


def same_without_install(folder: Path, code: str) -> str:
    """Check that *code* ends and prints the same plain, and decorated without `install`; return what it prints."""
    body = COMMON + dedent(code)
    expected = outcome(folder, PLAIN + body)
    assert outcome(folder, NOT_INSTALLED + body) == expected
    return expected[1]


@pytest.mark.parametrize(
    "ending",
    ["pass", "sys.exit(3)", "os.kill(os.getpid(), signal.SIGTERM)"],
)
def test_interpreter_exit_with_open_turns(tmp_path: Path, ending: str) -> None:
    """The turn stays open, in the main thread and in a daemon thread, and a task is left pending."""
    code = f"""
    import atexit
    sys.excepthook = lambda kind, error, trace: print(kind.__name__, flush=True)
    def at_exit():
        with agent_turn("exit"):
            print(tool(1), asyncio.run(async_tool(2)), flush=True)
    atexit.register(at_exit)
    def works():
        with agent_turn("thread"):
            while True:
                tool(1)
                time.sleep(0.001)
    threading.Thread(target=works, daemon=True).start()
    turn = agent_turn("open")
    turn.__enter__()
    tool(1)
    coroutine = async_tool(1)
    coroutine.send(None)
    {ending}
    """
    same(tmp_path, code)


def test_keyboard_interrupt_and_system_exit_inside_a_wrapper(tmp_path: Path) -> None:
    code = """
    @profiled
    def interrupted():
        signal.raise_signal(signal.SIGINT)
    @profiled
    async def interrupted_async():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(10)
        finally:
            print("finally")
    @profiled
    def leaves():
        sys.exit(5)
    async def agent():
        with agent_turn("t"):
            await interrupted_async()
    for call in (interrupted, lambda: asyncio.run(agent())):
        try:
            with agent_turn("t"):
                call()
        except KeyboardInterrupt as error:
            print(repr(error), repr(error.__context__))
    with agent_turn("t"):
        leaves()
    """
    assert same(tmp_path, code).count("KeyboardInterrupt()") == 2


def test_fork_with_open_turns(tmp_path: Path) -> None:
    """As gunicorn does with an application that it has loaded before: the child goes on, and ends by itself."""
    code = """
    import warnings
    warnings.simplefilter("ignore")
    stop = threading.Event()
    def works():
        while not stop.is_set():
            with agent_turn("thread"):
                tool(1)
    threads = [threading.Thread(target=works) for _ in range(2)]
    for thread in threads:
        thread.start()
    with agent_turn("open"):
        tool(1)
        for number in range(5):
            child = os.fork()
            if not child:
                tool(2)
                with agent_turn("child"):
                    print(tool(number), asyncio.run(async_tool(number)), flush=True)
                os._exit(number)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    stop.set()
    for thread in threads:
        thread.join()
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    sys.exit(0 if child else 9)
    """
    assert same(tmp_path, code).splitlines()[-1] == "9"


def test_fork_of_a_program_that_installs_nothing(tmp_path: Path) -> None:
    code = """
    import warnings
    warnings.simplefilter("ignore")
    stop = threading.Event()
    def works():
        while not stop.is_set():
            with agent_turn("thread"):
                tool(1)
    with agent_turn("first"):
        tool(0)  # imports what a process cannot import where a thread has begun to, and is not in its fork
    threads = [threading.Thread(target=works) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(60):
        child = os.fork()
        if not child:
            signal.alarm(20)
            with agent_turn("child"):
                tool(number)
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set()
    """
    assert same_without_install(tmp_path, code).split() == ["7"] * 60


def test_a_first_call_at_the_interpreters_exit(tmp_path: Path) -> None:
    code = """
    class Last:
        def __del__(self):
            print(tool(7))
    last = Last()
    """
    assert same_without_install(tmp_path, code) == "7\n"


def test_calls_that_the_garbage_collector_makes(tmp_path: Path) -> None:
    """Up to Python 3.11 it may run inside any change of a context variable, where such a call changes it, too."""
    code = """
    class Cycle:
        def __init__(self):
            self.cycle = self
        def __del__(self):
            with agent_turn("inside"):
                tool(1)
    for threshold in range(5, 15):
        gc.set_threshold(threshold)
        for _ in range(100):
            Cycle()
            with agent_turn("around"):
                tool(2)
    print("done")
    """
    assert same_without_install(tmp_path, code) == "done\n"


def test_spawn_and_multiprocessing(tmp_path: Path) -> None:
    code = """
    def main():
        import multiprocessing, concurrent.futures, warnings
        warnings.simplefilter("ignore")
        for way in ("spawn", "fork"):
            context = multiprocessing.get_context(way)
            with agent_turn("t"), concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
                print(way, list(pool.map(tool, range(3))), pool.submit(tool, 4).result())
    if __name__ == "__main__":
        main()
    """
    assert len(same(tmp_path, code).splitlines()) == 2


@pytest.mark.parametrize("export", ["raise ConnectionError", "time.sleep(1)"])
def test_exporter_that_raises_hangs_or_is_gone(tmp_path: Path, export: str) -> None:
    """The SDK logs what an exporter raises; nothing else is said, and a call takes no longer."""
    code = """
    import logging
    logging.disable(logging.ERROR)
    start = time.monotonic()
    with agent_turn("t"):
        print(tool(1), asyncio.run(async_tool(2)))
    print(time.monotonic() - start < 0.9)
    """
    same(tmp_path, code, export=export, processor="BatchSpanProcessor")


def test_exporter_that_hangs_at_every_span(tmp_path: Path) -> None:
    """Without a batch, the program waits for its exporter as for any span, and no lock of ours is held meanwhile."""
    code = """
    def works():
        with agent_turn("thread"):
            tool(1)
    threads = [threading.Thread(target=works) for _ in range(8)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(time.monotonic() - start < 0.9)
    """
    assert same(tmp_path, code, export="time.sleep(0.1)") == "True\n"


@pytest.mark.parametrize("processor", ["SimpleSpanProcessor", "BatchSpanProcessor"])
def test_provider_that_is_shut_down_in_mid_turn(tmp_path: Path, processor: str) -> None:
    code = """
    with agent_turn("t"):
        print(tool(1))
        if "provider" in globals():
            provider.shutdown()
        print(tool(2), asyncio.run(async_tool(3)))
    with agent_turn("later"):
        print(tool(4))
    """
    same(tmp_path, code, processor=processor)


def test_recursion_to_the_limit(tmp_path: Path) -> None:
    code = """
    @profiled
    def endless(n):
        return endless(n + 1)
    @profiled
    async def endless_async(n):
        return await endless_async(n + 1)
    reached = []
    def down(n):
        try:
            reached.append(tool(n))
        except RecursionError:
            return
        down(n + 1)
    with agent_turn("t"):
        for call in (lambda: endless(0), lambda: asyncio.run(endless_async(0))):
            try:
                call()
            except RecursionError as error:
                print(str(error)[:32])
        down(0)
    print(len(reached) > 900, tool(1), asyncio.run(async_tool(2)))
    """
    same(tmp_path, code)


def test_files_threads_and_tasks_are_not_left(tmp_path: Path) -> None:
    code = """
    def held():
        return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0, threading.active_count()
    async def agent():
        with agent_turn("t"):
            await asyncio.gather(*map(async_tool, range(50)))
        print(len(asyncio.all_tasks()))
    asyncio.run(agent())
    before = held()
    for _ in range(20):
        with agent_turn("t"):
            [tool(number) for number in range(50)]
    asyncio.run(agent())
    print([b - a for a, b in zip(before, held())])
    """
    assert same(tmp_path, code) == "1\n1\n[0, 0]\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks start eagerly from Python 3.12 on")
def test_eager_tasks(tmp_path: Path) -> None:
    code = """
    @profiled
    async def at_once(x):
        return x
    async def agent():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        with agent_turn("t"):
            done, later = asyncio.create_task(at_once(1)), asyncio.create_task(async_tool(2))
            print(done.done(), later.done(), await done, await later)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(async_tool(number)) for number in range(3)]
            print([task.result() for task in tasks], await asyncio.gather(at_once(1), async_tool(2)))
    asyncio.run(agent())
    """
    same(tmp_path, code)


@pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")
def test_uvloop(tmp_path: Path) -> None:
    code = """
    import uvloop
    @profiled
    async def items():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            print("finally")
    async def agent():
        with agent_turn("t"):
            print(await asyncio.gather(async_tool(1), async_tool(2)), await asyncio.to_thread(tool, 3))
            left = items()
            print(await anext(left))
            try:
                await asyncio.wait_for(profiled(asyncio.sleep)(1), 0.01)
            except TimeoutError:
                print("timeout")
    uvloop.run(agent())
    """
    assert "timeout" in same(tmp_path, code)


@pytest.mark.skipif(find_spec("trio") is None or find_spec("anyio") is None, reason="trio and anyio are not installed")
def test_trio_through_anyio(tmp_path: Path) -> None:
    code = """
    import anyio, trio
    @profiled
    async def sleeps(x):
        await anyio.sleep(0.001)
        return x
    @profiled
    async def items():
        try:
            yield 1
            await anyio.sleep(0)
            yield 2
        finally:
            print("finally")
    async def agent():
        with agent_turn("t"):
            found = []
            async def add(x):
                found.append(await sleeps(x))
            async with anyio.create_task_group() as group:
                for number in range(3):
                    group.start_soon(add, number)
            print(sorted(found), [x async for x in items()], await anyio.to_thread.run_sync(tool, 4))
            with anyio.move_on_after(0) as scope:
                await sleeps(1)
            print(scope.cancelled_caught)
            left = items()
            await anext(left)
            await left.aclose()
    anyio.run(agent, backend="trio")
    anyio.run(agent, backend="asyncio")
    trio.run(agent)
    """
    assert same(tmp_path, code).count("[0, 1, 2]") == 3


@pytest.mark.skipif(find_spec("nest_asyncio") is None, reason="nest_asyncio is not installed")
def test_nested_loops(tmp_path: Path) -> None:
    code = """
    import nest_asyncio
    nest_asyncio.apply()
    @profiled
    def runs():
        return asyncio.get_event_loop().run_until_complete(async_tool(1))
    async def agent():
        with agent_turn("t"):
            print(runs(), await async_tool(2), runs())
    asyncio.run(agent())
    """
    same(tmp_path, code)


@pytest.mark.skipif(find_spec("gevent") is None, reason="gevent is not installed")
def test_gevent(tmp_path: Path) -> None:
    code = """
    import gevent, gevent.pool
    @profiled
    def sleeps(x):
        time.sleep(0.001)
        return x
    def agent(number):
        with agent_turn("t"):
            return sleeps(number), [one.get() for one in [gevent.spawn(sleeps, n) for n in range(3)]]
    print([one.get() for one in [gevent.spawn(agent, number) for number in range(4)]])
    print(gevent.spawn(tool, 1).get(), gevent.pool.Pool(2).map(sleeps, range(4)))
    with agent_turn("t"):
        killed = gevent.spawn(sleeps, 1)
        killed.kill()
        print(repr(killed.value))
        try:
            with gevent.Timeout(0.001):
                profiled(time.sleep)(1)
        except gevent.Timeout:
            print("timeout")
    """
    assert "timeout" in same(tmp_path, code, before="from gevent import monkey; monkey.patch_all()\n")
