from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import SECOND_NS, UNIT_NS, at, call, scope_calls, turn_span

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.bounded_calls import RunningTotals, joined_totals, totals_past_bound
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.model import Call, CallTotals, Content, Interval, Passage, Report
from otel_parallelism.settings import Settings

MEASURED = ("calls", "work", "makespan", "busy", "ratio", "concurrency", "peak_concurrency")


def report(calls: list[Call], most: int, **settings: float) -> Report:
    """Return the report on a turn of *calls*; the analysis keeps at most *most* of them."""
    spans = [turn_span(0, 1_000), *calls]
    (turn,) = normalize(spans, Settings(max_calls_per_turn=most)).turns
    return analyze(turn, Settings(**settings))  # type: ignore[arg-type] # thresholds


@given(scope_calls(), st.integers(0, 6))
@example([call("c0", 3, 4), call("c1", 3, 4), call("c2", 5, 6)], 1)
def test_all_calls_are_measured_however_few_are_kept(calls: list[Call], most: int) -> None:
    bounded, whole = report(calls, most), report(calls, 1_000)
    for name in MEASURED:
        assert getattr(bounded, name) == getattr(whole, name), name
    assert len(bounded.turn.calls) == min(most, len(calls))
    named = sum(bool(call.tool) for call in calls[:most])
    assert bounded.coverage == (named / len(calls) if calls else 1.0)


@given(scope_calls(), st.integers(0, 6))
def test_calls_past_the_bound_are_never_recommended(calls: list[Call], most: int) -> None:
    bounded = report(calls, most, min_avoidable=0.0, min_avoidable_share=0.0)
    kept = {call.span_id for call in bounded.turn.calls}
    assert all(kept.issuperset(finding.span_ids) for finding in bounded.findings)
    if bounded.efficiency is not None:
        assert bounded.efficiency_floor is not None
        assert bounded.efficiency_floor <= bounded.efficiency <= 1.0
        assert bounded.avoidable <= bounded.makespan


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), min_size=1, max_size=12))
def test_running_totals_are_those_of_the_intervals(drawn: list[tuple[int, int]]) -> None:
    intervals = [Interval(start * UNIT_NS, (start + length) * UNIT_NS) for start, length in drawn]
    since_ns = min(interval.start_ns for interval in intervals)
    totals = RunningTotals(since_ns, reached_ns=since_ns)
    for at_ns in sorted({time for interval in intervals for time in (interval.start_ns, interval.end_ns)}):
        for interval in intervals:
            if interval.end_ns == at_ns:
                totals.end(interval.start_ns, at_ns, kept=False)
        for interval in intervals:
            if interval.start_ns == at_ns:
                totals.start(at_ns, kept=False)
        # The work and the busy time so far, open calls included.
        open_ns = sum(min(one.end_ns, at_ns) - one.start_ns for one in intervals if one.start_ns <= at_ns)
        assert totals.at(at_ns).work_ns == open_ns
    found = totals.at(0)
    calls = [call(str(index), 0, 0) for index in range(len(intervals))]
    timed = [
        msgspec.structs.replace(one, start_ns=interval.start_ns, end_ns=interval.end_ns)
        for one, interval in zip(calls, sorted(intervals, key=lambda one: one.start_ns), strict=True)
    ]
    assert totals_past_bound(timed, 0) == found
    assert found.still_open == 0


def test_many_serial_calls_past_the_bound_keep_their_time() -> None:
    calls = [
        call(f"{index:03}", index, index + 1, arguments=Content(f"k{index}"), effect="read", effect_source="declared")
        for index in range(100)
    ]
    found = report(calls, 10)
    assert (found.calls, found.work, found.makespan, found.ratio) == (100, 100.0, 100.0, 1.0)
    assert (found.efficiency, found.efficiency_floor) == (1.0, 0.1)
    assert found.verdict == "possibly_sequential"
    assert "90 of 100 calls are past the bound on calls: they only count in the totals" in found.notes


def test_calls_past_the_bound_are_not_negligible_though_the_kept_ones_are() -> None:
    calls = [
        *(call(f"a{index}", index / 1e6, (index + 1) / 1e6) for index in range(3)),
        call("b", 1, 5),
        call("c", 5, 9),
    ]
    assert report(calls, 3).verdict == "possibly_sequential"
    assert report(calls[:3], 3).verdict == "negligible"


