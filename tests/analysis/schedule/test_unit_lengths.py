"""Turns with calls of one unit: their lengths, what they show, and that the order of a turn of units is kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from strategies import at, call, read, scope_calls, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.schedule.unit_lengths import MOST_CALLS, UNIT_NS, with_unit_lengths
from otel_parallelism.model import Call, CallTotals, Content, Dispatch, Report, Turn
from otel_parallelism.settings import Settings

MS = 0.001
ALONE = {"dispatch": Dispatch(1)}


def judged(found: Turn, *, apart: bool = False) -> Report:
    return analyze(with_unit_lengths(found, apart=apart).turn, Settings(), measured=False)


def times(found: Turn) -> dict[str, tuple[float, float]]:
    """Return start and end of each call in units from the start of the turn."""
    return {
        one.span_id: ((one.start_ns - found.start_ns) / UNIT_NS, (one.end_ns - found.start_ns) / UNIT_NS)
        for one in found.calls
    }


def test_order_is_that_of_the_dispatch() -> None:
    # b was started with a, and c after both.
    a = read("a", 0, MS, dispatch=Dispatch(1, pending=frozenset({2}), waiting=frozenset({3})))
    b = read("b", 2 * MS, 3 * MS, dispatch=Dispatch(2, waiting=frozenset({3})))
    c = read("c", 4 * MS, 5 * MS, dispatch=Dispatch(3))
    found = with_unit_lengths(turn(a, b, c))
    assert times(found.turn) == {"a": (0, 1), "b": (0, 1), "c": (1, 2)}
    assert found.undecided == ()
    assert found.turn.end_ns - found.turn.start_ns == 2 * UNIT_NS


def test_serial_calls_that_need_nothing_from_one_another() -> None:
    report = judged(turn(*(read(name, i * MS, (i + 0.5) * MS, **ALONE) for i, name in enumerate("abc"))))
    assert (report.calls, report.makespan, report.critical_path, report.verdict) == (3, 3.0, 1.0, "sequential")
    assert report.efficiency == pytest.approx(1 / 3)


def test_serial_calls_that_need_one_another() -> None:
    a = read("a", 0, MS, result="order KX-77120", **ALONE)
    b = read("b", 2 * MS, 3 * MS, arguments="KX-77120", **ALONE)
    report = judged(turn(a, b))
    assert (report.makespan, report.critical_path, report.efficiency) == (2.0, 2.0, 1.0)
    assert report.verdict == "serial_by_need"


def test_undecided_calls_run_together_or_apart() -> None:
    found = turn(read("a", 0, MS, tool="find_a"), read("b", 2 * MS, 3 * MS, tool="find_b"))
    together, apart = with_unit_lengths(found), with_unit_lengths(found, apart=True)
    assert together.undecided == apart.undecided == (("find_a", "find_b"),)
    assert times(together.turn) == {"a": (0, 1), "b": (0, 1)}
    assert times(apart.turn) == {"a": (0, 1), "b": (1, 2)}


def test_call_lasts_as_long_as_those_it_makes() -> None:
    outer = call("o", 0, 10 * MS, **ALONE)
    inside = [read(name, i * MS, (i + 0.5) * MS, parent_id="o", **ALONE) for i, name in enumerate("xy")]
    after = read("z", 11 * MS, 12 * MS, **ALONE)
    found = with_unit_lengths(turn(outer, *inside, after)).turn
    assert times(found) == {"o": (0, 2), "x": (0, 1), "y": (1, 2), "z": (2, 3)}
    assert {one.span_id: one.scope for one in found.calls} == {"o": "", "x": "o", "y": "o", "z": ""}


def test_calls_that_make_different_numbers_of_calls_are_no_queue() -> None:
    outer = [call(f"o{n}", 0, 10 * MS, tool="get_all") for n in range(3)]
    inside = [
        read(f"i{n}{i}", i * MS, (i + 0.5) * MS, parent_id=f"o{n}", depends_on=("get_flights",), **ALONE)
        for n in range(3)
        for i in range(n + 1)
    ]
    assert judged(turn(*outer, *inside)).verdict != "contended"


def test_two_rounds_of_calls_are_no_limit() -> None:
    # Measured times like these would be taken for those of a semaphore with two places.
    first = [read(name, 0, MS, **ALONE) for name in "ab"]
    second = [read(name, 2 * MS, 3 * MS, **ALONE) for name in "cd"]
    report = judged(turn(*first, *second))
    assert (report.makespan, report.critical_path, report.avoidable) == (2.0, 1.0, 1.0)
    assert [finding.kind for finding in report.findings] == ["sequential_chain"]


def test_model_requests_take_no_time_and_keep_rounds() -> None:
    def asked(number: int, start: float) -> list[Any]:
        name = f"c{number}"
        request = step(f"s{number}", start, start + 1, requested=(name,))
        return [request, read(name, start + 1, start + 1 + MS, call_id=name, tool=f"get_{number}")]

    found = turn(*asked(1, 0), *asked(2, 2), *asked(3, 4))
    report = judged(found)
    assert (report.makespan, report.think, report.steps) == (3.0, 0.0, 3)
    assert (report.critical_path, report.cause, report.avoidable_steps) == (1.0, "model", 2)
    starts = [request.start_ns for request in report.turn.steps]
    assert [start_ns - found.start_ns for start_ns in starts] == [0, UNIT_NS, 2 * UNIT_NS]


def test_times_of_hand_offs_follow_the_calls() -> None:
    found = turn(read("a", 0, MS, **ALONE), read("b", 2 * MS, 3 * MS, **ALONE))
    found = msgspec.structs.replace(found, hand_offs=(at(1.5 * MS), at(9)))
    assert with_unit_lengths(found).turn.hand_offs == (found.start_ns + UNIT_NS, found.start_ns + 2 * UNIT_NS)


def test_too_many_calls() -> None:
    found = turn(*(read(f"c{n:04}", n * MS, (n + 0.5) * MS) for n in range(MOST_CALLS + 1)))
    assert not with_unit_lengths(found).whole
    few = msgspec.structs.replace(turn(read("a", 0, MS)), past_bound=CallTotals(calls=1))
    assert not with_unit_lengths(few).whole


@given(scope_calls(max_size=6))
def test_units_of_units_are_the_same(calls: list[Call]) -> None:
    found = Turn("t", "turn", "plan", "", at(0), at(10), tuple(calls))
    once = with_unit_lengths(found, apart=True).turn
    assert with_unit_lengths(once, apart=True).turn == once
    assert all(one.duration_ns == UNIT_NS for one in once.calls)
    ordered = sorted(calls, key=lambda one: one.span_id)
    assert [one.tool for one in sorted(once.calls, key=lambda one: one.span_id)] == [one.tool for one in ordered]


@given(scope_calls(min_size=1, max_size=6))
def test_what_is_unknown_never_shortens_the_turn_apart(calls: list[Call]) -> None:
    found = Turn("t", "turn", "plan", "", at(0), at(10), tuple(calls), inputs=(Content("x"),))
    assert with_unit_lengths(found).turn.end_ns <= with_unit_lengths(found, apart=True).turn.end_ns
    assert judged(found).makespan <= judged(found, apart=True).makespan
