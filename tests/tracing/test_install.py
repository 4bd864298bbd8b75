from __future__ import annotations

import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from otel_parallelism import Settings, agent_turn, install, profiled, subscribe, uninstall
from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from otel_parallelism import Report
    from tests.conftest import Kit

PRELUDE = """
import asyncio, json
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otel_parallelism import agent_turn, coverage, install, profiled, subscribe, uninstall

reports = []
subscribe(reports.append)

@profiled(effect="read")
async def fetch(key):
    await asyncio.sleep(0.02)

def provide():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter

async def ours():
    with agent_turn("ours") as turn:
        await asyncio.gather(fetch(1), fetch(2))
    return turn.report.calls

def theirs(tracer):
    with tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
        for name in ("one", "two"):
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
            with tracer.start_as_current_span(name, attributes=attributes):
                pass

def calls(exporter):
    return {
        span.name: span.attributes["agent.parallelism.calls"]
        for span in exporter.get_finished_spans()
        if "agent.parallelism.calls" in span.attributes
    }
"""


def run(code: str) -> list[str]:
    """Run *code* in a process of its own, whose globals are its own, and return the lines it prints."""
    command = [sys.executable, "-W", "error", "-c", PRELUDE + dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.process
def test_a_provider_that_is_there_before() -> None:
    assert run("""
        provider, exporter = provide()
        trace.set_tracer_provider(provider)
        install()
        install()
        theirs(trace.get_tracer("x"))
        print(asyncio.run(ours()), calls(exporter), len(reports), coverage().calls)
    """) == ["2 {'agent': 2, 'invoke_agent ours': 2} 2 4"]


@pytest.mark.process
@pytest.mark.parametrize("name", ["trace.set_tracer_provider", "set_early"])
def test_a_provider_that_comes_later(name: str) -> None:
    assert run(f"""
        from opentelemetry.trace import set_tracer_provider as set_early
        early = trace.get_tracer("early")
        install()
        print(asyncio.run(ours()))
        provider, exporter = provide()
        {name}(provider)
        theirs(early)
        print(asyncio.run(ours()), calls(exporter), trace.get_tracer_provider() is provider)
    """) == ["2", "2 {'agent': 2, 'invoke_agent ours': 2} True"]


@pytest.mark.process
def test_a_second_provider_is_refused_as_ever_and_changes_nothing() -> None:
    assert run("""
        import logging
        install()
        provider, exporter = provide()
        other, unused = provide()
        trace.set_tracer_provider(provider)
        logging.disable()
        trace.set_tracer_provider(other)
        theirs(trace.get_tracer("x"))
        print(asyncio.run(ours()), calls(exporter), calls(unused), len(reports))
    """) == ["2 {'agent': 2, 'invoke_agent ours': 2} {} 2"]


@pytest.mark.process
def test_no_provider_at_all() -> None:
    assert run("""
        install()
        theirs(trace.get_tracer("x"))
        print(asyncio.run(ours()), len(reports), reports[0].verdict, trace.get_tracer_provider().__class__.__name__)
        turn = reports[0].turn
        print(len({call.span_id for call in turn.calls} | {turn.span_id}), turn.trace_id != "0" * 32)
    """) == ["2 1 parallel ProxyTracerProvider", "3 True"]


@pytest.mark.process
def test_nested_calls_without_any_provider_and_without_install() -> None:
    assert run("""
        @profiled
        async def outer():
            await asyncio.gather(fetch(1), fetch(2))
        async def main():
            with agent_turn("ours") as turn:
                await outer()
            return [(call.tool, bool(call.scope)) for call in turn.report.turn.calls]
        print(asyncio.run(main()))
    """) == ["[('outer', False), ('fetch', True), ('fetch', True)]"]


@pytest.mark.process
def test_a_remote_parent_without_any_provider() -> None:
    assert run("""
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
        async def main():
            with use_span(NonRecordingSpan(SpanContext(7, 8, True, TraceFlags(1)))):
                with agent_turn("ours") as turn:
                    await asyncio.gather(fetch(1), fetch(2))
            return turn.report
        report = asyncio.run(main())
        ids = {call.span_id for call in report.turn.calls} | {report.turn.span_id}
        print(report.calls, report.verdict, len(ids))
    """) == ["2 parallel 3"]


@pytest.mark.process
def test_others_tracers_served_privately_until_a_provider_comes() -> None:
    assert run("""
        early = trace.get_tracer("early")
        install(private=True)
        theirs(early)
        print([report.calls for report in reports], trace.get_tracer_provider().__class__.__name__)
        provider, exporter = provide()
        trace.set_tracer_provider(provider)
        theirs(early)
        theirs(trace.get_tracer("late"))
        print([report.calls for report in reports], len(exporter.get_finished_spans()))
        uninstall()
        theirs(early)
        print(len(reports))
    """) == ["[2] ProxyTracerProvider", "[2, 2, 2] 6", "3"]


@pytest.mark.process
def test_uninstalling_puts_everything_back() -> None:
    assert run("""
        before = trace._set_tracer_provider, trace.ProxyTracer.__dict__["_tracer"]
        install(private=True)
        uninstall()
        uninstall()
        print(before == (trace._set_tracer_provider, trace.ProxyTracer.__dict__["_tracer"]))
        provider, exporter = provide()
        trace.set_tracer_provider(provider)
        theirs(trace.get_tracer("x"))
        print(asyncio.run(ours()), calls(exporter))
    """) == ["True", "2 {'invoke_agent ours': 2}"]


@pytest.mark.process
def test_a_provider_that_takes_no_processors() -> None:
    assert run("""
        class Odd(trace.TracerProvider):
            def get_tracer(self, *args, **kwargs):
                return trace.NoOpTracer()
        trace.set_tracer_provider(Odd())
        install()
        print(asyncio.run(ours()))
    """) == ["2"]


@pytest.mark.process
def test_disabled_sdk_switches_everything_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert run("""
        provider, exporter = provide()
        trace.set_tracer_provider(provider)
        install()
        with agent_turn("ours") as turn:
            asyncio.run(fetch(1))
        print(turn.report, len(exporter.get_finished_spans()))
    """) == ["None 0"]


def test_after_uninstalling_open_turns_end_as_if_we_had_never_been(kit: Kit) -> None:
    span = kit.tracer().start_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"})
    uninstall()
    span.end()
    assert [ended.name for ended in kit.spans] == ["agent"]
    assert len(kit.span("agent").attributes or {}) == 1


def test_two_providers_at_once(kit: Kit) -> None:
    other = TracerProvider(shutdown_on_exit=False)
    install(other)
    with (
        other.get_tracer("x").start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}),
        kit.tracer().start_as_current_span("inner", attributes={"gen_ai.operation.name": "execute_tool"}),
    ):
        pass
    assert [report.calls for report in kit.reports] == [1]
    other.shutdown()


