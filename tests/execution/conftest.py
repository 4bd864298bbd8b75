"""Every test that runs something runs it under asyncio's own event loop and under uvloop."""

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

Main: TypeAlias = Callable[[], Awaitable[Any]]
Run: TypeAlias = Callable[[Main], Any]


class Clockwork(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer, so that delays are exact and cost nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._poll = self._selector.select
        self._selector.select = self._jump

    def time(self) -> float:
        """The loop's own time."""
        return self._now

    def _jump(self, timeout: float | None) -> Any:
        if timeout:
            self._now += timeout
        return self._poll(0)


LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop, "clockwork": Clockwork}


def run_in(loop: str, main: Main) -> Any:
    """What *main* returns, in a new loop; nothing may be left running in it, and no error may go unseen."""
    unseen: list[dict[str, Any]] = []

    async def watched() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        result = await asyncio.wait_for(main(), 30)
        # A generator that is let go of is closed by the event loop, in a task of its own; before Python 3.12, wait_for
        # happened to leave it the time.
        await asyncio.sleep(0)
        assert asyncio.all_tasks() - {asyncio.current_task()} == set()
        return result

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        result = runner.run(watched())
    assert unseen == []
    return result


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> str:
    """The name of an event loop."""
    return str(request.param)


@pytest.fixture
def run(loop: str) -> Run:
    """Runs an async function to its end, and proves that it leaves no task behind."""
    return lambda main: run_in(loop, main)


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    """Proves that no thread is left running a call."""
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
