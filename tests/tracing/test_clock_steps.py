"""The time of day steps while turns run: no call is lost, and no step counts as time that a turn took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import opentelemetry.context
import opentelemetry.sdk.trace
import pytest

from otel_parallelism import agent_turn, clock, profiled
from otel_parallelism.clock import now_ns
from tests.amounts import some_of
from tests.virtual_time import CLOCK, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Kit

pytestmark = pytest.mark.many

HOUR_NS = 3_600 * 10**9
STEPS = pytest.mark.parametrize("step_ns", some_of([-HOUR_NS, -7 * 10**8, HOUR_NS, 10**7], every=2))
TURN = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "theirs"}
CALL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "theirs"}


class TimeOfDay:
    """The time of day, which steps at `step`."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def now_ns(self) -> int:
        return CLOCK.now_ns() + self.ahead_ns

    def step(self, by_ns: int) -> None:
        self.ahead_ns += by_ns


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> Iterator[TimeOfDay]:
    made = TimeOfDay()
    monkeypatch.setattr(clock, "wall_ns", made.now_ns)
    monkeypatch.setattr(opentelemetry.sdk.trace, "time_ns", made.now_ns)
    return made


@profiled(effect="read")
def get(_: int) -> None:
    time.sleep(0.1)


def ours(_: Kit, number: int) -> None:
    get(number)


def theirs(kit: Kit, _: int) -> None:
    with kit.tracer().start_as_current_span("execute_tool theirs", attributes=CALL):
        time.sleep(0.1)


def within(make: Callable[[Kit, int], None]) -> Callable[[Kit, int], None]:
    """Return *make*, run inside a span that is no part of a turn."""

    def call(kit: Kit, number: int) -> None:
        with kit.tracer().start_as_current_span("step"):
            make(kit, number)

    return call


@STEPS
@pytest.mark.parametrize(
    "call", [ours, theirs, within(ours), within(theirs)], ids=["ours", "theirs", "in", "in theirs"]
)
@pytest.mark.parametrize("own_turn", [True, False])
def test_a_step_within_a_turn_changes_nothing(
    kit: Kit, day: TimeOfDay, step_ns: int, call: Callable[[Kit, int], None], own_turn: bool
) -> None:
    turn: Any = (
        agent_turn("t") if own_turn else kit.tracer().start_as_current_span("invoke_agent theirs", attributes=TURN)
    )
    with turn:
        for number in range(5):
            if number == 3:
                day.step(step_ns)
            call(kit, number)
    (report,) = kit.reports
    assert [found.duration_ns / 1e9 for found in report.turn.calls] == [exactly(0.1)] * 5
    assert report.makespan == exactly(0.5)
    assert (report.turn.end_ns - report.turn.start_ns) / 1e9 == exactly(0.5)
    assert report.coverage == 1


@STEPS
@pytest.mark.parametrize("call", [ours, theirs], ids=["ours", "theirs"])
def test_a_step_within_a_call_does_not_count(
    kit: Kit, day: TimeOfDay, step_ns: int, call: Callable[[Kit, int], None]
) -> None:
    with agent_turn("t"):
        sleep = time.sleep
        call(kit, 0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", lambda seconds: (sleep(seconds), day.step(step_ns)))
            call(kit, 1)
        call(kit, 2)
    (report,) = kit.reports
    assert [found.duration_ns / 1e9 for found in report.turn.calls] == [exactly(0.1)] * 3
    assert report.makespan == exactly(0.3)


@STEPS
def test_our_spans_of_a_turn_are_on_one_clock(kit: Kit, day: TimeOfDay, step_ns: int) -> None:
    with agent_turn("t"):
        get(0)
        day.step(step_ns)
        get(1)
    assert [(span.end_time - span.start_time) / 1e9 for span in kit.spans] == [  # type: ignore[operator] # ended
        *(exactly(0.1), exactly(0.1), exactly(0.2))
    ]
    (stored,) = kit.stored().reports
    assert stored.makespan == exactly(0.2)


@STEPS
def test_a_turn_after_a_step_shows_the_time_of_day(kit: Kit, day: TimeOfDay, step_ns: int) -> None:
    with agent_turn("open"):
        day.step(step_ns)
        before_ns = day.now_ns()
        apart = opentelemetry.context.Context()
        with kit.tracer().start_as_current_span("another root", apart), agent_turn("later"):
            get(0)
        get(1)
    later = kit.span("invoke_agent later")
    assert later.start_time is not None
    assert abs(later.start_time - before_ns) < 10**6
    assert {report.turn.name: report.makespan for report in kit.reports} == {
        "later": exactly(0.1),
        "open": exactly(0.1),
    }


@STEPS
def test_a_call_outside_of_turns_shows_the_time_of_day(kit: Kit, day: TimeOfDay, step_ns: int) -> None:
    get(0)
    day.step(step_ns)
    get(1)
    begun = [span.start_time or 0 for span in kit.calls()]
    assert (begun[1] - begun[0] - step_ns) / 1e9 == exactly(0.1)


def test_the_live_clock_is_near_the_time_of_day_and_never_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "passed_ns", time.perf_counter_ns)
    times = [now_ns() for _ in range(100)]
    assert times == sorted(times)
    assert abs(now_ns() - time.time_ns()) < HOUR_NS