def test_calls_inside_calls_only_count() -> None:
    inner = [call(f"i{index}", 1 + index, 2 + index, parent_id="outer") for index in range(5)]
    found = report([call("outer", 0, 9), *inner], 3)
    assert (found.calls, found.work) == (1, 9.0)
    assert found.coverage == 0.5
    assert found.turn.past_bound == CallTotals(inner=3, inner_since_ns=at(3))


@pytest.mark.parametrize(("since", "avoidable"), [(0.0, 0.0), (2.0, 0.0), (3.5, 1.0), (6.5, 2.0), (9.0, 3.0)])
def test_nothing_is_promised_across_calls_that_are_not_kept(since: float, avoidable: float) -> None:
    calls = [
        call(name, start, start + 1, arguments=Content(name), result=Content("rows"), effect="read")
        for name, start in (("a1", 0), ("b2", 3), ("c3", 5), ("d4", 7))
    ]
    span = turn_span(0, 1_000, input=Content("a1, b2, c3 and d4"))
    (turn,) = normalize([span, *calls], Settings()).turns
    assert analyze(turn, Settings()).avoidable == 3.0
    past = CallTotals(calls=1, since_ns=at(since), end_ns=at(20), work_ns=SECOND_NS, longest_ns=SECOND_NS, peak=1)
    found = analyze(msgspec.structs.replace(turn, past_bound=past), Settings())
    assert (found.calls, found.avoidable) == (5, avoidable)


def test_calls_kept_later_than_those_past_the_bound_are_measured() -> None:
    calls = [call("a", 0, 1), call("b", 4, 5)]
    (turn,) = normalize([turn_span(0, 1_000), *calls], Settings()).turns
    past = CallTotals(
        calls=1, since_ns=at(2), end_ns=at(3), work_ns=SECOND_NS, longest_ns=SECOND_NS, busy_ns=SECOND_NS, peak=1
    )
    found = analyze(msgspec.structs.replace(turn, past_bound=past), Settings())
    assert (found.work, found.busy, found.makespan) == (3.0, 3.0, 5.0)


def test_calls_that_go_on_after_the_turn_count_up_to_it() -> None:
    calls = [call("a", 0, 1), call("b", 1, 1_005)]
    found = report(calls, 1)
    assert (found.calls, found.work) == (2, 1_000.0)
    assert any("1 of them went on after the turn's end" in note for note in found.notes)


def test_waiting_for_a_person_counts_once_only_totals_are_known() -> None:
    waits = [Passage("", "w1", "a", "approval", at(1), at(3), waiting=True)]
    waits += [Passage("", "w2", "turn", "approval", at(5), at(7), waiting=True)]
    trace = call("a", 0, 3).trace_id
    spans = [msgspec.structs.replace(wait, trace_id=trace) for wait in waits]
    (turn,) = normalize(
        [turn_span(0, 10), call("a", 0, 3), call("b", 4, 5), call("c", 8, 9), *spans], Settings(max_calls_per_turn=1)
    ).turns
    found = analyze(turn, Settings())
    assert (found.work, found.makespan) == (3.0, 7.0)


def test_totals_of_two_sets_are_at_most_what_is_possible() -> None:
    one = CallTotals(2, 1, 7, 0, 0, 4 * SECOND_NS, 4 * SECOND_NS, SECOND_NS, 3 * SECOND_NS, 2)
    other = CallTotals(1, 0, 0, 1, SECOND_NS, 5 * SECOND_NS, 4 * SECOND_NS, 4 * SECOND_NS, 4 * SECOND_NS, 1)
    joined = joined_totals(one, other)
    assert joined.inner_since_ns == 7
    assert (joined.calls, joined.inner, joined.still_open) == (3, 1, 1)
    assert (joined.since_ns, joined.end_ns, joined.busy_ns, joined.peak) == (0, 5 * SECOND_NS, 5 * SECOND_NS, 3)
    assert joined_totals(None, one) == one
    assert joined_totals(CallTotals(inner=2), one) == msgspec.structs.replace(one, inner=3)
