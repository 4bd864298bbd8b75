"""Tests repeats: one tool that is called again with equal arguments."""

from __future__ import annotations

from typing import Any

import pytest
from strategies import WRITES, call, read

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.model import Call, Content
from otel_parallelism.settings import Settings


def graph_of(*calls: Call) -> Dependencies:
    return Dependencies(calls, (), Settings())


def polls(*results: Any, **fields: Any) -> list[Call]:
    return [
        read(f"c{at}", 2 * at, 2 * at + 1, {"job": "j-17"}, result, round=at, proved=True, **fields)
        for at, result in enumerate(results)
    ]


def test_each_repeat_waits_for_those_before() -> None:
    graph = graph_of(*polls("running", "running", "done"))
    assert graph.hard == [0, 0b1, 0b11]
    assert graph.pair(0, 2).evidence == "get_flights was called again with equal arguments"


def test_results_that_differ_are_polling() -> None:
    (found,) = graph_of(*polls({"ready": False}, {"ready": False}, {"ready": True})).repeats
    assert (found.positions, found.mask, found.kind) == ((0, 1, 2), 0b111, "polling")


def test_repeat_after_a_failure_is_needed_though_results_are_equal() -> None:
    (found,) = graph_of(*polls({"error": "busy"}, {"error": "busy"})).repeats
    assert found.kind == "polling"


def test_equal_results_of_a_read_could_have_been_kept() -> None:
    (found,) = graph_of(*polls({"price": 12, "tags": ["a"]}, {"tags": ["a"], "price": 12})).repeats
    assert found.kind == "equal"


@pytest.mark.parametrize("tool", [WRITES[0], "frobnicate"])
def test_equal_results_prove_nothing_if_a_call_may_have_written(tool: str) -> None:
    first, _, last = polls("rows", "rows", "rows")
    (found,) = graph_of(first, read("w", 2, 3, "x", tool=tool, round=1), last).repeats
    assert found.kind == "unknown"


def test_results_that_were_not_seen_are_neither() -> None:
    unseen = [call(f"c{at}", 2 * at, 2 * at + 1, arguments=Content({"job": "j-17"})) for at in range(2)]
    (found,) = graph_of(*unseen).repeats
    assert found.kind == "unknown"


def test_calls_of_one_response_are_no_repeats() -> None:
    asked = {"round": 0, "proved": True}
    graph = graph_of(read("a", 0, 1, "x", **asked), read("b", 1, 2, "x", **asked))
    assert (graph.repeats, graph.hard) == ((), [0, 0])


def test_declared_independence_makes_no_repeat_run_together() -> None:
    assert graph_of(*polls("running", "done", depends_on=())).hard == [0, 0b1]


def test_arguments_of_other_types_or_of_other_objects_differ() -> None:
    assert graph_of(read("a", 0, 1, {"n": 1}), read("b", 1, 2, {"n": True})).repeats == ()
    first, second = (
        call(f"c{at}", at, at + 1, arguments=Content([], receiver=at), result=Content("rows")) for at in (1, 2)
    )
    assert graph_of(first, second).repeats == ()


def test_arguments_that_were_not_seen_whole_are_not_compared() -> None:
    cut = [call(f"c{at}", at, at + 1, arguments=Content("x", whole=False)) for at in range(2)]
    assert graph_of(*cut).repeats == ()
    assert graph_of(call("a", 0, 1), call("b", 1, 2)).repeats == ()
