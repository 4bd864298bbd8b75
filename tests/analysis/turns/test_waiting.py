"""Waiting for a person is neither work nor loss."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.analysis.turns.waiting import without_waiting
from otel_parallelism.model import Call, Interval, Observation, Passage, Turn, TurnSpan
from otel_parallelism.settings import Settings

S = 1_000_000_000
T = "7" * 32


def call(span_id: str, start: float, end: float, parent: str = "turn", tool: str = "get_part") -> Call:
    return Call(T, span_id, parent, tool, round((start + 100) * S), round((end + 100) * S), source="one")


def wait(span_id: str, start: float, end: float, parent: str) -> Passage:
    times = (round((start + 100) * S), round((end + 100) * S))
    return Passage(T, span_id, parent, "blocked_on_user", *times, waiting=True, source="one")


def turn_of(*observations: Observation, end: float = 1000) -> Turn:
    turn = TurnSpan(T, "turn", "", "agent", 100 * S, round((end + 100) * S), source="one")
    (found,) = [one for one in normalize([turn, *observations], Settings()).turns if one.span_id == "turn"]
    return found


def test_approval_inside_a_call_is_taken_out_of_its_duration() -> None:
    turn = turn_of(call("a", 0, 1), call("b", 1, 602), wait("w", 1, 601, "b"))
    assert [one.duration_ns for one in turn.calls] == [S, S]
    assert turn.calls[1].waiting == (Interval(101 * S, 701 * S),)
    report = analyze(turn, Settings())
    assert (report.work, report.makespan, report.ratio) == (2.0, 2.0, 1.0)
    assert report.avoidable + report.avoidable_potential <= 1.0
    assert report.notes == ("600.00 s of waiting for a person in get_part do not count",)


def test_approval_between_calls_is_cut_out() -> None:
    report = analyze(turn_of(call("a", 0, 1), wait("w", 1, 901, "turn"), call("b", 901, 902)), Settings())
    assert report.makespan == pytest.approx(2.0)
    assert report.avoidable + report.avoidable_potential <= 1.0


def test_work_of_others_during_an_approval_counts() -> None:
    turn = turn_of(call("a", 0, 10), wait("w", 0, 9, "a"), call("b", 0, 5))
    report = analyze(turn, Settings())
    assert (report.work, report.makespan) == (6.0, 6.0)


def test_sub_agent_that_waits_makes_the_turn_around_it_wait() -> None:
    inner = TurnSpan(T, "inner", "turn", "helper", 101 * S, 202 * S, source="one")
    turn = turn_of(
        call("a", 0, 1),
        inner,
        call("x", 1, 2, "inner"),
        wait("w", 2, 101, "inner"),
        call("y", 101, 102, "inner"),
    )
    assert [(one.tool, one.duration_ns) for one in turn.calls] == [("get_part", S), ("helper", 2 * S)]


def served(*lengths: int, **changes: tuple[int, int]) -> Turn:
    """Return a turn of calls that start together, each with a request inside that begins where the last one ended."""
    spans = []
    done = 0
    for number, length in enumerate(lengths):
        name = f"c{number}"
        start, end = changes.get(name, (done, done + length))
        spans += [call(name, 0, end), Passage(T, f"get {name}", name, "GET", (100 + start) * S, (100 + end) * S)]
        done = end
    return turn_of(*spans)


def test_calls_whose_inner_spans_ran_one_after_another_waited() -> None:
    report = analyze(served(4, 11, 7), Settings())
    (finding,) = report.findings
    assert (report.verdict, report.effective_ratio) == ("contended", 1.0)
    assert (finding.cause, finding.advice, finding.avoidable) == ("contention", "potential", 11.0)
    assert finding.evidence == ("the spans inside them ran one after another",)


def pair(first_until: int, second_from: int, second_until: int = 15) -> Turn:
    """Return two calls that start together, the first with a request until 4 s."""
    return turn_of(
        call("a", 0, first_until),
        Passage(T, "get a", "a", "GET", 100 * S, 104 * S),
        call("b", 0, 15),
        Passage(T, "get b", "b", "GET", (100 + second_from) * S, (100 + second_until) * S),
    )


def test_two_calls_waited_if_one_was_served_just_as_the_other_ended() -> None:
    report = analyze(pair(4, 4), Settings())
    (finding,) = report.findings
    assert (report.verdict, finding.cause, finding.evidence) == (
        "contended",
        "contention",
        ("the spans inside them ran one after another",),
    )


@pytest.mark.parametrize(
    "turn",
    [
        pair(7, 4),  # the first goes on, so that the second's turn may be chance
        pair(4, 5),  # nothing is served in between
        pair(4, 4, 13),  # the second computes after it
        served(4, 11, 7, c2=(13, 22)),  # the spans inside overlap
        served(1, 1, 1, c2=(9, 10)),  # they leave most of the time to something else
    ],
)
def test_calls_that_may_have_worked_at_once_are_not_said_to_have_waited(turn: Turn) -> None:
    assert not any(one.serial_inside for one in turn.calls)
    assert analyze(turn, Settings()).verdict == "parallel"


def test_turn_without_waiting_stays_as_it_is() -> None:
    turn = turn_of(call("a", 0, 1), call("b", 1, 2))
    assert without_waiting(turn) is turn


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 80), st.integers(1, 30)), min_size=1, max_size=4),
)
def test_no_work_is_cut_out(calls: list[tuple[int, int]], waits: list[tuple[int, int]]) -> None:
    """Without waiting inside calls, their durations and their overlaps stay; the turn only gets shorter."""
    spans = [call(f"c{at}", start, start + length) for at, (start, length) in enumerate(calls)]
    turn = turn_of(*spans, *(wait(f"w{at}", start, start + length, "turn") for at, (start, length) in enumerate(waits)))
    shorter = without_waiting(turn)
    assert [one.duration_ns for one in shorter.calls] == [one.duration_ns for one in turn.calls]
    for one, same in zip(turn.calls, shorter.calls, strict=True):
        for other, same_other in zip(turn.calls, shorter.calls, strict=True):
            assert (one.start_ns < other.end_ns) == (same.start_ns < same_other.end_ns)
            assert (one.end_ns <= other.start_ns) == (same.end_ns <= same_other.start_ns)
    assert turn.end_ns - turn.start_ns >= shorter.end_ns - shorter.start_ns
    assert without_waiting(msgspec.structs.replace(shorter, waiting=())) == shorter
