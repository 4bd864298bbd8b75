"""
Faults of spans, clocks and tools that watch the interpreter: calls behave as usual, nothing is left open or logged.

Other modules hold the other faults:

- signals, missing frames, lazy results, names and thrown-in errors: `test_faults.py`, `test_interruptions.py`
- processes, exporters, forks, exits and other event loops: `test_fault_processes.py`, `state/test_fork.py`
- what a program does with a function: `spans/test_wrapping_semantics.py`, `spans/test_kinds_kept.py`
- clocks that step: `test_clock_steps.py`; deep recursion: `spans/test_nesting.py`
- other wrappers in between, another order of undoing: `test_duplicate_spans.py`, `test_patching.py`, `test_install.py`
- values too large to read: `test_faults.py`, `turn_end/test_release.py`, `test_long_numbers.py`
- schemas that frameworks make of tools: `frameworks/test_tool_schemas.py`
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits

from otel_parallelism import agent_turn, analyze_spans, names, profiled
from otel_parallelism.model import SpanRecord
from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Kit

TURN = {names.OPERATION_NAME: names.INVOKE_AGENT}
CALL = {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: "theirs"}


@profiled(effect="read")
def tool(x: int) -> int:
    return x


@profiled(effect="read")
async def async_tool(x: int) -> int:
    await asyncio.sleep(0.1)
    return x


def test_span_ended_twice(kit: Kit) -> None:
    """By the program, before our wrapper ends it, and by both twice."""

    @profiled
    def ends_its_span(x: int) -> int:
        trace.get_current_span().end()
        return x

    kit.forgive()  # the SDK warns of what the program does
    with agent_turn("t") as turn:
        assert ends_its_span(1) == 1
        theirs = kit.tracer().start_span("execute_tool theirs", attributes=CALL)
        theirs.end()
        theirs.end()
        turn.span.end()
        assert tool(2) == 2
    turn.end()
    assert turn.report is not None
    assert turn.report.calls == 3
    assert len(kit.reports) == 1
    assert not trace.get_current_span().get_span_context().is_valid


def test_span_ended_by_another_thread(kit: Kit) -> None:
    turn_span = kit.tracer().start_span("invoke_agent theirs", attributes=TURN)
    with trace.use_span(turn_span):
        call = kit.tracer().start_span("execute_tool theirs", attributes=CALL)
        tool(1)
        thread = threading.Thread(target=call.end)
        thread.start()
        thread.join()
    thread = threading.Thread(target=turn_span.end)
    thread.start()
    thread.join()
    assert [report.calls for report in kit.reports] == [2]


def test_span_ended_after_its_turn(kit: Kit) -> None:
    """A call that others' spans describe, a call of ours, and a turn inside another."""
    with agent_turn("t") as turn:
        theirs = kit.tracer().start_span("execute_tool theirs", attributes=CALL)
        coroutine = async_tool(1)
        items = profiled(lambda: (yield 1))()
        next(items)
        inner = agent_turn("inner")
        inner.__enter__()
        inner.leave()
    coroutine.close()
    assert next(items, None) is None
    theirs.end()
    inner.end()
    assert turn.report is not None
    assert turn.report.calls == 3
    assert {span.name for span in kit.spans} >= {"invoke_agent t", "execute_tool theirs", "invoke_agent inner"}


@pytest.mark.slow
def test_span_never_ended(kit: Kit) -> None:
    """A turn that is dropped keeps nothing, and later turns are measured as ever."""
    for number in range(3):
        kit.tracer().start_span(f"execute_tool {number}", attributes=CALL)
        agent_turn("dropped").start()
        profiled(lambda: (yield 1))()
    gc.collect(1)
    with agent_turn("t") as turn:
        tool(1)
    assert turn.report is not None
    assert turn.report.calls == 1
    assert not REGISTRY.turns
    REGISTRY.clear()


