from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.schedule.intervals import Totals, concurrency, totals_of, union
from otel_parallelism.model import Interval

some_intervals = st.lists(st.builds(Interval, st.integers(0, 20), st.integers(0, 20)), max_size=12)


def open_at(intervals: list[Interval], instant: int) -> int:
    return sum(1 for interval in intervals if interval.start_ns <= instant < interval.end_ns)


@given(some_intervals)
def test_concurrency_is_number_of_open_intervals(intervals: list[Interval]) -> None:
    steps = concurrency(intervals)
    for instant in range(-1, 22):
        level = next((level for at_ns, level in reversed(steps) if at_ns <= instant), 0)
        assert level == open_at(intervals, instant)


@given(some_intervals)
def test_concurrency_steps_are_ordered_change_level_and_end_at_zero(intervals: list[Interval]) -> None:
    steps = concurrency(intervals)
    assert [at_ns for at_ns, _ in steps] == sorted({at_ns for at_ns, _ in steps})
    levels = [0, *(level for _, level in steps)]
    assert all(before != after for before, after in itertools.pairwise(levels))
    assert levels[-1] == 0


def test_call_that_starts_at_end_of_another_does_not_overlap_it() -> None:
    assert concurrency([Interval(0, 4), Interval(4, 6)]) == ((0, 1), (6, 0))


@given(some_intervals)
def test_union_contains_exactly_the_instants_of_its_intervals(intervals: list[Interval]) -> None:
    merged = union(intervals)
    for instant in range(22):
        assert (open_at(list(merged), instant) == 1) == (open_at(intervals, instant) > 0)
    assert all(before.end_ns < after.start_ns for before, after in itertools.pairwise(merged))


@given(some_intervals)
def test_union_is_idempotent(intervals: list[Interval]) -> None:
    assert union(union(intervals)) == union(intervals)


@given(some_intervals)
def test_totals_match_counting(intervals: list[Interval]) -> None:
    intervals.sort(key=lambda interval: (interval.start_ns, interval.end_ns))
    real = [interval for interval in intervals if interval.end_ns > interval.start_ns]
    found = totals_of(intervals)
    assert found.work_ns == sum(interval.duration_ns for interval in intervals)
    assert found.busy_ns == sum(1 for instant in range(21) if open_at(intervals, instant))
    assert found.peak == max((open_at(intervals, instant) for instant in range(21)), default=0)
    assert found.longest_ns == max((interval.duration_ns for interval in intervals), default=0)
    assert found.makespan_ns == (max(i.end_ns for i in real) - min(i.start_ns for i in real) if real else 0)


@given(some_intervals, st.integers(0, 10**18))
def test_totals_ignore_shifts(intervals: list[Interval], shift_ns: int) -> None:
    intervals.sort(key=lambda interval: (interval.start_ns, interval.end_ns))
    here = totals_of(intervals)
    there = totals_of([Interval(i.start_ns + shift_ns, i.end_ns + shift_ns) for i in intervals])
    assert (here.work_ns, here.busy_ns, here.longest_ns, here.peak) == (
        there.work_ns,
        there.busy_ns,
        there.longest_ns,
        there.peak,
    )
    assert here.makespan_ns == there.makespan_ns


def test_empty_and_reversed_intervals_add_nothing_to_totals() -> None:
    assert totals_of([Interval(0, 0), Interval(9, 3)]) == Totals()
    assert totals_of([Interval(0, 0), Interval(2, 5), Interval(9, 9)]) == totals_of([Interval(2, 5)])
    assert Interval(9, 3).duration_ns == 0
