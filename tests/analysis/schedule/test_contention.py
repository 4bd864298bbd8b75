from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from strategies import at, call, in_order, scope_calls

from otel_parallelism.analysis.schedule.contention import contention, even_step_ns, places_inside

if TYPE_CHECKING:
    from otel_parallelism.model import Call


def staircase(
    size: int, *, each: float = 0.1, tool: str = "get_page", start: float = 0.0, name: str = "c"
) -> list[Call]:
    return [call(f"{name}{index:02}", start, start + each * (index + 1), tool) for index in range(size)]


def test_calls_behind_one_lock_form_a_batch() -> None:
    calls = staircase(12)
    found = contention(calls)
    assert found.batches == (tuple(range(12)),)
    assert set(found.baseline_ns.values()) == {at(0.1) - at(0)}
    assert found.effective_work_ns(calls) == 12 * (at(0.1) - at(0))


@pytest.mark.parametrize(("off", "is_seen"), [(0.019, True), (-0.019, True), (0.021, False), (-0.021, False)])
def test_distance_of_ends_may_differ_by_twenty_percent(off: float, is_seen: bool) -> None:
    calls = [call("a", 0, 0.1), call("b", 0, 0.2), call("c", 0, 0.3 + off)]
    assert bool(contention(calls).batches) == is_seen


def test_no_batch_of_two_calls_or_of_two_tools_or_without_overlap() -> None:
    assert not contention(staircase(2)).batches
    assert not contention([call("a", 0, 0.1, "x"), call("b", 0, 0.2, "y"), call("c", 0, 0.3, "x")]).batches
    assert not contention([call(name, i * 0.1, (i + 1) * 0.1) for i, name in enumerate("abcd")]).batches
    assert not contention([call(name, 0, 0.1) for name in "abcd"]).batches


def test_batches_without_overlap_are_separate_and_other_tools_are_ignored() -> None:
    first, second = staircase(3), staircase(4, start=1.0, name="d")
    other = [call("x", 0.05, 0.6, "list_orders")]
    found = contention(in_order([*first, *second, *other]))
    assert [len(batch) for batch in found.batches] == [3, 4]
    assert found.effective_work_ns(other) == other[0].duration_ns


def test_unnamed_and_empty_calls_are_in_no_batch() -> None:
    assert not contention(staircase(4, tool="")).batches
    assert len(contention(in_order([*staircase(3), call("e", 0.1, 0.1, "get_page")])).batches[0]) == 3


@pytest.mark.parametrize(
    ("ends", "places"),
    [
        ((1, 1, 2, 2, 3, 3), 2),
        ((1, 1.05, 2.05, 2.1, 3.1), 2),
        ((1, 1, 1, 2, 2, 2), 3),
        ((1, 1, 2, 2), 2),
        ((1, 1, 2), 0),  # could be chance
        ((1, 1, 2, 2, 2), 0),  # more than at first
        ((1, 1, 2, 3, 3), 0),  # a group that is not full
        ((1, 1, 1.5, 1.5, 2, 2), 0),  # not as far apart as the shortest call is long
        ((1, 1.5, 2, 2.5), 0),
    ],
)
def test_calls_that_end_in_groups_had_places_for_a_group(ends: tuple[float, ...], places: int) -> None:
    calls = [call(f"c{at}", 0, end, "get_page") for at, end in enumerate(ends)]
    assert places_inside(calls) == places
    assert bool(contention(calls).batches) == bool(places)


@pytest.mark.parametrize(
    ("ends", "step"),
    [
        ((0.005, 0.105, 0.205, 0.305, 0.405), 0.1),
        ((0.005, 0.106, 0.203, 0.306, 0.404, 0.507), 0.1),
        ((0.005, 0.105, 0.205, 0.305), 0),  # could be chance
        ((0.005, 0.105, 0.205, 0.295, 0.405), 0),  # not even
        ((1.0, 1.1, 1.2, 1.3, 1.4), 0),  # spaced, but at work at once for most of the time
        ((0.21, 0.33, 0.48, 0.6, 0.92), 0),
        ((0.5, 0.5, 0.5, 0.5, 0.5), 0),
    ],
)
def test_calls_that_end_evenly_apart_had_a_limited_rate(ends: tuple[float, ...], step: float) -> None:
    calls = [call(f"c{at}", 0, end, "get_page") for at, end in enumerate(ends)]
    assert even_step_ns(calls) / 1e9 == pytest.approx(step, rel=0.02)
    assert bool(contention(calls).batches) == bool(step)
    if step:
        assert contention(calls).effective_work_ns(calls) == pytest.approx(calls[-1].duration_ns, rel=0.02)


def test_calls_that_started_evenly_apart_are_no_sign() -> None:
    calls = [call(f"c{at}", 0.1 * at, 0.1 * at + 0.05 + at / 1000, "get_page") for at in range(5)]
    assert even_step_ns(calls) == 0


def test_groups_of_calls_that_started_apart_are_no_sign() -> None:
    calls = [call("a", 0, 1), call("b", 0.5, 1), call("c", 0.5, 1.5), call("d", 1.4, 1.5)]
    assert places_inside(calls) == 0


@given(scope_calls(max_size=10))
def test_effective_work_never_exceeds_work(calls: list[Call]) -> None:
    assert contention(calls).effective_work_ns(calls) <= sum(one.duration_ns for one in calls)
