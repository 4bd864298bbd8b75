from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import UNIT_NS, call, graphs, simple_calls

from otel_parallelism.analysis.schedule.critical_path import longest_path, round_crossings
from otel_parallelism.analysis.schedule.intervals import totals_of
from otel_parallelism.analysis.schedule.own_time import (
    Timeline,
    observed_timeline,
    own_times,
    working_timeline,
)
from otel_parallelism.analysis.turns.rounds import gaps_ns
from otel_parallelism.model import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from otel_parallelism.model import Call

Graph = tuple[list["Call"], list[int], list[int]]


def durations(calls: Sequence[Call]) -> list[int]:
    return [one.duration_ns for one in calls]


both_timelines = pytest.mark.parametrize("timeline", [working_timeline, observed_timeline])


def critical(
    graph: Graph,
    relaxed: Mapping[int, int] | None = None,
    timeline: Callable[[Sequence[Call]], Timeline] = working_timeline,
) -> int:
    calls, edges, after = graph
    on = timeline(calls)
    path_ns = longest_path(
        on.calls,
        edges,
        after,
        durations_ns=durations(calls),
        gaps_ns=on.gaps_ns,
        keeps_pauses=on.keeps_pauses,
        relaxed=relaxed,
    )
    return on.own_ns + path_ns


def by_formula(calls: Sequence[Call], edges: Sequence[int], *, keeps_pauses: bool = False) -> int:
    """Return the longest path by the definitions: f(b) = d(b) + max of f(a) + w(a, b) over its edges a to b."""
    origin_ns = min((one.start_ns for one in calls if one.duration_ns), default=0)
    gaps = gaps_ns(calls)
    rounds = [(one.round, one.start_ns) for one in calls if one.round is not None and one.duration_ns]
    asked_ns = min(rounds, default=(0, 0))[1]

    def into(b: Call) -> int:
        """Return how long after the first streamed call of its response *b* started."""
        return b.start_ns - min(one.start_ns for one in calls if one.streamed and one.round == b.round)

    def pause(a: Call, b: Call) -> int:
        if b.round is not None and a.round != b.round:
            more_ns = into(b) if b.streamed else 0
            return min(gaps.get(b.round, 0) + more_ns, b.start_ns - a.end_ns)
        if not keeps_pauses:
            return 0
        pauses = [
            one.start_ns - max(other.end_ns for other in calls[:index])
            for index, one in enumerate(calls)
            if a.end_ns <= one.start_ns <= b.start_ns and one.start_ns > a.start_ns
        ]
        return max([0, *pauses])

    def finish(index: int) -> int:
        b = calls[index]
        waits = [
            finish(earlier) + pause(calls[earlier], b) for earlier in range(len(calls)) if edges[index] >> earlier & 1
        ]
        bound = [b.start_ns - origin_ns] if b.bound else []
        if b.streamed:
            bound = [min(b.start_ns, asked_ns + into(b) if rounds else b.start_ns) - origin_ns]
        # Calls without duration may come before the first call that has one.
        return b.duration_ns + max([min(0, b.start_ns - origin_ns), *waits, *bound])

    return max((finish(index) for index in range(len(calls)) if calls[index].duration_ns), default=0)


def streaming(graph: Graph, members: set[int]) -> Graph:
    """Return *graph* with those of its calls *members* streamed whose round is known; the others are bound."""
    calls = [
        msgspec.structs.replace(one, streamed=one.round is not None, bound=one.round is None)
        if index in members
        else one
        for index, one in enumerate(graph[0])
    ]
    return calls, *graph[1:]


@given(graphs(max_size=7), st.sets(st.integers(0, 6)), st.booleans())
def test_longest_path_matches_formula(graph: Graph, bound: set[int], keeps_pauses: bool) -> None:
    calls, edges, after = streaming(graph, bound)
    found = longest_path(
        calls, edges, after, durations_ns=durations(calls), gaps_ns=gaps_ns(calls), keeps_pauses=keeps_pauses
    )
    assert found == by_formula(calls, edges, keeps_pauses=keeps_pauses)


