"""strands makes its own spans and runs the calls of a response together."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Agent

TOOLS = ["get_weather", "search_flights", "list_hotels"]


def test_version_is_the_expected_one() -> None:
    assert int(version("strands-agents").split(".")[0]) == 1


@pytest.mark.parametrize("traced", [True, False], ids=["own provider", "no provider"])
def test_calls_of_one_response_run_together(strands_agent: Agent, *, traced: bool) -> None:
    outcome = strands_agent.run("burst", traced=traced)

    assert outcome.stdout.strip() == "Yes, go."
    turn = only_turn(outcome.report)
    assert turn["calls"] == 3
    assert turn["agent"] == "travel"
    assert turn["ratio"] == pytest.approx(3, abs=0.4)
    assert turn["peak_concurrency"] == 3
    assert turn["verdict"] == "parallel"
    assert turn["findings"] == []


def test_sequential_executor_runs_calls_one_by_one(strands_agent: Agent) -> None:
    turn = only_turn(strands_agent.run("sequential").report)

    # The program chose the executor that keeps this order.
    assert (turn["calls"], turn["peak_concurrency"], turn["verdict"]) == (3, 1, "serial_by_need")
    assert (turn["cause"], turn["findings"]) == ("intended", [])


@pytest.mark.parametrize("traced", [True, False], ids=["own provider", "no provider"])
def test_cause_of_single_requests_is_the_model(strands_agent: Agent, *, traced: bool) -> None:
    turn = only_turn(strands_agent.run("rounds", traced=traced).report)

    assert turn["calls"] == 3
    assert turn["ratio"] == pytest.approx(0.6 / 0.7, abs=0.15)
    (chain,) = turn["findings"]
    assert (chain["kind"], chain["cause"], chain["calls"]) == ("sequential_chain", "model", TOOLS)


def test_spans_of_the_program_are_unchanged(strands_agent: Agent) -> None:
    alone = strands_agent.run_plainly("burst")
    watched = strands_agent.run("burst")

    assert watched.stdout == alone.stdout
    assert len(alone.spans) == 8
    assert sorted(span["name"] for span in watched.spans) == sorted(span["name"] for span in alone.spans)
    turn = only_turn(watched.report)
    exported = watched.exported(turn)
    assert exported["name"] == "invoke_agent travel"
    assert exported["attributes"]["agent.parallelism.ratio"] == pytest.approx(turn["ratio"])
    assert exported["attributes"]["agent.parallelism.verdict"] == "parallel"


def only_turn(report: dict[str, Any]) -> dict[str, Any]:
    (turn,) = report["turns"]
    assert report["coverage"]["calls_without_turn"] == 0
    return turn
