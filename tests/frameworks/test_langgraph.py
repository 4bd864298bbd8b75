"""Graphs of other shapes have the same results with and without another instrumentation."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent
OTHERS = ("none", "openinference", "traceloop", "genai")
TWO = ["get_weather", "get_weather"]
MIXED = ["get_stock", "get_weather", "get_weather"]


@pytest.fixture(params=OTHERS)
def shapes(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the measurements of each shape, by name: new ones for a test that is tried again."""
    return measure(request.param, getattr(request.node, "execution_count", 1))


@functools.cache
def measure(other: str, attempt: int) -> dict[str, Any]:
    """Return the measurements of each shape beside another instrumentation; an *attempt* is measured once."""
    del attempt  # only a key of the cache
    command = [sys.executable, "-m", "frameworks.agents.langgraph_shapes", other]
    done = subprocess.run(  # noqa: S603 - our own
        command, cwd=TESTS, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"shape"')]
    for line in lines:
        assert (line["lost"], line["open"]) == (0, 0), line
    return {line["shape"]: line["turns"] for line in lines}


def test_agent_that_calls_another_agent(shapes: dict[str, Any]) -> None:
    *helpers, chief = shapes["delegating"]
    assert [(turn["agent"], turn["tools"], turn["steps"]) for turn in helpers] == [("helper", TWO, 2)] * 2
    assert (chief["agent"], chief["tools"], chief["inner"], chief["steps"]) == ("chief", ["ask_helper"] * 2, 0, 2)
    assert [turn["peak"] for turn in shapes["delegating"]] == [2, 2, 2]


@pytest.mark.parametrize("shape", ["tool_node", "tool_node_with_a_limit"])
def test_one_node_for_all_calls(shapes: dict[str, Any], shape: str) -> None:
    (turn,) = shapes[shape]
    assert (turn["agent"], turn["tools"], turn["steps"]) == ("LangGraph", MIXED, 2)
    assert (turn["peak"], turn["verdict"], turn["findings"]) == (3, "parallel", [])


def test_limit_of_one_node_at_a_time(shapes: dict[str, Any]) -> None:
    (turn,) = shapes["agent_with_a_limit"]
    assert (turn["tools"], turn["steps"], turn["peak"]) == (MIXED, 2, 1)
    # The program has set the limit itself.
    assert (turn["verdict"], turn["findings"]) == ("possibly_sequential", [["limit", "potential"]])


def test_inner_graphs_are_sub_agents(shapes: dict[str, Any]) -> None:
    plain, helper, outer = shapes["subgraphs"]
    assert (plain["tools"], plain["steps"]) == ([], 0)
    assert (helper["tools"], helper["steps"], helper["peak"]) == (TWO, 2, 2)
    assert (outer["tools"], outer["inner"], outer["findings"]) == (["LangGraph", "helper"], 0, [])


def test_concurrent_runs_are_two_turns(shapes: dict[str, Any]) -> None:
    assert [(turn["tools"], turn["steps"], turn["peak"]) for turn in shapes["two_at_once"]] == [(TWO, 2, 2)] * 2


def test_stream_that_is_not_read_to_its_end(shapes: dict[str, Any]) -> None:
    (turn,) = shapes["abandoned"]
    assert (turn["tools"], turn["steps"], turn["errors"]) == (TWO, 1, 0)


def test_interrupt_is_not_a_failure(shapes: dict[str, Any], request: pytest.FixtureRequest) -> None:
    asked, answered = shapes["interrupted"]
    assert (asked["tools"], answered["tools"]) == (["ask_user"], ["ask_user"])
    # Some instrumentations mark the tool as failed.
    if request.node.callspec.params["shapes"] in {"none", "openinference"}:
        assert (asked["errors"], answered["errors"]) == (0, 0)


def test_retry_of_a_failed_call_is_not_avoidable(shapes: dict[str, Any]) -> None:
    (turn,) = shapes["tried_again"]
    assert turn["tools"] == ["get_train"] * 3 + ["get_weather"]
    assert (turn["verdict"], turn["findings"]) == ("parallel", [])


def test_unread_rest_of_a_streamed_answer_delays_nothing(shapes: dict[str, Any]) -> None:
    (turn,) = shapes["left_streams"]
    assert (turn["tools"], turn["steps"]) == (TWO, 2)
    assert (turn["verdict"], turn["findings"]) == ("sequential", [["model", "recommended"]])


def test_tool_that_receives_the_state_may_depend_on_it(shapes: dict[str, Any]) -> None:
    (turn,) = shapes["handed_the_state"]
    assert turn["tools"] == ["get_summary", "get_weather"]
    assert (turn["verdict"], turn["findings"]) == ("possibly_sequential", [["model", "potential"]])