@given(graphs(max_size=7))
def test_critical_path_is_own_time_and_longest_path(graph: Graph) -> None:
    calls, edges, _ = graph
    own_ns = sum(interval.duration_ns for interval in own_times(calls))
    expected_ns = min(totals_of(calls).makespan_ns, own_ns + by_formula(calls, edges))
    assert critical(graph) <= expected_ns
    rounds = [one.round for one in calls if one.round is not None]
    apart = all(a.end_ns <= b.start_ns for a, b in itertools.combinations(calls, 2) if a.round != b.round)
    if apart and rounds == sorted(rounds):
        assert critical(graph) == expected_ns


@both_timelines
@given(graphs(), st.sets(st.integers(0, 7)))
def test_critical_path_is_between_longest_call_and_makespan(
    timeline: Callable[[Sequence[Call]], Timeline], graph: Graph, bound: set[int]
) -> None:
    graph = streaming(graph, bound)
    totals = totals_of(graph[0])
    assert totals.longest_ns <= critical(graph, timeline=timeline) <= totals.makespan_ns


@given(graphs())
def test_critical_path_without_edges_is_longest_call(graph: Graph) -> None:
    calls = graph[0]
    nothing = [0] * len(calls)
    assert critical((calls, nothing, nothing), timeline=observed_timeline) == totals_of(calls).longest_ns
    own_ns = sum(interval.duration_ns for interval in own_times(calls))
    assert critical((calls, nothing, nothing)) == own_ns + totals_of(calls).longest_ns


@both_timelines
@given(graphs(), st.sets(st.integers(0, 7)), st.data())
def test_another_edge_never_shortens_critical_path(
    timeline: Callable[[Sequence[Call]], Timeline], graph: Graph, bound: set[int], data: st.DataObject
) -> None:
    graph = streaming(graph, bound)
    calls, edges, _ = graph
    possible = [
        (a, b)
        for a, b in itertools.combinations(range(len(calls)), 2)
        if calls[a].end_ns <= calls[b].start_ns and not edges[b] >> a & 1
    ]
    if possible:
        a, b = data.draw(st.sampled_from(possible))
        more = [mask | (1 << a if index == b else 0) for index, mask in enumerate(edges)]
        longer = critical((calls, more, closure(more)), timeline=timeline)
        assert longer >= critical(graph, timeline=timeline)


def closure(edges: Sequence[int]) -> list[int]:
    after: list[int] = []
    for mask in edges:
        reach = mask
        for index, others in enumerate(after):
            if mask >> index & 1:
                reach |= others
        after.append(reach)
    return after


@both_timelines
@given(graphs(), st.sets(st.integers(0, 7)), st.integers(0, 10**15), st.integers(1, 4))
def test_critical_path_scales_and_ignores_shifts(
    timeline: Callable[[Sequence[Call]], Timeline], graph: Graph, bound: set[int], shift_ns: int, scale: int
) -> None:
    graph = streaming(graph, bound)
    calls, edges, after = graph
    moved = [
        msgspec.structs.replace(one, start_ns=one.start_ns * scale + shift_ns, end_ns=one.end_ns * scale + shift_ns)
        for one in calls
    ]
    assert critical((moved, edges, after), timeline=timeline) == critical(graph, timeline=timeline) * scale


@both_timelines
@given(graphs(), st.sets(st.integers(0, 7)))
def test_length_without_relaxed_calls_is_makespan(
    timeline: Callable[[Sequence[Call]], Timeline], graph: Graph, bound: set[int]
) -> None:
    graph = streaming(graph, bound)
    assert critical(graph, {}, timeline) == totals_of(graph[0]).makespan_ns
    calls = graph[0]
    assert longest_path(calls, (), (), durations_ns=durations(calls), relaxed={}) == totals_of(calls).makespan_ns


