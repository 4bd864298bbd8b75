from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import TRACE, TURN

from otel_parallelism.analysis.turns.counterparts import (
    TOLERANCE_NS,
    nested_in_time,
    same_tool,
    simultaneous_matches,
    unambiguous_matches,
)
from otel_parallelism.model import Call

if TYPE_CHECKING:
    from collections.abc import Sequence


def in_order(calls: Sequence[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: (call.start_ns, -call.end_ns, call.span_id))


def duplicate_call(number: int, instrumentation: str, start_ns: int, end_ns: int, **fields: Any) -> Call:
    return Call(
        trace_id=TRACE,
        span_id=f"{number:04}",
        parent_id=TURN,
        start_ns=start_ns,
        end_ns=end_ns,
        instrumentation=instrumentation,
        **{"tool": "a", **fields},
    )


def pairwise_matches(calls: Sequence[Call]) -> list[tuple[Call, Call]]:
    """Return the matches by definition: each two calls compared."""
    pairs = []
    degree: dict[tuple[str, str], int] = {}
    for later, call in enumerate(calls):
        for other in calls[:later]:
            ids = {call.call_id, other.call_id} - {""}
            if other.end_ns + TOLERANCE_NS <= call.start_ns or other.instrumentation == call.instrumentation:
                continue
            same_id = len(ids) == 1 and call.call_id == other.call_id
            if same_id or (len(ids) <= 1 and same_tool(other.tool, call.tool) and nested_in_time(other, call)):
                pairs.append((other, call) if other.duration_ns >= call.duration_ns else (call, other))
                for one, two in ((call, other), (other, call)):
                    key = (one.span_id, two.instrumentation)
                    degree[key] = degree.get(key, 0) + (not same_id)
    return [
        (outer, inner)
        for outer, inner in pairs
        if degree[outer.span_id, inner.instrumentation] <= 1 and degree[inner.span_id, outer.instrumentation] <= 1
    ]


# A tick is half of the tolerance, so that calls lie exactly on its edge.
ticks = st.integers(0, 14).map(lambda tick: tick * TOLERANCE_NS // 2)
accounts = st.tuples(
    st.sampled_from("xyz"),
    ticks,
    ticks,
    st.sampled_from(["a", "a", "s.a", "r/s.a", "b", "s__b", ""]),
    st.sampled_from(["", "", "", "1", "2"]),
    st.sampled_from(["", "", "other process"]),
)


@given(st.lists(accounts, max_size=14))
def test_matches_equal_those_of_pairwise_comparison(told: list[tuple[str, int, int, str, str, str]]) -> None:
    calls = in_order(
        [
            Call(
                trace_id=TRACE,
                span_id=f"{number:04}",
                parent_id=TURN,
                tool=tool,
                start_ns=start_ns,
                end_ns=start_ns + length_ns,
                call_id=call_id,
                instrumentation=instrumentation,
                source=source,
            )
            for number, (instrumentation, start_ns, length_ns, tool, call_id, source) in enumerate(told)
        ]
    )
    assert unambiguous_matches(calls) == pairwise_matches(calls)


def test_indistinguishable_calls_have_no_matches() -> None:
    crowd = [duplicate_call(number, "xy"[number % 2], 0, 10**9) for number in range(4_000)]
    assert unambiguous_matches(in_order(crowd)) == []


def test_calls_of_more_instrumentations_than_are_compared_have_no_matches() -> None:
    for number, pairs in ((32, 32 * 31 // 2), (33, 0)):
        calls = [duplicate_call(at, f"scope {at}", 0, 10**9) for at in range(number)]
        assert len(unambiguous_matches(in_order(calls))) == pairs
    assert unambiguous_matches([duplicate_call(at, f"scope {at}", 0, 10**9) for at in range(4_000)]) == []


def test_name_behind_the_names_of_many_servers_stands_for_none_of_them() -> None:
    for servers, pairs in ((63, 63), (64, 0), (4_000, 0)):
        named = [duplicate_call(at, "x", at * 10**9, at * 10**9 + 10**8, tool=f"s{at}.a") for at in range(servers)]
        plain = [duplicate_call(5_000 + at, "y", at * 10**9, at * 10**9 + 10**8) for at in range(servers)]
        assert len(unambiguous_matches(in_order([*named, *plain]))) == pairs


def test_empty_call_at_the_edge_hides_no_counterpart() -> None:
    calls = []
    for at in range(1, 3_000):
        start_ns = at * 10 * TOLERANCE_NS
        calls += [
            duplicate_call(3 * at, "x", start_ns, start_ns + 4 * TOLERANCE_NS),
            duplicate_call(3 * at + 1, "y", start_ns - TOLERANCE_NS, start_ns - TOLERANCE_NS),
            duplicate_call(3 * at + 2, "y", start_ns, start_ns + 4 * TOLERANCE_NS),
        ]
    pairs = unambiguous_matches(in_order(calls))
    assert [(int(outer.span_id), int(inner.span_id)) for outer, inner in pairs] == [
        (3 * at, 3 * at + 2) for at in range(1, 3_000)
    ]


def test_overlapping_calls_with_distinct_ends_are_matched() -> None:
    """With 4 000 overlapping spans, pairwise comparison would take eight million steps."""
    step_ns = 10 * TOLERANCE_NS
    crowd = []
    for number in range(2_000):
        start_ns, end_ns = number * step_ns, 2_000 * step_ns + number * step_ns
        crowd += [
            duplicate_call(2 * number, "x", start_ns, end_ns),
            duplicate_call(2 * number + 1, "y", start_ns + 1, end_ns - 1),
        ]
    pairs = unambiguous_matches(in_order(crowd))
    assert [(int(outer.span_id), int(inner.span_id)) for outer, inner in pairs] == [
        (2 * number, 2 * number + 1) for number in range(2_000)
    ]


def test_equal_ids_match_despite_different_tool_names() -> None:
    calls = in_order(
        [duplicate_call(1, "x", 0, 10**9, call_id="7"), duplicate_call(2, "y", 5, 10**9, tool="b", call_id="7")]
    )
    assert [(outer.span_id, inner.span_id) for outer, inner in unambiguous_matches(calls)] == [("0001", "0002")]


def told(instrumentation: str, *times: tuple[int, int], **fields: Any) -> list[Call]:
    """Return the calls of one instrumentation with their starts and ends, in tenths of the tolerance."""
    tenth = TOLERANCE_NS // 10
    first = 100 if instrumentation == "y" else 0
    return [
        duplicate_call(first + number, instrumentation, 10**10 + start * tenth, 10**10 + end * tenth, **fields)
        for number, (start, end) in enumerate(times)
    ]


@pytest.mark.parametrize(
    ("ones", "others", "pairs"),
    [
        ([(0, 900), (1, 901), (2, 902)], [(0, 899), (1, 901), (2, 901)], 3),
        ([(0, 900), (1, 500), (2, 700)], [(0, 899), (1, 501), (2, 701)], 3),
        ([(0, 900), (1, 901), (2, 902)], [(0, 899), (1, 901)], 0),  # one of them missed a call
        ([(0, 900), (1, 901)], [(0, 899), (1, 880)], 0),  # others
    ],
)
def test_calls_that_two_instrumentations_recorded_at_the_same_times_match(
    ones: list[tuple[int, int]], others: list[tuple[int, int]], pairs: int
) -> None:
    calls = in_order([*told("x", *ones), *told("y", *others)])
    assert len(simultaneous_matches(calls)) == pairs
    assert all({one.instrumentation, two.instrumentation} == {"x", "y"} for one, two in simultaneous_matches(calls))


def test_calls_with_different_ids_or_of_three_instrumentations_do_not_match() -> None:
    assert simultaneous_matches(in_order([*told("x", (0, 900), call_id="1"), *told("y", (0, 900), call_id="2")])) == []
    assert simultaneous_matches(in_order([call for name in "xyz" for call in told(name, (0, 900))])) == []
