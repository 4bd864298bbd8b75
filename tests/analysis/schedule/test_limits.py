from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from strategies import call, in_order, scope_calls

from otel_parallelism.analysis.schedule.limits import limit
from otel_parallelism.model import Caller

if TYPE_CHECKING:
    from otel_parallelism.model import Call


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


def test_limit_is_found_if_starts_follow_ends() -> None:
    assert seen(limited(100, 10)) == 10
    assert seen(limited(9, 2, lag=0.004)) == 2


def test_no_limit_below_two_or_without_more_calls_or_if_starts_follow_no_end() -> None:
    assert seen([]) is None
    assert seen(limited(10, 10)) is None
    assert seen(limited(10, 1)) is None
    assert seen(limited(9, 3, lag=0.2)) is None


def test_start_may_follow_end_by_five_percent_of_median_duration() -> None:
    assert seen(limited(40, 4, each=2.0, lag=0.09)) == 4
    assert seen(limited(40, 4, each=2.0, lag=0.11)) is None


def test_a_call_at_a_place_of_its_own_follows_in_the_order_of_the_code() -> None:
    calls = [call("a", 0, 1), call("b", 0, 1), call("c", 1, 2)]

    def made_at(*lines: int) -> list[Call]:
        placed = zip(calls, lines, strict=True)
        return [msgspec.structs.replace(one, caller=Caller("agent.py", line)) for one, line in placed]

    assert seen(made_at(5, 5, 5)) == 2
    assert seen(made_at(5, 5, 6)) is None


def test_one_end_frees_one_place_only() -> None:
    # Three calls run and two end; later the third ends and two start.
    calls = [call("a", 0, 0.5), call("b", 0, 0.5), call("c", 0, 1), call("d", 1, 2), call("e", 1.004, 2)]
    assert seen(calls) is None


def test_most_starts_must_follow_an_end() -> None:
    follow = [call("a", 0, 1), call("b", 0, 1), call("c", 1, 2), call("d", 1, 2), call("e", 2, 3)]
    assert seen(follow) == 2
    apart = [call("a", 0, 1), call("b", 0, 1), call("c", 1, 2), call("d", 2.5, 3), call("e", 3.5, 4)]
    assert seen(apart) is None


def test_end_below_limit_frees_no_place() -> None:
    one_then_four = [call("a", 0, 1), *(call(name, 1, 2) for name in "bcde")]
    assert seen(one_then_four) is None
    one_two_one = [call("a", 0, 1), call("b", 1, 2), call("c", 1, 2), call("d", 2, 3)]
    assert seen(one_two_one) is None
    # All four places are free for a moment, because the four calls end shortly after one another.
    together = [call(name, 0, 1 + 0.001 * index) for index, name in enumerate("abcd")]
    assert seen([*together, *(call(name, 1.004, 2) for name in "efgh")]) == 4


def test_members_are_calls_with_duration() -> None:
    calls = in_order([*limited(6, 2), call("e", 0.5, 0.5)])
    found = limit(calls, range(len(calls)))
    assert found is not None
    assert [calls[index].span_id for index in found.members] == [f"c{index:03}" for index in range(6)]
    assert limit(calls, range(3)) is None or found.most == 2


@given(scope_calls(max_size=10), st.data())
def test_limit_is_at_least_two_and_below_number_of_members(calls: list[Call], data: st.DataObject) -> None:
    members = sorted(data.draw(st.sets(st.integers(0, max(0, len(calls) - 1)), max_size=len(calls)))) if calls else []
    found = limit(calls, members)
    if found is not None:
        assert 2 <= found.most < len(found.members)
        assert set(found.members) <= set(members)