@both_timelines
@given(graphs(), st.sets(st.integers(0, 7)), st.sets(st.integers(0, 7)), st.sets(st.integers(0, 7)))
def test_relaxing_more_calls_never_lengthens(
    timeline: Callable[[Sequence[Call]], Timeline], graph: Graph, first: set[int], more: set[int], bound: set[int]
) -> None:
    graph = streaming(graph, bound)
    calls = timeline(graph[0]).calls
    # The calls of one finding and then of another, relaxed from the start of its first call.
    relaxed: dict[int, int] = {}
    lengths = [critical(graph, dict(relaxed), timeline)]
    for members in (first, more - first):
        inside = sorted(index for index in members if index < len(calls))
        if inside:
            relaxed.update(dict.fromkeys(inside, calls[inside[0]].start_ns))
        lengths.append(critical(graph, dict(relaxed), timeline))
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] >= critical(graph, timeline=timeline)
    own_ns = sum(interval.duration_ns for interval in own_times(graph[0]))
    assert timeline is observed_timeline or lengths[-1] >= own_ns


@given(graphs())
def test_relaxing_all_calls_from_start_gives_critical_path(graph: Graph) -> None:
    calls = [one for one in graph[0] if one.duration_ns]
    nothing = [0] * len(calls)
    if calls:
        relaxed = dict.fromkeys(range(len(calls)), calls[0].start_ns)
        assert critical((calls, nothing, nothing), relaxed) == critical((calls, nothing, nothing))


@given(simple_calls(), st.data())
def test_shorter_durations_never_lengthen(calls: list[Call], data: st.DataObject) -> None:
    whole = durations(calls)
    shorter = [data.draw(st.integers(0, length)) for length in whole]
    observed = longest_path(calls, (), (), durations_ns=whole, relaxed={})
    assert longest_path(calls, (), (), durations_ns=shorter, relaxed={}) <= observed


def test_held_call_follows_last_call_that_ended_before_it() -> None:
    # a and b run together; w still follows both, and c follows w after a pause of 1 s.
    calls = [call("a", 0, 2), call("b", 2, 4), call("w", 4, 6), call("c", 7, 8)]
    graph = (calls, [0, 0, 0, 0], [0, 0, 0, 0])
    assert critical(graph, dict.fromkeys((0, 1), calls[0].start_ns)) == 6 * 10 * UNIT_NS


