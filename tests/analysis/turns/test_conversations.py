"""Calls and model requests that only the id of their conversation holds together, as turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from analysis.turns.scattered import agent, chat, record, tool
from msgspec.structs import replace

from otel_parallelism import analyze_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import SpanRecord


def turns(spans: Sequence[SpanRecord]) -> list[set[str]]:
    """Return the ids of the calls and requests of each turn, in order of start."""
    return [
        {call.span_id for call in report.turn.calls} | {step.span_id for step in report.turn.steps}
        for report in analyze_spans(sorted(spans, key=lambda span: span.span_id[::-1])).reports
    ]


def first_turn(said: tuple[str, ...] | None = ("hi",)) -> list[SpanRecord]:
    """Two reads, asked for in one response and run one after another, and the answer."""
    return [
        chat("m1", 0, 1, ("a", "b"), said),
        tool("a", 1, 3),
        tool("b", 3, 5),
        chat("m2", 5, 6, (), said),
    ]


def second_turn(said: tuple[str, ...] | None = ("hi", "and now?")) -> list[SpanRecord]:
    return [
        chat("m3", 60, 61, ("c",), said),
        tool("c", 61, 62),
        chat("m4", 62, 63, ("d",), said),
        tool("d", 63, 64),
        chat("m5", 64, 65, (), said),
    ]


FIRST, SECOND = {"m1", "a", "b", "m2"}, {"m3", "c", "m4", "d", "m5"}


def test_spans_of_one_conversation_are_one_turn() -> None:
    assert turns(first_turn()) == [FIRST]
    analysis = analyze_spans(first_turn())
    (report,) = analysis.reports
    assert (report.verdict, report.cause, report.calls, report.avoidable) == ("sequential", "dispatch", 2, 2.0)
    assert (report.turn.trace_id, report.turn.name) == ("trace of m1", "conversation")
    assert (analysis.coverage.calls, analysis.coverage.calls_without_turn) == (2, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("hi",), ("hi", "and now?")),
        pytest.param(None, None, id="messages not captured"),
        pytest.param(("hi",), ("and now?",), id="only what is new is sent"),
    ],
)
def test_turn_ends_where_the_user_speaks_next(first: tuple[str, ...] | None, second: tuple[str, ...] | None) -> None:
    assert turns([*first_turn(first), *second_turn(second)]) == [FIRST, SECOND]


def test_requests_whose_own_root_holds_several_calls_stay_turns_of_their_roots() -> None:
    def served(name: str, start: float) -> list[SpanRecord]:
        parts = (chat(f"{name}1", start, start + 1, ("a",)), tool(f"{name}2", start + 1, start + 2))
        more = tool(f"{name}3", start + 2, start + 3)
        inside = [replace(one, trace_id=name, parent_id=name) for one in (*parts, more)]
        return [record(name, start, start + 4, {}, trace_id=name), *inside]

    assert turns([*served("p", 0), *served("q", 10)]) == [{"p1", "p2", "p3"}, {"q1", "q2", "q3"}]


def test_two_conversations_at_once_stay_apart() -> None:
    other = [
        chat("n1", 0.5, 1.5, ("e", "f"), ("hello",), conversation="other"),
        tool("e", 1.5, 3.5, conversation="other"),
        tool("f", 1.5, 4.5, conversation="other"),
        chat("n2", 5.5, 6.5, (), ("hello",), conversation="other"),
    ]
    assert turns([*first_turn(), *other]) == [FIRST, {"n1", "e", "f", "n2"}]


def test_roots_without_a_parent_in_one_trace_are_joined_too() -> None:
    spans = [
        chat("m1", 0, 1, ("a", "b"), ("hi",), trace_id="t", parent_id="gone"),
        tool("a", 1, 3, trace_id="t", parent_id="gone"),
        tool("b", 1, 3, trace_id="t", parent_id="gone too"),
    ]
    assert turns(spans) == [{"m1", "a", "b"}]


def test_what_is_below_a_root_moves_with_it() -> None:
    inner = tool("x", 1.2, 1.8, trace_id="trace of a", parent_id="a")
    spans = [*first_turn(), inner, record("http", 1.3, 1.5, {}, trace_id="trace of a", parent_id="x")]
    (report,) = analyze_spans(spans).reports
    assert {call.span_id: call.scope for call in report.turn.calls} == {"a": "", "x": "a", "b": ""}


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param(
            [chat("m1", 0, 1, None, None), tool("a", 1, 3), tool("b", 3, 5), chat("m2", 5, 6, None, None)],
            id="neither messages nor answers",
        ),
        pytest.param([*first_turn(None)[:3], chat("m2", 4, 6, (), None)], id="requests before the results were there"),
        pytest.param([*first_turn(), chat("m9", 0.5, 5.5, (), ("sum up",))], id="requests at the same time"),
        pytest.param(
            [*first_turn()[:3], chat("m2", 5, 6, (), ("another agent's words",))], id="messages that do not continue"
        ),
        pytest.param([tool("a", 1, 3), tool("b", 3, 5)], id="no request at all"),
        pytest.param([chat("m1", 0, 1, ("a",), ("hi",)), tool("a", 1, 3)], id="one call only"),
        pytest.param([chat("m1", 0, 1, (), ("hi",)), tool("a", 1, 3), tool("b", 3, 5)], id="calls after the answer"),
        pytest.param([span for span in first_turn() if span.span_id != "m1"], id="calls before the first request"),
        pytest.param(
            [chat(s, at, at + 1, ("a", "b"), ("hi",), conversation=s) for at, s in enumerate(("m1", "m2"))]
            + [tool("a", 3, 4, conversation="m1"), tool("b", 3, 4, conversation="m2")],
            id="a call each of two conversations",
        ),
    ],
)
def test_nothing_is_joined_where_the_turn_is_not_known(spans: list[SpanRecord]) -> None:
    assert turns(spans) == []


def test_user_speaks_again_without_an_answer_in_between() -> None:
    again = [chat("m3", 10, 11, ("c", "d"), ("hi", "stop, do this")), tool("c", 11, 12), tool("d", 11, 12)]
    assert turns([*first_turn()[:3], *again]) == [{"m1", "a", "b"}, {"m3", "c", "d"}]


def test_spans_of_a_turn_stay_in_it() -> None:
    spans = [
        agent("run", 0, 7, trace_id="t"),
        *(chat(s.span_id, 0, 1, ("a", "b"), ("hi",), trace_id="t", parent_id="run") for s in first_turn()[:1]),
        tool("a", 1, 3, trace_id="t", parent_id="run"),
        tool("b", 3, 5, trace_id="t", parent_id="run"),
    ]
    assert turns([*spans, *second_turn()]) == [{"m1", "a", "b"}, SECOND]
