"""Turns whose analysis takes longer than the budget are analysed in a thread, after their end."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from contextlib import contextmanager
from functools import partial
from math import inf
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_parallelism import (
    Report,
    Settings,
    agent_turn,
    coverage,
    install,
    names,
    profiled,
    subscribe,
    wait_for_reports,
)
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.state.turn_end import late_ends, turn_reports
from otel_parallelism.tracing.state.turn_end.analysis_thread import ANALYSIS_THREAD, AnalysisThread, is_in_event_loop
from tests.conftest import RESOURCE, Kit
from tests.virtual_time import CLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("late_analyses")

NO_TIME = Settings(turn_end_budget=0)
AGENT = {"gen_ai.operation.name": "invoke_agent"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"}
DEFERRED = names.DEFERRED.removeprefix(names.PREFIX)


class Exporting(SpanProcessor):
    """Exports each span at its end, as processors of other packages do."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def on_end(self, span: ReadableSpan) -> None:
        """Export *span*."""
        self._exporter.export([span])


@pytest.fixture
def make_kit(make_kit: Any) -> Any:
    """Make kits whose spans are not exported by the SDK's ``SimpleSpanProcessor``, which waits for results."""
    return partial(make_kit, exporting=Exporting)


@profiled(effect="read")
async def look_up(key: str) -> str:
    await asyncio.sleep(1)
    return f"the value of {key}"


async def two_calls() -> None:
    await look_up("first-key")
    await look_up("second-key")


@contextmanager
def busy_thread() -> Iterator[None]:
    """Keep the thread from its analyses until the block ends."""
    gate = threading.Event()
    ANALYSIS_THREAD.submit(lambda: assert_true(gate.wait(60)))
    try:
        yield
    finally:
        gate.set()


def assert_true(value: bool) -> None:
    assert value


async def test_program_goes_on_before_the_analysis(make_kit: Any) -> None:
    kit: Kit = make_kit(NO_TIME)
    with busy_thread():
        with agent_turn("agent") as turn:
            await two_calls()
        assert kit.result("invoke_agent agent") == {DEFERRED: True}
        assert kit.reports == []
    report = turn.report
    assert report is not None
    assert (report.verdict, report.calls, report.avoidable) == ("sequential", 2, pytest.approx(1, abs=1e-5))
    assert kit.reports == [report]
    assert [point.count for point in kit.points(names.METRIC_EFFICIENCY.name)] == [1]
    assert coverage().calls == 2


async def test_turn_within_the_budget_has_its_result_at_its_end(make_kit: Any) -> None:
    kit: Kit = make_kit(Settings(turn_end_budget=inf))
    with busy_thread():
        with agent_turn("agent") as turn:
            await two_calls()
        assert turn.report is not None
        assert kit.result("invoke_agent agent")["verdict"] == "sequential"
    assert DEFERRED not in kit.result("invoke_agent agent")


async def test_where_each_span_is_exported_as_it_ends_the_result_is_there(make_kit: Any) -> None:
    kit: Kit = make_kit(NO_TIME, exporting=SimpleSpanProcessor)
    with busy_thread():
        with agent_turn("agent"):
            await two_calls()
        assert kit.result("invoke_agent agent")["verdict"] == "sequential"


async def test_the_loop_does_not_wait_for_long_where_each_span_is_exported_as_it_ends(make_kit: Any) -> None:
    kit: Kit = make_kit(NO_TIME, exporting=SimpleSpanProcessor)
    tools = [profiled(name=f"look_up_{number}", effect="read")(look_up.__wrapped__) for number in range(30)]
    with busy_thread():
        with agent_turn("agent") as turn:
            for tool in tools:
                await tool("key")
        assert kit.result("invoke_agent agent") == {DEFERRED: True}
    assert turn.report is not None
    assert turn.report.calls == 30


def test_outside_of_an_event_loop_the_result_is_there(make_kit: Any) -> None:
    kit: Kit = make_kit(NO_TIME)

    @profiled(effect="read")
    def wait(key: str) -> str:
        CLOCK.sleep(1.0)
        return key

    with busy_thread():
        with agent_turn("agent"):
            wait("first-key")
            wait("second-key")
        assert kit.result("invoke_agent agent")["calls"] == 2


