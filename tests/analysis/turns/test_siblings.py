"""A run's span beside its own calls is their turn."""

from __future__ import annotations

import itertools

import pytest

from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.model import Call, Observation, Passage, Step, Turn, TurnSpan
from otel_parallelism.settings import Settings

S = 1_000_000_000
T = "7" * 32


def times(start: float, end: float) -> tuple[int, int]:
    return round((start + 9) * S), round((end + 9) * S)


def run(span_id: str, start: float, end: float, parent: str = "p", instrumentation: str = "") -> TurnSpan:
    return TurnSpan(T, span_id, parent, span_id, *times(start, end), agent=span_id, instrumentation=instrumentation)


def call(span_id: str, start: float, end: float, parent: str = "p", instrumentation: str = "") -> Call:
    return Call(T, span_id, parent, "get_x", *times(start, end), instrumentation=instrumentation)


def step(span_id: str, start: float, end: float, parent: str = "p") -> Step:
    return Step(T, span_id, parent, *times(start, end))


def passage(span_id: str, start: float, end: float, parent: str = "") -> Passage:
    return Passage(T, span_id, parent, span_id, *times(start, end))


def turns_of(*spans: Observation) -> dict[str, list[str]]:
    return {turn.agent or turn.name: _own(turn) for turn in normalize(spans, Settings()).turns}


def _own(turn: Turn) -> list[str]:
    return [one.span_id for one in turn.calls if not one.scope]


def test_calls_and_requests_beside_a_run_are_its_own() -> None:
    spans = (passage("p", 0, 9), run("a", 0, 8), step("s", 0, 1), call("x", 1, 2), call("y", 2, 3), step("t", 3, 4))
    (turn,) = normalize(spans, Settings()).turns
    assert (turn.agent, _own(turn), len(turn.steps)) == ("a", ["x", "y"], 2)


def test_two_runs_one_after_another_each_have_their_own() -> None:
    spans = (passage("p", 0, 9), run("a", 0, 4), call("x", 1, 2), run("b", 5, 9), call("y", 6, 7), call("z", 7, 8))
    assert turns_of(*spans) == {"a": ["x"], "b": ["y", "z"]}


def test_call_that_two_runs_could_hold_belongs_to_neither() -> None:
    assert turns_of(passage("p", 0, 9), run("a", 0, 8), run("b", 0, 8), call("x", 1, 2)) == {"a": [], "b": []}


def test_run_of_the_same_instrumentation_is_preferred() -> None:
    spans = (passage("p", 0, 9), run("a", 0, 8, "p", "one"), run("b", 0, 8, "p", "two"), call("x", 1, 2, "p", "two"))
    assert turns_of(*spans)["b"] == ["x"]


def test_calls_outside_of_the_run_or_of_another_parent_stay() -> None:
    spans = (passage("p", 0, 9), passage("q", 0, 9, "p"), run("a", 0, 4), call("x", 5, 6), call("y", 1, 2, "q"))
    assert turns_of(*spans) == {"p": ["a", "y", "x"], "a": []}


@pytest.mark.parametrize("between", [True, False])
def test_turn_around_keeps_the_calls_that_it_makes_beside_a_sub_agent(between: bool) -> None:
    parent = "p" if between else "outer"
    spans = [
        run("outer", 0, 9, ""),
        passage("p", 0, 9, "outer"),
        run("helper", 1, 8, parent),
        call("x", 2, 3, parent),
        call("y", 3, 4, parent),
    ]
    assert turns_of(*spans) == {"outer": ["helper", "x", "y"], "helper": []}


def test_run_in_an_executor_of_its_own_is_the_turn_of_all_beside_it() -> None:
    spans = [
        run("flow", 0, 9, ""),
        call("first", 0, 0.5, "flow"),
        passage("p", 1, 9, "flow"),
        run("agent", 1, 8.9),
        step("s", 1, 2),
        call("x", 2, 3),
    ]
    assert turns_of(*spans) == {"flow": ["first", "agent"], "agent": ["x"]}


def test_spans_that_enclose_one_another_end_the_search() -> None:
    # Broken ids: the call is below its own child, beside a turn that would hold it.
    spans = [
        Passage(T, "p", "c", "p", *times(0, 10)),
        call("c", 1, 2),
        Step(T, "s", "p", *times(0, 1)),
        run("t", 0, 10),
    ]
    for ordered in itertools.permutations(spans):
        assert len(normalize(ordered, Settings()).turns) <= 1


@pytest.mark.parametrize("around", [True, False])
def test_run_that_is_over_before_the_calls_beside_it_lasts_until_the_last(around: bool) -> None:
    spans: list[Observation] = [passage("p", 0, 9, "flow" if around else "")]
    spans += [run("agent", 0, 0.1), step("s", 0, 1), call("x", 1, 2), step("t", 2, 3), call("y", 3, 4), step("u", 4, 5)]
    if around:
        spans += [run("flow", 0, 9, ""), call("last", 8, 9, "flow")]
    found = {turn.agent: turn for turn in normalize(spans, Settings()).turns}
    assert _own(found["agent"]) == ["x", "y"]
    assert found["agent"].end_ns - found["agent"].start_ns == 4 * S
    if around:
        assert _own(found["flow"]) == ["agent", "last"]


def test_calls_before_and_after_the_end_of_an_empty_run_are_not_all_its_own() -> None:
    spans = (passage("p", 0, 9), run("agent", 0, 3), step("s", 0, 1), call("x", 1, 2), step("t", 2, 3), call("y", 4, 5))
    assert turns_of(*spans)["agent"] == ["x"]
