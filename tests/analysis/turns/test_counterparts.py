from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from strategies import TRACE, TURN

from otel_parallelism.analysis.turns.counterparts import TOLERANCE_NS, nested_in_time, same_tool, unambiguous_matches
from otel_parallelism.model import Call

if TYPE_CHECKING:
    from collections.abc import Sequence


def in_order(calls: Sequence[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: (call.start_ns, -call.end_ns, call.span_id))


def account(number: int, instrumentation: str, start_ns: int, end_ns: int, **fields: Any) -> Call:
    return Call(
        trace_id=TRACE,
        span_id=f"{number:04}",
        parent_id=TURN,
        start_ns=start_ns,
        end_ns=end_ns,
        instrumentation=instrumentation,
        **{"tool": "a", **fields},
    )


def compared_one_by_one(calls: Sequence[Call]) -> list[tuple[Call, Call]]:
    """What the definition says, every two calls compared."""
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


# Half of the tolerance a tick: whether the edges count shows.
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
def test_the_pairs_are_those_of_comparing_every_two(told: list[tuple[str, int, int, str, str, str]]) -> None:
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
    assert unambiguous_matches(calls) == compared_one_by_one(calls)


def test_of_a_crowd_that_nobody_can_tell_apart_there_are_no_pairs() -> None:
    crowd = [account(number, "xy"[number % 2], 0, 10**9) for number in range(4_000)]
    assert unambiguous_matches(in_order(crowd)) == []


def test_each_of_a_crowd_finds_its_own_account_where_the_ends_tell() -> None:
    """Four thousand spans open at once: every two of them compared would be eight million comparisons."""
    step_ns = 10 * TOLERANCE_NS
    crowd = []
    for number in range(2_000):
        start_ns, end_ns = number * step_ns, 2_000 * step_ns + number * step_ns
        crowd += [account(2 * number, "x", start_ns, end_ns), account(2 * number + 1, "y", start_ns + 1, end_ns - 1)]
    pairs = unambiguous_matches(in_order(crowd))
    assert [(int(outer.span_id), int(inner.span_id)) for outer, inner in pairs] == [
        (2 * number, 2 * number + 1) for number in range(2_000)
    ]


def test_an_id_finds_its_account_whatever_it_is_called_there() -> None:
    calls = in_order([account(1, "x", 0, 10**9, call_id="7"), account(2, "y", 5, 10**9, tool="b", call_id="7")])
    assert [(outer.span_id, inner.span_id) for outer, inner in unambiguous_matches(calls)] == [("0001", "0002")]
