from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import at, call, in_order, scope_calls

from otel_parallelism.analysis.schedule.waiting import contention, limit

if TYPE_CHECKING:
    from otel_parallelism.model import Call


def staircase(
    size: int, *, each: float = 0.1, tool: str = "get_page", start: float = 0.0, name: str = "c"
) -> list[Call]:
    return [call(f"{name}{index:02}", start, start + each * (index + 1), tool) for index in range(size)]


def limited(size: int, most: int, *, each: float = 0.5, lag: float = 0.0) -> list[Call]:
    return in_order(
        [
            call(f"c{index:03}", (index // most) * (each + lag), (index // most) * (each + lag) + each)
            for index in range(size)
        ]
    )


def seen(calls: list[Call]) -> int | None:
    found = limit(calls, range(len(calls)))
    return None if found is None else found.most


def test_calls_behind_one_lock_end_in_a_staircase() -> None:
    calls = staircase(12)
    found = contention(calls)
    assert [list(batch) for batch in found.batches] == [calls]
    assert set(found.baseline_ns.values()) == {at(0.1) - at(0)}
    assert found.effective_work_ns(calls) == 12 * (at(0.1) - at(0))


@pytest.mark.parametrize(("off", "is_seen"), [(0.019, True), (-0.019, True), (0.021, False), (-0.021, False)])
def test_the_steps_may_differ_by_a_fifth(off: float, is_seen: bool) -> None:
    calls = [call("a", 0, 0.1), call("b", 0, 0.2), call("c", 0, 0.3 + off)]
    assert bool(contention(calls).batches) == is_seen


def test_two_are_no_staircase_and_neither_is_another_tool_or_one_after_another() -> None:
    assert not contention(staircase(2)).batches
    assert not contention([call("a", 0, 0.1, "x"), call("b", 0, 0.2, "y"), call("c", 0, 0.3, "x")]).batches
    assert not contention([call(name, i * 0.1, (i + 1) * 0.1) for i, name in enumerate("abcd")]).batches
    assert not contention([call(name, 0, 0.1) for name in "abcd"]).batches


def test_batches_that_do_not_overlap_are_apart_and_other_tools_beside_them_do_not_matter() -> None:
    first, second = staircase(3), staircase(4, start=1.0, name="d")
    other = [call("x", 0.05, 0.6, "list_orders")]
    found = contention(in_order([*first, *second, *other]))
    assert [len(batch) for batch in found.batches] == [3, 4]
    assert found.effective_work_ns(other) == other[0].duration_ns


def test_unnamed_and_empty_calls_are_in_no_batch() -> None:
    assert not contention(staircase(4, tool="")).batches
    assert len(contention(in_order([*staircase(3), call("e", 0.1, 0.1, "get_page")])).batches[0]) == 3


@given(scope_calls(max_size=10))
def test_the_effective_work_is_never_more_than_the_work(calls: list[Call]) -> None:
    assert contention(calls).effective_work_ns(calls) <= sum(one.duration_ns for one in calls)


def test_a_limit_is_seen_where_starts_follow_ends() -> None:
    assert seen(limited(100, 10)) == 10
    assert seen(limited(9, 2, lag=0.004)) == 2


def test_no_limit_without_more_calls_than_ran_at_once_or_below_two_or_where_starts_follow_nothing() -> None:
    assert seen([]) is None
    assert seen(limited(10, 10)) is None
    assert seen(limited(10, 1)) is None
    assert seen(limited(9, 3, lag=0.2)) is None


def test_a_start_may_follow_an_end_by_a_twentieth_of_the_median_duration() -> None:
    assert seen(limited(40, 4, each=2.0, lag=0.09)) == 4
    assert seen(limited(40, 4, each=2.0, lag=0.11)) is None


def test_one_end_makes_room_for_one_start_only() -> None:
    # Three run, two end; later the third ends and two begin.
    calls = [call("a", 0, 0.5), call("b", 0, 0.5), call("c", 0, 1), call("d", 1, 2), call("e", 1.004, 2)]
    assert seen(calls) is None


def test_most_of_the_starts_must_follow() -> None:
    follow = [call("a", 0, 1), call("b", 0, 1), call("c", 1, 2), call("d", 1, 2), call("e", 2, 3)]
    assert seen(follow) == 2
    apart = [call("a", 0, 1), call("b", 0, 1), call("c", 1, 2), call("d", 2.5, 3), call("e", 3.5, 4)]
    assert seen(apart) is None


def test_an_end_before_the_limit_is_reached_makes_no_room() -> None:
    one_then_four = [call("a", 0, 1), *(call(name, 1, 2) for name in "bcde")]
    assert seen(one_then_four) is None
    one_two_one = [call("a", 0, 1), call("b", 1, 2), call("c", 1, 2), call("d", 2, 3)]
    assert seen(one_two_one) is None
    # All four places are free for a moment, as those who had them end one soon after another.
    together = [call(name, 0, 1 + 0.001 * index) for index, name in enumerate("abcd")]
    assert seen([*together, *(call(name, 1.004, 2) for name in "efgh")]) == 4


def test_the_members_are_the_calls_that_take_time() -> None:
    calls = in_order([*limited(6, 2), call("e", 0.5, 0.5)])
    found = limit(calls, range(len(calls)))
    assert found is not None
    assert [calls[index].span_id for index in found.members] == [f"c{index:03}" for index in range(6)]
    assert limit(calls, range(3)) is None or found.most == 2


@given(scope_calls(max_size=10), st.data())
def test_a_limit_is_at_least_two_and_reached_and_exceeded_in_number(calls: list[Call], data: st.DataObject) -> None:
    members = sorted(data.draw(st.sets(st.integers(0, max(0, len(calls) - 1)), max_size=len(calls)))) if calls else []
    found = limit(calls, members)
    if found is not None:
        assert 2 <= found.most < len(found.members)
        assert set(found.members) <= set(members)