def test_turns_never_ended_are_bounded(make_kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_kit()
    monkeypatch.setattr("otel_parallelism.tracing.state.registry.MAX_OPEN_SPANS", 64)
    kept = [agent_turn("kept") for _ in range(200)]
    for turn in kept:
        turn.start()
    assert len(REGISTRY.turns) <= 64
    assert len(REGISTRY.spans) <= 64
    REGISTRY.clear()


@pytest.mark.parametrize("off_s", [-7, 7])
def test_hosts_whose_clocks_differ_by_seconds(off_s: int) -> None:
    """All calls of the other host count, they keep their durations, and nothing is recommended across clocks."""
    now, second = 1_700_000_000_000_000_000, 1_000_000_000
    spans = [SpanRecord("t" * 32, "a" * 16, "", "invoke_agent t", now, now + 3 * second, TURN, source="here")]
    for number in range(2):
        start = now + (number + off_s) * second
        ids = "t" * 32, f"{number:016x}", "a" * 16
        spans.append(SpanRecord(*ids, "execute_tool theirs", start, start + second, CALL, source="there"))
    (report,) = analyze_spans(spans).reports
    assert report.calls == 2
    assert report.work == 2
    assert not [finding for finding in report.findings if finding.advice == "recommended"]


def test_limits_of_attributes_events_and_links(make_kit: Any) -> None:
    """What the program has written stays where the span is full."""
    limits = SpanLimits(max_attributes=4, max_events=2, max_links=1, max_attribute_length=8)
    kit = make_kit(span_limits=limits)
    other = kit.tracer().start_span("other")
    with kit.tracer().start_as_current_span("invoke_agent t", attributes=TURN) as span:
        span.set_attributes({"one": "1", "two": "2", "three": "3"})
        span.add_event("first")
        span.add_event("second")
        span.add_link(other.get_span_context())
        for number in range(4):
            tool(number)
    other.end()
    found = kit.span("invoke_agent t")
    assert {"one", "two", "three"} <= set(found.attributes)
    assert [event.name for event in found.events] == ["first", "second"]
    assert [link.context.span_id for link in found.links] == [other.get_span_context().span_id]
    assert kit.reports[0].calls == 4


def events_of(watch: Callable[[Any], None], functions: tuple[Any, ...]) -> list[Any]:
    plain, later, items = functions
    seen: list[Any] = []
    codes = {getattr(each, "__wrapped__", each).__code__: each.__name__ for each in functions}

    def trace_function(frame: Any, event: str, _: object) -> Any:
        if frame.f_code not in codes:
            return None
        seen.append((codes[frame.f_code], event, frame.f_lineno - frame.f_code.co_firstlineno))
        return trace_function

    watch(trace_function)
    try:
        with agent_turn("t"):
            plain(1)
            coroutine = later(2)
            for _ in range(2):
                try:
                    coroutine.send(None)
                except StopIteration:
                    break
            list(items())
    finally:
        watch(None)
    return seen


@types.coroutine
def one_step() -> Iterator[None]:
    yield


def watched_functions(decorate: Any) -> tuple[Any, ...]:
    @decorate
    def plain(x: int) -> int:
        y = x + 1
        return y + 1

    @decorate
    async def later(x: int) -> int:
        await one_step()
        return x

    @decorate
    def items() -> Iterator[int]:
        yield 1
        yield 2

    return plain, later, items


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize("way", ["settrace", "setprofile"])
def test_settrace(way: str) -> None:
    """Debuggers and coverage see the lines of a decorated function as those of a plain one."""
    before = getattr(sys, way.replace("set", "get"))()
    watch = getattr(sys, way)
    try:
        expected = events_of(watch, watched_functions(lambda function: function))
        assert expected
        assert events_of(watch, watched_functions(profiled)) == expected
    finally:
        watch(before)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in Python 3.12")
@pytest.mark.usefixtures("kit")
def test_sys_monitoring() -> None:
    """Also under a tool that disables events where it has seen them, as coverage does."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined] # newer than the oldest Python
    lines: list[Any] = []

    def lines_of(functions: tuple[Any, ...]) -> list[Any]:
        codes = {getattr(each, "__wrapped__", each).__code__ for each in functions}

        def line(code: Any, number: int) -> Any:
            if code in codes:
                lines.append((code.co_name, number - code.co_firstlineno))
            return monitoring.DISABLE

        lines.clear()
        monitoring.use_tool_id(4, "test")
        try:
            monitoring.register_callback(4, monitoring.events.LINE, line)
            monitoring.set_events(4, monitoring.events.LINE)
            monitoring.restart_events()
            events_of(lambda _: None, functions)
        finally:
            monitoring.set_events(4, 0)
            monitoring.free_tool_id(4)
        return list(lines)

    expected = lines_of(watched_functions(lambda function: function))
    assert expected
    assert lines_of(watched_functions(profiled)) == expected


def test_reload_and_decorate_again(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reloaded_tools.py").write_text(
        "from otel_parallelism import profiled\n@profiled\ndef find(x):\n    return x\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("reloaded_tools")
    first = module.find
    assert importlib.reload(module) is module
    try:
        with agent_turn("t") as turn:
            assert (first(1), module.find(2), profiled(module.find)(3)) == (1, 2, 3)
    finally:
        del sys.modules["reloaded_tools"]
    assert turn.report is not None
    assert turn.report.calls in {3, 4}
    assert {span.name for span in kit.calls()} == {"execute_tool find"}
