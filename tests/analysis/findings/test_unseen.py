"""Turns in which the model asked for calls and none was seen to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strategies import read, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.model import AskedCall, Content
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Observation, Step


def asks(span_id: str, start: float, *tools: str) -> Step:
    ids = tuple(f"{span_id}.{tool}" for tool in tools)
    return step(span_id, start, start + 1, requested=ids, requested_tools=tools)


def verdict(*spans: Observation, **fields: Any) -> tuple[str, str]:
    report = analyze(turn(*spans, **fields), Settings())
    return report.verdict, report.recommendation


def test_recommendation_names_the_tools_to_decorate() -> None:
    name, recommendation = verdict(asks("s0", 0, "get_weather", "get_time"), step("s1", 3, 4, requested=()))
    assert name == "unseen"
    assert recommendation == (
        "To see the calls that the model asked for, decorate get_weather and get_time with @profiled, or name the "
        "functions in OTEL_PARALLELISM_TARGETS (module:function)."
    )


def test_names_of_tools_may_be_unknown() -> None:
    asked = step("s0", 0, 1, requested=("i0", "i1"))
    name, recommendation = verdict(asked, step("s1", 3, 4, requested=()))
    assert name == "unseen"
    assert "decorate the tools with @profiled" in recommendation


def test_answer_names_the_tools_that_it_asks_for() -> None:
    answer = Content([AskedCall("get_weather"), AskedCall("get_time")], parse=tuple)
    name, recommendation = verdict(step("s0", 0, 1, answer=answer), step("s1", 3, 4, requested=()))
    assert (name, "decorate get_weather and get_time with" in recommendation) == ("unseen", True)


def test_structured_output_is_no_unseen_call() -> None:
    assert verdict(asks("s0", 0, "UserInfo"))[0] == "single"
    assert verdict(asks("s0", 0, "get_a", "get_b"))[0] == "unseen"


def test_bookkeeping_tools_are_no_unseen_calls() -> None:
    assert verdict(asks("s0", 0, "think"), asks("s1", 2, "final_answer"), step("s2", 4, 5))[0] == "single"


def test_one_seen_call_is_enough() -> None:
    assert verdict(asks("s0", 0, "get_a", "get_b"), read("c", 1, 2), step("s1", 3, 4))[0] == "single"
    assert verdict(step("s0", 0, 1), step("s1", 3, 4, requested=()))[0] == "single"
