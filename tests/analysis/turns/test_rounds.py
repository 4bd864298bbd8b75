from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SECOND_NS, at, call, simple_calls, step

from otel_parallelism.analysis.turns.rounds import Rounds, assign_rounds, gaps_ns
from otel_parallelism.model import Interval

if TYPE_CHECKING:
    from otel_parallelism.model import Call


def numbers(rounds: Rounds) -> list[int | None]:
    return [one.round for one in rounds.calls]


def test_ids_in_a_steps_output_prove_the_round_even_after_a_later_step_began() -> None:
    steps = [step("s0", 0, 1, requested=("i1", "i2")), step("s1", 2, 3, requested=("i3",))]
    calls = [call("a", 1, 2, call_id="i1"), call("b", 2.5, 4, call_id="i2"), call("c", 4, 5, call_id="i3")]
    found = assign_rounds(calls, steps, {})
    assert numbers(found) == [0, 0, 1]
    assert all(one.proved for one in found.calls)
    assert not found.unrequested


def test_id_listed_by_a_later_step_proves_nothing() -> None:
    # Some models repeat ids such as call_0 in each response.
    steps = [step("s0", 0, 1, requested=("call_0",)), step("s1", 4, 5, requested=("call_0",))]
    calls = [call("a", 1, 2, call_id="call_0"), call("b", 5, 6, call_id="call_0")]
    assert numbers(assign_rounds(calls, steps, {})) == [0, 1]
    early = assign_rounds([call("a", 1, 2, call_id="call_0")], steps[1:], {})
    assert [(one.round, one.proved) for one in early.calls] == [(None, False)]


def test_round_without_ids_is_that_of_the_latest_started_step() -> None:
    steps = [step("s0", 0, 3), step("s1", 3, 9)]
    found = assign_rounds([call("a", 1, 2), call("b", 3.5, 4), call("c", 4, 5)], steps, {})
    assert numbers(found) == [0, 1, 1]
    assert not any(one.proved for one in found.calls)


def test_call_before_every_step_has_no_round() -> None:
    assert numbers(assign_rounds([call("a", 0, 1), call("b", 3, 4)], [step("s0", 2, 3)], {})) == [None, 0]


def test_step_that_requests_nothing_is_skipped() -> None:
    steps = [step("s0", 0, 1), step("s1", 2, 3, requested=())]
    assert numbers(assign_rounds([call("a", 1, 2), call("b", 4, 5)], steps, {})) == [0, 0]
    assert numbers(assign_rounds([call("a", 4, 5)], steps[1:], {})) == [0]


def test_rounds_are_numbered_from_0_over_steps_with_calls() -> None:
    steps = [step(f"s{n}", n, n + 0.1) for n in range(4)]
    assert numbers(assign_rounds([call("a", 1.5, 1.6), call("b", 3.5, 3.6)], steps, {})) == [0, 1]


def test_calls_that_no_output_lists_are_unrequested() -> None:
    listed = [step("s0", 0, 1, requested=("i1",))]
    assert assign_rounds([call("a", 1, 2, call_id="other")], listed, {}).unrequested == {"a"}
    # More calls than the step requested, without ids.
    assert assign_rounds([call("a", 1, 2), call("b", 2, 3)], listed, {}).unrequested == {"a", "b"}
    assert assign_rounds([call("a", 1, 2)], listed, {}).unrequested == frozenset()
    assert assign_rounds([call("a", 1, 2), call("b", 2, 3)], [step("s0", 0, 1)], {}).unrequested == frozenset()
    found = assign_rounds([call("a", 1, 2, call_id="i1"), call("b", 2, 3)], listed, {})
    assert found.unrequested == {"b"}


def test_call_that_starts_during_a_request_is_bound() -> None:
    steps = [step("s0", 0, 3)]
    early, late = assign_rounds([call("a", 1, 9), call("b", 3, 4)], steps, {}).calls
    assert (early.bound, late.bound) == (True, False)
    assert not early.streamed


def test_call_that_starts_during_the_response_that_asks_for_it_is_streamed() -> None:
    calls = [call("a", 1, 9, call_id="i1"), call("b", 3, 4, call_id="i2")]
    for one in (step("s0", 0, 3, requested=("i1", "i2")), step("s0", 0, 3, streams=True)):
        found = assign_rounds(calls, [one], {}).calls
        assert [(each.streamed, each.bound) for each in found] == [(True, False), (False, False)]


@pytest.mark.parametrize(("end", "bound"), [(2.0, False), (2.1, False), (2.2, True), (1.9, True)])
def test_step_held_open_for_its_calls_binds_none(end: float, bound: bool) -> None:
    found = assign_rounds([call("a", 1, 1.5), call("b", 1.5, 2)], [step("s0", 0, end)], {})
    assert [one.bound for one in found.calls] == [bound, bound]


def test_overlapping_step_like_parents_are_one_round() -> None:
    calls = [call("a", 0, 1), call("b", 0.5, 2), call("c", 3, 4), call("d", 5, 6)]
    cycles = {
        "a": Interval(at(0), at(1)),
        "b": Interval(at(0.5), at(2)),
        "c": Interval(at(2), at(4)),
    }
    assert numbers(assign_rounds(calls, [], cycles)) == [0, 0, 1, None]


def test_steps_take_precedence_over_step_like_parents() -> None:
    cycles = {"a": Interval(at(1), at(2)), "b": Interval(at(2), at(3))}
    assert numbers(assign_rounds([call("a", 1, 2), call("b", 2, 3)], [step("s0", 0, 1)], cycles)) == [0, 0]


def test_no_steps_and_no_parents_give_no_rounds() -> None:
    assert numbers(assign_rounds([call("a", 0, 1)], [], {})) == [None]
    assert assign_rounds([], [step("s0", 0, 1)], {}).calls == ()


def test_gaps_are_between_adjacent_rounds_and_never_negative() -> None:
    calls = [
        call("a", 0, 1, round=0),
        call("b", 0, 2, round=0),
        call("c", 5, 6, round=1),
        call("d", 5.5, 8, round=2),
        call("x", 6, 7),
    ]
    assert gaps_ns(calls) == {1: 3 * SECOND_NS, 2: 0}
    assert gaps_ns(calls[:2]) == gaps_ns([]) == {}


def test_empty_calls_do_not_move_the_gap() -> None:
    calls = [call("a", 0, 1, round=0), call("e", 1.5, 1.5, round=0), call("b", 3, 4, round=1)]
    assert gaps_ns(calls) == {1: 2 * SECOND_NS}


@given(simple_calls(), st.lists(st.tuples(st.integers(0, 14), st.integers(0, 5)), max_size=4))
def test_calls_keep_their_order_and_round_numbers_have_no_gaps(calls: list[Call], spans: list[tuple[int, int]]) -> None:
    calls = [msgspec.structs.replace(one, round=None) for one in calls]
    steps = [step(f"s{n}", start / 10, (start + length) / 10) for n, (start, length) in enumerate(sorted(spans))]
    found = assign_rounds(calls, steps, {})
    assert [one.span_id for one in found.calls] == [one.span_id for one in calls]
    if steps:
        known = [one.round for one in found.calls if one.round is not None]
        assert sorted(set(known)) == list(range(len(set(known))))
        assert known == sorted(known)
