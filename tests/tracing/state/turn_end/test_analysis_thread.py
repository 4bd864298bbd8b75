"""The thread runs analyses in order, survives what they raise, and changes nothing that outlasts them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from otel_parallelism import clock
from otel_parallelism.pace import paced
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.state.turn_end.analysis_thread import AnalysisThread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def thread() -> Iterator[AnalysisThread]:
    made = AnalysisThread()
    yield made
    made.wait_for_all(30)


def test_analyses_run_in_order_in_one_other_thread(thread: AnalysisThread) -> None:
    ran: list[tuple[int, int]] = []
    for number in range(5):
        thread.submit(lambda number=number: ran.append((number, threading.get_ident())))
    assert thread.wait_for_all(30)
    assert [number for number, _ in ran] == [0, 1, 2, 3, 4]
    assert len({ident for _, ident in ran} - {threading.get_ident()}) == 1


def test_wait_ends_at_its_timeout_and_never_waits_for_itself(thread: AnalysisThread) -> None:
    gate = threading.Event()
    found: list[bool] = []
    thread.submit(lambda: gate.wait(30) and None)
    thread.submit(lambda: found.append(thread.wait_for_all(30)))
    assert not thread.wait_for_all(0.01)
    gate.set()
    assert thread.wait_for_all(30)
    assert found == [False]


def test_next_analysis_runs_after_one_that_raises(thread: AnalysisThread, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    ran = []
    thread.submit(fail)
    thread.submit(lambda: ran.append(1))
    assert thread.wait_for_all(30)
    assert ran == [1]
    assert "analysing a turn: ZeroDivisionError" in caplog.text
    shield._counts.clear()


@pytest.mark.parametrize("waited_for", [False, True])
def test_pauses_are_made_in_this_thread_only_and_while_no_thread_waits(
    waited_for: bool, thread: AnalysisThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[int] = []
    now = iter(range(1_000_000))
    monkeypatch.setattr(clock, "monotonic_s", lambda: next(now))
    monkeypatch.setattr(clock, "sleep_s", lambda _: slept.append(threading.get_ident()))
    idents: list[int] = []
    begin, done = threading.Event(), threading.Event()

    def analyse() -> None:
        idents.append(threading.get_ident())
        assert begin.wait(30)
        assert list(paced(range(3))) == [0, 1, 2]
        done.set()

    thread.submit(analyse)
    if waited_for:

        def is_done() -> bool:
            begin.set()  # this is asked once the thread counts as waited for
            return done.is_set()

        assert thread.wait(is_done, 30)
    begin.set()
    assert done.wait(30)
    assert slept == ([] if waited_for else idents * 3)
    items = [1, 2]
    assert paced(items) is items


def test_only_young_objects_are_collected_during_an_analysis(thread: AnalysisThread) -> None:
    before = gc.get_threshold()
    during: list[tuple[int, int, int]] = []
    gc.collect()
    thread.submit(lambda: during.append(gc.get_threshold()))
    assert thread.wait_for_all(30)
    assert during[0][0] == before[0]
    assert min(during[0][1:]) > 1_000_000
    thread.submit(lambda: gc.set_threshold(500, 5, 5))
    try:
        assert thread.wait_for_all(30)
        assert gc.get_threshold() == (500, 5, 5)
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize("enabled", [True, False])
def test_young_objects_are_collected_at_every_fifth_pause(
    enabled: bool, thread: AnalysisThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(1_000_000))
    collected: list[int] = []
    gc.collect()
    monkeypatch.setattr(clock, "monotonic_s", lambda: next(now))
    monkeypatch.setattr(clock, "sleep_s", lambda _: None)
    monkeypatch.setattr(gc, "collect", collected.append)
    monkeypatch.setattr(gc, "isenabled", lambda: enabled)
    done = threading.Event()

    def analyse() -> None:
        assert list(paced(range(12))) == list(range(12))
        done.set()

    thread.submit(analyse)
    assert done.wait(30)
    assert collected == ([0, 0] if enabled else [])


def test_older_objects_are_collected_once_they_are_due(thread: AnalysisThread, monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.get_threshold()
    monkeypatch.setattr(gc, "get_count", lambda: (0, before[1] + 1, 0))
    during: list[tuple[int, int, int]] = []
    thread.submit(lambda: during.append(gc.get_threshold()))
    assert thread.wait_for_all(30)
    assert during == [before]


def test_collections_are_postponed_at_a_pause_after_the_one_that_was_due(
    thread: AnalysisThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = gc.get_threshold()
    now = iter(range(1_000_000))
    counts = iter([(0, before[1] + 1, 0)])
    monkeypatch.setattr(clock, "monotonic_s", lambda: next(now))
    monkeypatch.setattr(clock, "sleep_s", lambda _: None)
    monkeypatch.setattr(gc, "get_count", lambda: next(counts, (0, 0, 0)))
    during: list[tuple[int, int, int]] = []
    done = threading.Event()

    def analyse() -> None:
        during.append(gc.get_threshold())
        during.extend(gc.get_threshold() for _ in paced(range(2)))
        done.set()

    thread.submit(analyse)
    assert done.wait(30)
    assert thread.wait_for_all(30)
    assert during[0] == before
    assert min(during[-1][1:]) > 1_000_000
    assert gc.get_threshold() == before


PROGRAM = """
import asyncio, os, sys, time
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from otel_parallelism import Settings, agent_turn, install, names, profiled, subscribe

