"""Calls without ids find the request that asked for them, and one response in several spans is one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.asked_calls import match_asked_calls
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.model import AskedCall, Call, Content, Report, Step, TurnSpan
from otel_parallelism.settings import Settings

S = 1_000_000_000
T = "7" * 32


def call(
    span_id: str, start: float, end: float, arguments: Any = None, call_id: str = "", *, tool: str = "get_x"
) -> Call:
    content = None if arguments is None else Content(arguments)
    times = (round((start + 9) * S), round((end + 9) * S))
    return Call(T, span_id, "turn", tool, *times, call_id=call_id, arguments=content, result=Content("nothing"))


def step(span_id: str, start: float, end: float, *asked: AskedCall, ids: bool = False) -> Step:
    requested = tuple(one.call_id for one in asked) if ids or not asked else None
    answer = Content(list(asked), parse=tuple)
    times = (round((start + 9) * S), round((end + 9) * S))
    return Step(T, span_id, "turn", *times, requested=requested, answer=answer)


def report_of(*spans: Call | Step) -> Report:
    turn = TurnSpan(T, "turn", "", "agent", 9 * S, 18 * S)
    (found,) = normalize([turn, *spans], Settings()).turns
    return analyze(found, Settings())


@pytest.mark.parametrize("ids", [True, False])
def test_calls_without_ids_are_matched_by_tool_and_arguments(ids: bool) -> None:
    asked = [AskedCall("get_x", {"city": city}, f"id{city}" if ids else "") for city in ("Oslo", "Rome")]
    report = report_of(
        step("s1", 0, 1, *asked, ids=ids),
        call("a", 1, 2, {"city": "Oslo", "unit": "C"}),
        call("b", 2, 3, {"city": "Rome", "unit": "C"}),
        call("c", 3, 4, {"city": "Bonn", "unit": "C"}),
        step("s2", 4, 5),
    )
    assert [(one.round, one.proved) for one in report.turn.calls] == [(0, True), (0, True), (0, False)]
    assert report.turn.unrequested == {"c"}


def test_ids_of_calls_are_given_to_answers_without_ids() -> None:
    found = match_asked_calls(
        [call("a", 1, 2, {"city": "Oslo"}, "tool-1")], [step("s", 0, 1, AskedCall("get_x", {"city": "Oslo"}))]
    )
    assert found.steps[0].requested == ("tool-1",)


def test_without_arguments_the_number_of_calls_decides() -> None:
    asked = (AskedCall("get_x", {"city": "Oslo"}, "i"), AskedCall("get_x", {"city": "Rome"}, "j"))
    for count in (2, 3):
        calls = [call(f"c{at}", 1 + at, 2 + at) for at in range(count)]
        report = report_of(step("s1", 0, 1, *asked, ids=True), *calls, step("s2", 8, 9))
        assert [one.proved for one in report.turn.calls] == [count == 2] * count


def test_requests_after_the_next_answer_are_not_matched() -> None:
    first, second = (AskedCall("get_x", {"city": "Oslo"}, one) for one in "ij")
    report = report_of(
        step("s1", 0, 1, first, ids=True),
        step("s2", 2, 3, second, ids=True),
        call("a", 3, 4, {"city": "Oslo"}),
        step("s3", 8, 9),
    )
    assert [one.call_id for one in report.turn.calls] == ["j"]


def test_one_response_in_two_spans_is_one_round() -> None:
    asked = [AskedCall("get_x", {"city": city}, city) for city in ("Oslo", "Rome")]
    report = report_of(
        step("s0", 0, 1),
        step("s1", 1, 2, asked[0], ids=True),
        step("s2", 2, 3, asked[1], ids=True),
        call("a", 3, 5, {"city": "Oslo"}, "Oslo"),
        call("b", 5, 7, {"city": "Rome"}, "Rome"),
        step("s3", 7, 8),
    )
    (finding,) = report.findings
    assert (finding.cause, finding.advice, report.avoidable, report.avoidable_steps) == (
        "dispatch",
        "recommended",
        2,
        0,
    )
    assert report.steps == 3


def test_answer_after_the_first_call_is_another_response() -> None:
    asked = [AskedCall("get_x", {"city": city}, city) for city in ("Oslo", "Rome")]
    report = report_of(
        step("s1", 1, 2, asked[0], ids=True),
        call("a", 2, 4, {"city": "Oslo"}, "Oslo"),
        step("s2", 3, 4, asked[1], ids=True),
        call("b", 4, 6, {"city": "Rome"}, "Rome"),
    )
    assert [one.round for one in report.turn.calls] == [0, 1]


@given(
    wanted=st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3)), max_size=6),
    made=st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3)), max_size=6),
)
def test_each_request_is_matched_with_at_most_one_call_of_its_tool(
    wanted: list[tuple[str, int]], made: list[tuple[str, int]]
) -> None:
    asked = [AskedCall(tool, {"n": n}, f"i{at}") for at, (tool, n) in enumerate(wanted)]
    calls = [call(f"c{at}", 1 + at, 2 + at, {"n": n}, tool=tool) for at, (tool, n) in enumerate(made)]
    found = match_asked_calls(calls, [step("s", 0, 1, *asked, ids=True)])
    ids = [one.call_id for one in found.calls if one.call_id]
    assert len(ids) == len(set(ids)) == sum(min(wanted.count(pair), made.count(pair)) for pair in set(wanted))
    for one in found.calls:
        for other in asked:
            assert one.call_id != other.call_id or one.tool == other.tool
