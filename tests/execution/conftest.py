"""Runs each async function under asyncio's own event loop on the virtual clock, and under uvloop in real time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import pytest
import uvloop
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_parallelism import install, uninstall
from tests.virtual_time import VirtualLoop, exactly

Main: TypeAlias = Callable[[], Awaitable[Any]]
Run: TypeAlias = Callable[[Main], Any]
Near: TypeAlias = Callable[[float], Any]


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "virtual": VirtualLoop,
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
REAL_AND_VIRTUAL = ["virtual", pytest.param("uvloop", marks=pytest.mark.process)]
each_loop = pytest.mark.parametrize("loop", REAL_AND_VIRTUAL)
"""Runs a test on the virtual clock, and in real time under uvloop."""


def run_in(loop: str, main: Main) -> Any:
    """Return what *main* returns in a new loop; fail if a task is left running or an error is unhandled."""
    unseen: list[dict[str, Any]] = []

    async def watched() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        # On the virtual clock, a time limit would be a deadline to jump to while a thread is slow.
        result = await (asyncio.ensure_future(main()) if loop == "virtual" else asyncio.wait_for(main(), 30))
        # The loop closes an abandoned generator in a task of its own, which needs one more step since Python 3.12.
        await asyncio.sleep(0)
        assert asyncio.all_tasks() - {asyncio.current_task()} == set()
        return result

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        result = runner.run(watched())
    assert unseen == []
    return result


@pytest.fixture(params=REAL_AND_VIRTUAL)
def loop(request: pytest.FixtureRequest) -> str:
    """Return the name of an event loop."""
    return str(request.param)


@pytest.fixture
def run(loop: str) -> Run:
    """Return a function that runs an async function to its end and checks that it leaves no task behind."""
    return lambda main: run_in(loop, main)


@pytest.fixture
def near(loop: str) -> Near:
    """
    Return a function from seconds to what equals them: exactly on the virtual clock, else up to 0.2 s more.

    A tenth less is equal too: a real clock runs on while the first call of a function is prepared.
    """
    return exactly if loop == "virtual" else lambda seconds: pytest.approx(0.9 * seconds + 0.1, abs=0.1)


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    """Check that no thread is left running a call."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("parallelism"):
            thread.join(5)
            assert not thread.is_alive()


class Spans:
    """The spans that were exported so far."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[ReadableSpan]:
        """All of them, in order of start."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def calls(self) -> list[ReadableSpan]:
        """Those of tool calls."""
        return [span for span in self.all() if span.name.startswith("execute_tool")]


@pytest.fixture
def spans() -> Iterator[Spans]:
    """What a provider of the program's own exports, with everything installed."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    install(provider)
    try:
        yield Spans(exporter)
    finally:
        uninstall()
        provider.shutdown()