async def test_loop_that_sniffio_knows_is_not_held_up(make_kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class LibraryNotFoundError(RuntimeError):
        pass

    def found() -> str:
        if not running:
            raise LibraryNotFoundError
        return "trio"

    running = ["trio"]
    known = SimpleNamespace(current_async_library=found, AsyncLibraryNotFoundError=LibraryNotFoundError)
    monkeypatch.setitem(sys.modules, "sniffio", known)
    assert await asyncio.to_thread(is_in_event_loop)
    running.clear()
    assert not await asyncio.to_thread(is_in_event_loop)
    assert is_in_event_loop()


async def test_result_of_a_span_that_was_exported_is_logged(make_kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[Any] = []
    monkeypatch.setattr("opentelemetry._logs.get_logger", lambda *_, **__: type("", (), {"emit": logged.append}))
    kit: Kit = make_kit(NO_TIME)
    with agent_turn("agent") as turn:
        await two_calls()
    assert turn.report is not None
    assert wait_for_reports()
    result, finding = logged
    assert (result.event_name, finding.event_name) == (names.RESULT_EVENT, names.FINDING_EVENT)
    assert result.attributes[names.VERDICT] == "sequential"
    assert result.span_id == finding.span_id == kit.span("invoke_agent agent").context.span_id


@pytest.mark.parametrize("finish", ["force_flush", "shutdown"])
@pytest.mark.parametrize("ours", [True, False], ids=["agent_turn", "of another instrumentation"])
async def test_export_in_batches_waits_for_the_result(finish: str, ours: bool, make_kit: Any) -> None:
    kit: Kit = make_kit(NO_TIME)
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    install(provider, settings=NO_TIME)
    tracer = provider.get_tracer("somebody.else")
    with busy_thread():
        if ours:
            with agent_turn("agent") as turn:
                await two_calls()
            assert not turn.span.is_recording()
        else:
            with tracer.start_as_current_span("invoke_agent agent", attributes=AGENT) as span:
                for _ in range(2):
                    with tracer.start_as_current_span("tool", attributes=TOOL):
                        await asyncio.sleep(1)
            assert not span.is_recording()
            assert span.attributes == AGENT
        with tracer.start_as_current_span("later"):
            pass
        provider._active_span_processor._span_processors[1].force_flush()
        assert "invoke_agent agent" not in [span.name for span in exporter.get_finished_spans()]
    getattr(provider, finish)()
    spans = exporter.get_finished_spans()
    assert sorted(span.name.split(" ")[0] for span in spans) == sorted(
        ["execute_tool" if ours else "tool"] * 2 + ["invoke_agent", "later"]
    )
    (turn_span,) = [span for span in spans if span.name == "invoke_agent agent"]
    assert turn_span.attributes[names.CALLS] == 2
    assert turn_span.attributes[names.VERDICT] == ("sequential" if ours else "possibly_sequential")
    assert DEFERRED not in turn_span.attributes
    (event,) = turn_span.events
    assert (event.name, event.timestamp) == (names.FINDING_EVENT, turn_span.end_time)
    assert len(kit.reports) == 1


async def test_what_goes_on_after_the_turn_counts_up_to_its_end(make_kit: Any) -> None:
    kit: Kit = make_kit(NO_TIME)
    with busy_thread():
        with agent_turn("agent") as turn:
            await look_up("first-key")
            outliving = asyncio.create_task(look_up("second-key"))
            await asyncio.sleep(0.5)
        await outliving
    report = turn.report
    assert report is not None
    assert report.work == pytest.approx(1.5, abs=1e-5)
    first, second = report.turn.calls
    assert (first.outlived_ns, second.outlived_ns) == (None, 0)
    assert second.result is None
    assert len(kit.calls()) == 2


async def test_call_that_begins_after_the_turn_is_in_no_turn(make_kit: Any) -> None:
    make_kit(NO_TIME)

    @profiled
    async def around(ended: asyncio.Event) -> None:
        await look_up("inside")
        await ended.wait()
        await look_up("after")

    ended = asyncio.Event()
    with busy_thread():
        with agent_turn("agent") as turn:
            outliving = asyncio.create_task(around(ended))
            await asyncio.sleep(2)
        ended.set()
        await outliving
    report = turn.report
    assert report is not None
    assert [call.tool for call in report.turn.calls] == ["around", "look_up"]
    assert coverage().calls_without_turn == 1


async def test_turn_around_a_late_one_waits_for_it(make_kit: Any) -> None:
    kit: Kit = make_kit(NO_TIME)
    with busy_thread():
        with agent_turn("outer") as outer, agent_turn("inner") as inner:
            await two_calls()
        assert kit.reports == []
    assert inner.report is not None
    assert outer.report is inner.report
    assert kit.reports == [inner.report]
    assert inner.report.turn.agent == "inner"


async def test_where_no_thread_can_be_started_the_turn_waits(
    make_kit: Any, monkeypatch: pytest.MonkeyPatch, late_analyses: AnalysisThread
) -> None:
    def no_thread(_: object) -> None:
        raise RuntimeError("can't start new thread")

    assert late_analyses.wait_for_all(60)
    monkeypatch.setattr(ANALYSIS_THREAD, "_ident", 0)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    kit: Kit = make_kit(NO_TIME)
    for name in ("one", "two"):
        with agent_turn(name) as turn:
            await two_calls()
        assert kit.reports[-1] is turn.report
    # The first was to be late; from then on, results are on the spans.
    assert DEFERRED in kit.result("invoke_agent one")
    assert kit.result("invoke_agent two")["verdict"] == "sequential"


async def test_failing_analysis_loses_no_span(make_kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kit: Kit = make_kit(NO_TIME)
    kit.forgive()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(turn_reports, "analyze", fail)
    with agent_turn("agent") as turn:
        await two_calls()
    assert turn.report is None
    assert kit.span("invoke_agent agent").end_time is not None
    assert shield.internal_errors() == {"analysing a turn: ZeroDivisionError": 1}
    shield._counts.clear()
    monkeypatch.undo()
    ANALYSIS_THREAD.available = True
    with agent_turn("next") as turn:
        await two_calls()
    assert turn.report is not None


async def test_contents_are_let_go_where_many_turns_wait(make_kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_kit(NO_TIME)
    monkeypatch.setattr(late_ends, "_MANY_WAITING", 0)
    with busy_thread(), agent_turn("agent") as turn:
        await two_calls()
    report = turn.report
    assert report is not None
    assert report.turn.let_go == 2
    assert report.calls == 2
    assert [note for note in report.notes if "was let go" in note] != []


async def test_subscriber_is_called_once_in_the_thread_and_may_ask_for_the_report(make_kit: Any) -> None:
    make_kit(NO_TIME)
    told: list[tuple[str, bool]] = []
    with busy_thread():
        with agent_turn("agent") as turn:
            await two_calls()
        subscribe(lambda report: told.append((threading.current_thread().name, turn.report is report)))
    assert wait_for_reports()
    assert told == [("otel-parallelism", True)]


async def test_subscription_ends_after_the_reports_on_turns_that_have_ended(make_kit: Any) -> None:
    make_kit(NO_TIME)
    reports: list[Report] = []
    unsubscribe = subscribe(reports.append)
    with agent_turn("agent"):
        await two_calls()
    unsubscribe()
    assert [report.calls for report in reports] == [2]


async def test_nothing_is_held_after_the_analysis(make_kit: Any) -> None:
    class Result:
        pass

    make_kit(NO_TIME)
    kept: list[weakref.ref[Result]] = []

    @profiled
    async def give(number: int) -> Result:
        await asyncio.sleep(number)
        result = Result()
        kept.append(weakref.ref(result))
        return result

    with agent_turn("agent"):
        await give(1)
        await give(2)
    assert wait_for_reports()
    gc.collect()
    assert [reference() for reference in kept] == [None, None]


@profiled
async def look_up_both() -> None:
    await two_calls()


async def test_decorated_call_that_is_a_turn_is_analysed_after_its_end(make_kit: Any) -> None:
    kit: Kit = make_kit(NO_TIME)
    with busy_thread():
        await look_up_both()
    assert wait_for_reports()
    report = kit.reports[0]
    assert (report.verdict, report.calls, report.avoidable) == ("sequential", 2, pytest.approx(1, abs=1e-5))
    assert report.turn.trace_id == f"{kit.span('execute_tool look_up_both').context.trace_id:032x}"
    assert kit.points(names.METRIC_EFFICIENCY.name)[0].count == 1
