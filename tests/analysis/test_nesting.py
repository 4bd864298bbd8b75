"""Turns of many calls take work in proportion to their number, however deep or wide they are, and no recursion."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_parallelism import agent_turn, install, profiled, uninstall
from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.settings import Settings
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.turn_end.ending import finish
from tests.bench.nesting import SHAPES, deep, deep_orphans, deep_passages, deep_turns, wide_scopes

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from otel_parallelism.model import Observation, Report

pytestmark = pytest.mark.slow
SETTINGS = Settings()


def reports_on(spans: list[Observation]) -> list[Report]:
    return [analyze(turn, SETTINGS) for turn in normalize(spans, SETTINGS).turns]


def lines_run(action: Callable[[], object]) -> int:
    """Return how many lines of the package run during *action*."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if "otel_parallelism" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_twice_the_calls_take_twice_the_work(shape: Callable[[int], list[Observation]]) -> None:
    some, more = shape(60), shape(120)
    reports_on(some)  # fills the caches of names
    assert lines_run(lambda: reports_on(more)) < 2.3 * lines_run(lambda: reports_on(some))


def test_deep_nesting_takes_no_recursion() -> None:
    count = sys.getrecursionlimit() + 50
    [report] = reports_on(deep(count))
    assert (report.calls, len(report.turn.calls)) == (1, count)
    [report] = reports_on(deep_orphans(count))
    assert (report.calls, len(report.turn.calls)) == (1, count)
    [report] = reports_on(deep_passages(count))
    assert report.calls == count
    assert [report.calls for report in reports_on(deep_turns(count))] == [2] * (count - 1) + [1]


def test_calls_inside_many_calls_are_one_finding() -> None:
    [report] = reports_on(wide_scopes(30))
    [finding] = report.findings
    assert (len(finding.calls), finding.longest) == (60, 2)


@profiled(effect="read")
async def go_down(levels: int) -> int:
    return await asyncio.create_task(go_on(levels - 1)) if levels else 0


@profiled(effect="read")
async def go_on(levels: int) -> int:
    return await asyncio.create_task(go_down(levels - 1)) if levels else 0


def test_the_end_of_a_deep_turn_takes_work_for_each_call_once() -> None:
    install(TracerProvider(shutdown_on_exit=False))

    def lines_at_the_end(levels: int) -> int:
        with agent_turn("deep"):
            asyncio.run(go_down(levels))
            [node] = REGISTRY.open_turns()
            return lines_run(lambda: finish(node, node.start_ns + 10**9))

    try:
        lines_at_the_end(10)
        assert lines_at_the_end(80) < 2.3 * lines_at_the_end(40)
    finally:
        uninstall()
