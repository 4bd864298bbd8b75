"""Tests that a trace's descriptions of tools are joined."""

from __future__ import annotations

import pytest

from otel_parallelism.analysis.turns.across.offered_tools import offered_tools, with_description
from otel_parallelism.model import Call, Step, TurnSpan


def step(tools: dict[str, str] | None) -> Step:
    return Step("t", "s", "", 0, 1, tools=tools)


def turn(tools: dict[str, str] | None) -> TurnSpan:
    return TurnSpan("t", "r", "", "x", 0, 1, tools=tools)


@pytest.mark.parametrize(
    ("several", "joined"),
    [
        ([], {}),
        ([step(None), turn(None)], {}),
        ([step({"a": "A"}), step(None), step({"a": "A"})], {"a": "A"}),
        ([turn({"a": "A"}), step({"b": "B"})], {"a": "A", "b": "B"}),
        ([step({"a": "Gets it."}), step({"a": "Opens it."})], {"a": "Gets it. Opens it."}),
        ([step({"a": "Gets it."}), step({"a": ""}), step({"a": "Gets it"})], {"a": "Gets it."}),
    ],
)
def test_joined_descriptions(several: list[Step | TurnSpan], joined: dict[str, str]) -> None:
    assert offered_tools(several) == joined


def test_own_description_of_a_call_counts() -> None:
    call = Call("t", "c", "", "a", 0, 1)
    assert with_description(call, {"a": "A"}).description == "A"
    assert with_description(call, {"b": "B"}) is call
    own = Call("t", "c", "", "a", 0, 1, description="mine")
    assert with_description(own, {"a": "A"}) is own