def test_consecutive_findings_each_shorten_their_span() -> None:
    calls = [call("a", 0, 2), call("b", 2, 4), call("w", 4, 6), call("c", 6, 8), call("d", 8, 10)]
    edges = [0, 0, 0b11, 0b100, 0b100]
    graph = (calls, edges, closure(edges))
    first = dict.fromkeys((0, 1), calls[0].start_ns)
    second = dict.fromkeys((3, 4), calls[3].start_ns)
    assert [critical(graph, relaxed) // (10 * UNIT_NS) for relaxed in ({}, first, first | second)] == [10, 8, 6]
    assert critical(graph) == 6 * 10 * UNIT_NS


def test_finding_does_not_start_before_earlier_calls_ended() -> None:
    calls = [call("a", 0, 5), call("b", 5, 7), call("c", 7, 9)]
    graph = (calls, [0, 0, 0], [0, 0, 0])
    assert critical(graph, dict.fromkeys((1, 2), calls[1].start_ns)) == 7 * 10 * UNIT_NS
    # The first call of the finding need not be relaxed.
    assert critical(graph, {2: calls[1].start_ns}) == 7 * 10 * UNIT_NS


def test_calls_without_duration_change_nothing() -> None:
    calls = [call("e", 0, 0), call("a", 10, 12), call("b", 12, 14), call("z", 99, 99)]
    graph = (calls, [0, 0, 0, 0], [0, 0, 0, 0])
    assert critical(graph, {}) == 4 * 10 * UNIT_NS
    assert critical(graph, dict.fromkeys((1, 2), calls[1].start_ns)) == 2 * 10 * UNIT_NS
    assert critical(graph) == 2 * 10 * UNIT_NS


def test_edge_keeps_the_time_needed_to_make_the_later_call() -> None:
    seconds = 10 * UNIT_NS
    calls = [call("a", 0, 2, round=0), call("b", 3, 5, round=1), call("c", 5, 7, round=1)]
    # b and c are of one response: both waited for the model.
    assert critical((calls, [0, 1, 1], [0, 1, 1])) == 5 * seconds
    for number in (0, None):
        others = [msgspec.structs.replace(one, round=number) for one in calls]
        assert critical((others, [0, 1, 1], [0, 1, 1])) == 5 * seconds
    # A call that runs in between is no pause.
    between = [call("a", 0, 2), call("m", 2, 3), call("b", 4, 6)]
    assert critical((between, [0, 0, 1], [0, 0, 1]), timeline=observed_timeline) == 5 * seconds


def test_own_time_is_kept_whatever_depends_on_what() -> None:
    calls = [call("a", 0, 0.1), call("b", 1.1, 1.2)]
    assert critical((calls, [0, 0], [0, 0])) == 11 * UNIT_NS
    assert critical((calls, [0, 1], [0, 1])) == 12 * UNIT_NS
    # The model asked for b, and took the time between.
    asked = [msgspec.structs.replace(one, round=number) for number, one in enumerate(calls)]
    assert critical((asked, [0, 0], [0, 0])) == 1 * UNIT_NS
    assert critical((asked, [0, 1], [0, 1])) == 12 * UNIT_NS


def test_own_times_exclude_pauses_between_known_rounds() -> None:
    calls = [call("a", 0, 1, round=0), call("x", 2, 3), call("b", 4, 5, round=1), call("c", 6, 7, round=1)]
    assert own_times(calls) == (Interval(calls[2].end_ns, calls[3].start_ns),)
    unknown = [msgspec.structs.replace(one, round=None) for one in calls]
    assert sum(interval.duration_ns for interval in own_times(unknown)) == 3 * 10 * UNIT_NS
    assert own_times([]) == own_times(calls[:1]) == ()


@given(graphs())
def test_no_call_runs_in_own_times(graph: Graph) -> None:
    for own in own_times(graph[0]):
        assert all(one.end_ns <= own.start_ns or own.end_ns <= one.start_ns for one in graph[0] if one.duration_ns)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 30)), min_size=2, max_size=6), st.booleans())
def test_critical_path_of_dependent_calls_is_makespan_regardless_of_pauses(
    drawn: list[tuple[int, int]], known: bool
) -> None:
    calls, at_s = [], 0
    for index, (takes_s, pause_s) in enumerate(drawn):
        calls.append(call(f"c{index}", at_s, at_s + takes_s, round=index if known else None))
        at_s += takes_s + pause_s
    edges = [1 << index >> 1 for index in range(len(calls))]
    after = [(1 << index) - 1 for index in range(len(calls))]
    for timeline in (working_timeline, observed_timeline):
        assert critical((calls, edges, after), timeline=timeline) == calls[-1].end_ns - calls[0].start_ns


def test_transitive_edges_change_nothing() -> None:
    # Each call needs all earlier calls, but only the last of them matters.
    calls = [call(f"c{index:03}", index, index + 1) for index in range(100)]
    edges = [(1 << index) - 1 for index in range(100)]
    assert critical((calls, edges, edges)) == 100 * 10 * UNIT_NS
    assert round_crossings([msgspec.structs.replace(c, round=i) for i, c in enumerate(calls)], edges, edges) == 99


def test_length_of_no_calls_is_zero() -> None:
    assert longest_path([], [], [], durations_ns=[]) == 0
    assert round_crossings([], [], []) == 0


@given(graphs(max_size=7))
def test_round_crossings_are_maximum_over_paths(graph: Graph) -> None:
    calls, edges, after = graph
    first = min((one.round for one in calls if one.round is not None), default=None)

    def most(index: int) -> int:
        return max(
            (
                most(earlier)
                + (calls[index].round not in {None, first if calls[earlier].round is None else calls[earlier].round})
                for earlier in range(index)
                if edges[index] >> earlier & 1
            ),
            default=0,
        )

    assert round_crossings(calls, edges, after) == max((most(index) for index in range(len(calls))), default=0)