def test_a_provider_that_is_shut_down_leaves_the_other_alone(kit: Kit) -> None:
    other = TracerProvider(shutdown_on_exit=False)
    install(other)
    other.shutdown()
    with kit.tracer().start_as_current_span("request"):
        for _ in range(2):
            kit.tracer().start_span("a tool", attributes={"gen_ai.operation.name": "execute_tool"}).end()
    assert kit.result("request")["calls"] == 2


def test_a_processor_of_the_user_s_that_raises_costs_the_span_and_not_the_call(kit: Kit) -> None:
    class Raises(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError("theirs")

    kit.provider.add_span_processor(Raises())

    @profiled
    def look() -> int:
        return 3

    with agent_turn() as turn:
        assert look() == 3
    assert turn.report is not None
    assert turn.report.calls == 1
    from otel_parallelism.tracing import shield  # noqa: PLC0415 - to look inside

    assert shield.internal_errors() == {"ending a call: RuntimeError": 1, "ending a turn: RuntimeError": 1}
    shield._counts.clear()
    kit.forgive()


def test_a_subscriber_that_raises_is_left_alone(kit: Kit) -> None:
    def raises(_: Report) -> None:
        raise RuntimeError("theirs")

    unsubscribe = subscribe(raises)
    with agent_turn() as turn:
        pass
    unsubscribe()
    with agent_turn():
        pass
    assert kit.reports[0] is turn.report
    from otel_parallelism.tracing import shield  # noqa: PLC0415 - to look inside

    assert shield.internal_errors() == {"calling a subscriber: RuntimeError": 1}
    shield._counts.clear()
    kit.forgive()


class Broken:
    """Every method raises."""

    def __init__(self, works: str = "") -> None:
        self._works = works

    def __getattr__(self, name: str) -> Any:
        """Return a method."""

        def method(*_: Any, **__: Any) -> Any:
            if name == self._works or (self._works == "create" and name.startswith("create")):
                return Broken("create" if name == "get_meter" else "")
            raise RuntimeError(name)

        return method


class BrokenMeterProvider(MeterProvider):
    def __init__(self, works: str = "") -> None:
        self._made = Broken(works)

    def get_meter(self, *_: Any, **__: Any) -> Any:
        return self._made.get_meter()


class BrokenTracerProvider(trace.TracerProvider):
    def get_tracer(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("get_tracer")


@pytest.mark.parametrize(
    ("works", "where"),
    [("", "making the instruments"), ("get_meter", "recording the metrics of a turn")],
)
def test_a_meter_provider_that_raises_costs_the_metrics(kit: Kit, works: str, where: str) -> None:
    from otel_parallelism.tracing import shield  # noqa: PLC0415 - to look inside

    install(kit.provider, meter_provider=BrokenMeterProvider(works))
    with agent_turn() as turn:
        pass
    assert turn.report is not None
    install(kit.provider, meter_provider=kit.meter_provider)
    assert shield.internal_errors() == {f"{where}: RuntimeError": 1}
    shield._counts.clear()
    kit.forgive()


def test_a_tracer_provider_that_raises_costs_the_turns(kit: Kit) -> None:
    from otel_parallelism.tracing import shield  # noqa: PLC0415 - to look inside

    install(BrokenTracerProvider())
    assert shield.internal_errors() == {"following a provider: RuntimeError": 1}
    shield._counts.clear()
    kit.forgive()


def test_settings_can_be_changed(kit: Kit) -> None:
    install(kit.provider, settings=Settings(min_avoidable=7))
    assert REGISTRY.settings.min_avoidable == 7
    install(kit.provider)
    assert REGISTRY.settings.min_avoidable == 7
