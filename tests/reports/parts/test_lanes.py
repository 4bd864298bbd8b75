from __future__ import annotations

from hypothesis import given
from strategies import simple_calls

from otel_parallelism.analysis.schedule.intervals import totals_of
from otel_parallelism.model import Call, Interval
from otel_parallelism.reports.parts.lanes import assigned_lanes


@given(simple_calls(max_size=12))
def test_each_span_gets_the_lowest_free_lane(calls: list[Call]) -> None:
    ends: dict[int, int] = {}
    for call, lane in zip(calls, assigned_lanes(calls), strict=True):
        assert ends.get(lane, 0) <= call.start_ns
        assert all(ends[lower] > call.start_ns for lower in range(lane))
        ends[lane] = call.end_ns


@given(simple_calls(max_size=12))
def test_number_of_lanes_is_the_peak_concurrency(calls: list[Call]) -> None:
    longer = [call for call in calls if call.duration_ns]
    assert max(assigned_lanes(longer), default=-1) + 1 == totals_of(longer).peak


def test_span_that_ends_before_it_starts_is_empty() -> None:
    assert assigned_lanes([Interval(5, 3), Interval(5, 6), Interval(5, 6)]) == [0, 0, 1]
