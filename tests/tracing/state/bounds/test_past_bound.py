from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings, agent_turn, live_turns, profiled
from otel_parallelism.tracing.state.bounds.held_evidence import HELD
from otel_parallelism.tracing.state.bounds.past_bound import count_end
from otel_parallelism.tracing.state.registry import REGISTRY
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism import Report
    from tests.conftest import Kit

FEW = Settings(max_calls_per_turn=3)
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "clerk"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_page"}


@profiled(effect="read")
async def look(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@profiled(effect="read")
def glance(number: int) -> int:
    return number


@profiled
async def outer(count: int) -> None:
    for _ in range(count):
        await look(1)


async def later(delay_s: float, seconds: float) -> None:
    await asyncio.sleep(delay_s)
    await look(seconds)


def of(kit: Kit) -> Report:
    (report,) = kit.reports
    return report


@pytest.mark.parametrize(
    "planned",
    [
        [(n, 1) for n in range(6)],
        [(0, 1)] * 8,
        [(0, 9), (0, 1), (1, 3), (2, 1), (5, 1), (6, 5), (20, 1)],
        [(0, 2), (0, 2), (0, 2), (3, 1), (3.5, 2), (8, 1), (8.5, 0.1)],
        [(0, 30), (1, 1), (2, 1), (3, 1), (5, 1), (7, 40)],
    ],
)
async def test_all_calls_are_measured_however_few_are_kept(make_kit: Callable[..., Kit], planned: Any) -> None:
    reports = []
    for settings in (FEW, Settings()):
        kit = make_kit(settings)
        REGISTRY.clear()
        with agent_turn("clerk"):
            await asyncio.gather(*(later(delay_s, seconds) for delay_s, seconds in planned))
        reports.append(of(kit))
        assert len(kit.calls()) == len(planned)
        assert kit.result("invoke_agent clerk")["calls"] == len(planned)
        assert REGISTRY.coverage.calls == len(planned)
    few, all_of_them = reports
    assert (few.calls, few.peak_concurrency) == (len(planned), all_of_them.peak_concurrency)
    for name in ("work", "makespan", "busy", "ratio", "concurrency"):
        assert getattr(few, name) == exactly(getattr(all_of_them, name)), name
    assert few.coverage == pytest.approx(3 / len(planned))
    assert len(few.turn.calls) == 3


async def test_calls_inside_calls_only_count(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(FEW)
    with agent_turn("clerk"):
        await outer(5)
        for _ in range(4):
            await outer(2)
    report = of(kit)
    assert (report.calls, report.work) == (5, exactly(13))
    past = report.turn.past_bound
    assert past is not None
    # The first call and two inside of it are kept.
    assert (past.calls, past.inner) == (4, 11)
    assert report.coverage == pytest.approx(3 / 18)
    assert REGISTRY.coverage.calls == 18


async def test_open_calls_past_the_bound_count_up_to_the_end(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(FEW)
    with agent_turn("clerk"):
        tasks = [asyncio.create_task(look(1)) for _ in range(3)] + [asyncio.create_task(look(10)) for _ in range(2)]
        await asyncio.sleep(4)
        (live,) = live_turns()
        assert (live.calls, live.open_calls, live.work) == (5, 2, exactly(11))
    report = of(kit)
    assert (report.calls, report.work, report.makespan) == (5, exactly(11), exactly(4))
    assert any("2 of them went on after the turn's end" in note for note in report.notes)
    await asyncio.gather(*tasks)


async def test_sub_agents_past_the_bound_have_their_own_report(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(FEW)
    with agent_turn("clerk"):
        for _ in range(5):
            with agent_turn("helper"):
                await look(1)
                await look(1)
    *helpers, clerk = kit.reports
    assert [helper.calls for helper in helpers] == [2] * 5
    assert (clerk.calls, clerk.work, clerk.makespan) == (5, exactly(10), exactly(10))
    assert REGISTRY.coverage.calls_without_turn == 0


async def test_turn_with_calls_past_the_bound_beside_an_agent_is_no_wrapper(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_calls_per_turn=1))
    with agent_turn("clerk"):
        with agent_turn("helper"):
            await look(1)
        for _ in range(4):
            await look(1)
    helper, clerk = kit.reports
    assert (helper.turn.name, helper.calls) == ("helper", 1)
    assert (clerk.turn.name, clerk.calls, clerk.work) == ("clerk", 5, exactly(5))
    assert (REGISTRY.coverage.calls, REGISTRY.coverage.calls_without_turn) == (5, 0)


async def test_calls_of_an_agent_inside_of_a_call_past_the_bound_are_kept(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(FEW)

    @profiled
    async def delegate() -> None:
        with agent_turn("helper"):
            await look(1)
            await look(1)

    with agent_turn("clerk"):
        for _ in range(5):
            await delegate()
    assert [report.calls for report in kit.reports] == [2, 2, 2, 2, 2, 5]
    assert REGISTRY.coverage.calls_without_turn == 0


def test_foreign_calls_past_the_bound_are_measured(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(FEW)
    tracer = kit.tracer()
    with tracer.start_as_current_span("invoke_agent clerk", attributes=AGENT):
        for _ in range(4):
            with tracer.start_as_current_span("execute_tool get_page", attributes=TOOL):
                pass
        with tracer.start_as_current_span("node"), tracer.start_as_current_span("late") as span:
            # What it is shows only now.
            span.set_attributes(TOOL)
    report = of(kit)
    assert report.calls == 5
    assert report.turn.past_bound is not None
    assert (report.turn.past_bound.calls, report.turn.past_bound.still_open) == (2, 0)
    assert report.work == exactly(sum(map(_length_s, [*kit.calls(), kit.span("late")])))


def test_tools_that_are_no_calls_are_none_past_the_bound(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(FEW)
    thought = ({**TOOL, "gen_ai.tool.name": "think"}, {"openinference.span.kind": "TOOL", "tool.name": "think"})
    with agent_turn("clerk"):
        for number in range(4):
            glance(number)
            for attributes in thought:
                kit.tracer().start_span("think", attributes=attributes).end()
    assert (of(kit).calls, REGISTRY.coverage.calls) == (4, 4)


def _length_s(span: Any) -> float:
    return float((span.end_time - span.start_time) / 1e9)


def test_bound_on_all_spans_of_a_trace(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_spans_per_trace=12))

    @profiled
    def down(levels: int) -> None:
        if levels:
            further(levels - 1)

    @profiled
    def further(levels: int) -> None:
        if levels:
            down(levels - 1)

    with agent_turn("clerk"):
        down(9)
    report = of(kit)
    assert (report.calls, report.coverage) == (1, pytest.approx(0.5))
    assert report.turn.past_bound is not None
    assert report.turn.past_bound.inner == 5
    assert REGISTRY.coverage.calls == 10
    assert REGISTRY.coverage.calls_without_turn == 0


async def test_calls_at_any_depth_are_bounded(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_spans_per_trace=40))
    for _ in range(3):
        with agent_turn("clerk") as turn:
            await asyncio.gather(*(outer(20) for _ in range(7)))
            assert turn._node.held <= 40
            assert sum(len(call.children or ()) for call in turn._node.children) + 7 <= 40
        assert turn._node.held == 0
    for report in kit.reports:
        assert (report.calls, report.peak_concurrency, report.work) == (7, 7, pytest.approx(140))
        assert report.coverage < 40 / 147
    assert REGISTRY.coverage.calls == 3 * 147


def test_room_returns_to_a_root_that_lives_on(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_spans_per_trace=60))
    with kit.tracer().start_as_current_span("worker") as worker:
        for number in range(20):
            with agent_turn("clerk"):
                for _ in range(12):
                    glance(number)
        root = REGISTRY.spans[worker.get_span_context().span_id]
        assert root.held == root.room == 32
    assert [report.coverage for report in kit.reports] == [1.0] * 20


def test_nothing_of_calls_past_the_bound_is_held(make_kit: Callable[..., Kit]) -> None:
    make_kit(FEW)

    class Page:
        pass

    @profiled
    def load(page: Page) -> tuple[Page, str]:
        glance(1)
        return page, "x" * 10_000

    with agent_turn("clerk"):
        kept = [load(Page()) for _ in range(3)]
        held = HELD.size
        assert held >= 30_000
        page = Page()
        gone = weakref.ref(page)
        load(page)
        del page
        gc.collect(1)
        assert gone() is None
        assert HELD.size == held
    assert len(kept) == 3
    assert HELD.size == 0


async def test_failed_calls_past_the_bound_end(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(FEW)

    @profiled
    async def broken() -> None:
        await asyncio.sleep(1)
        raise ValueError("broken")

    with agent_turn("clerk"):
        for _ in range(6):
            with pytest.raises(ValueError, match="broken"):
                await broken()
    assert (of(kit).work, of(kit).busy, of(kit).peak_concurrency) == (exactly(6), exactly(6), 1)


async def test_calls_in_threads_past_the_bound_are_measured(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(FEW)
    with agent_turn("clerk"):
        await asyncio.gather(*(asyncio.to_thread(glance, number) for number in range(40)))
    assert (of(kit).calls, len(kit.calls())) == (40, 40)
    past = of(kit).turn.past_bound
    assert past is not None
    assert past.still_open == 0
    assert 0 < past.busy_ns <= past.work_ns + of(kit).work * 1e9


def test_an_end_counts_once(make_kit: Callable[..., Kit]) -> None:
    make_kit(FEW)
    with agent_turn("clerk") as turn:
        for number in range(5):
            glance(number)
        totals = turn._node.past_bound
        assert (totals.calls, totals.open, totals.level) == (2, 0, 0)
        count_end(turn._node)
        assert (totals.open, totals.level) == (0, 0)