class Printing(SpanExporter):
    def export(self, spans):
        for span in spans:
            if "invoke_agent" in span.name:
                print("span", span.attributes.get(names.VERDICT), flush=True)
        return SpanExportResult.SUCCESS

@profiled(effect="read")
async def look_up(key):
    await asyncio.sleep(0.01)
    return f"value of {key}"

async def main():
    with agent_turn("agent"):
        for number in range(20):
            await look_up(f"key-{number}x")

settings = Settings(turn_end_budget=0, min_avoidable=0.001)
"""


def printed(folder: Path, code: str) -> list[str]:
    program = folder / "program.py"
    program.write_text(PROGRAM + dedent(code))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own code
    assert (done.returncode, done.stderr) == (0, "")
    return sorted(done.stdout.splitlines())


@pytest.mark.process
@pytest.mark.parametrize("order", ["before", "after"])
def test_process_ends_after_the_last_result(order: str, tmp_path: Path) -> None:
    provide = """
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(Printing()))
        """
    given = "install(provider, settings=settings)"
    if order == "after":  # the provider's own function for the exit then runs before ours
        given = "import opentelemetry.trace as trace\ninstall(settings=settings)\n" + dedent(provide)
        given += "trace.set_tracer_provider(provider)"
        provide = ""
    code = dedent(provide) + given + "\nsubscribe(lambda report: print('report', report.verdict, flush=True))\n"
    assert printed(tmp_path, code + "asyncio.run(main())\n") == ["report sequential", "span sequential"]


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_forked_process_leaves_the_analysis_to_its_parent(tmp_path: Path) -> None:
    code = """
        import threading, warnings
        from otel_parallelism.tracing.state.turn_end.analysis_thread import ANALYSIS_THREAD
        warnings.simplefilter("ignore")
        provider = TracerProvider(shutdown_on_exit=False)
        install(provider, settings=settings)
        subscribe(lambda report: print(name, report.verdict, flush=True))
        name, gate = "parent", threading.Event()
        ANALYSIS_THREAD.submit(lambda: gate.wait(30) and None)

        async def wrapped():
            with agent_turn("agent") as turn:
                for number in range(3):
                    await look_up(f"key-{number}x")
            return turn

        turn = asyncio.run(wrapped())
        if child := os.fork():
            os.waitpid(child, 0)
            gate.set()
        else:
            name = "child"
            print("child", turn.report, flush=True)
            asyncio.run(main())
        """
    assert printed(tmp_path, code) == ["child None", "child sequential", "parent sequential"]
