"""anthropic's tool runner makes spans of its own and runs the tools of one response one by one."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Agent

TOOLS = ["get_weather", "search_flights", "list_hotels"]


def test_the_version_that_runs_is_the_one_described() -> None:
    assert int(version("anthropic").split(".")[0]) == 2


@pytest.mark.parametrize("traced", [True, False], ids=["own provider", "no provider"])
def test_tools_of_one_response_run_one_by_one(anthropic_agent: Agent, *, traced: bool) -> None:
    outcome = anthropic_agent.run("burst", traced=traced)

    assert outcome.stdout == "Yes, go.\n"
    turn = only_turn(outcome.report)
    assert turn["calls"] == 3
    assert turn["ratio"] == pytest.approx(1, abs=0.1)
    assert turn["work"] >= 0.6
    assert turn["chains"] == 1
    chain = only_finding(turn)
    assert (chain["kind"], chain["cause"], chain["calls"]) == ("sequential_chain", "dispatch", TOOLS)
    assert chain["avoidable"] == pytest.approx(turn["makespan"] * 2 / 3, rel=0.1)


def test_what_the_model_asked_for_makes_it_certain(anthropic_agent: Agent) -> None:
    anthropic_agent.environment["ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"] = "content"

    turn = only_turn(anthropic_agent.run("burst").report)

    assert turn["verdict"] == "sequential"
    assert turn["efficiency"] == pytest.approx(1 / 3, abs=0.08)
    chain = only_finding(turn)
    assert (chain["cause"], chain["advice"], chain["calls"]) == ("dispatch", "recommended", TOOLS)


def test_tools_asked_for_one_at_a_time_are_the_models_choice(anthropic_agent: Agent) -> None:
    turn = only_turn(anthropic_agent.run("rounds").report)

    assert turn["calls"] == 3
    chain = only_finding(turn)
    assert (chain["kind"], chain["cause"], chain["calls"]) == ("sequential_chain", "model", TOOLS)


def test_the_programs_own_export_is_intact(anthropic_agent: Agent) -> None:
    alone = anthropic_agent.run_plainly("burst")
    watched = anthropic_agent.run("burst")

    assert watched.stdout == alone.stdout
    assert len(alone.spans) == 6
    assert watched.own_spans == alone.own_spans
    turn = only_turn(watched.report)
    exported = watched.exported(turn)
    assert exported["name"] == "anthropic.messages.tool_runner"
    assert exported["attributes"]["agent.parallelism.ratio"] == pytest.approx(turn["ratio"])
    assert exported["attributes"]["agent.parallelism.cause"] == turn["cause"] == "dispatch"


def only_turn(report: dict[str, Any]) -> dict[str, Any]:
    (turn,) = report["turns"]
    assert report["coverage"]["calls_without_turn"] == 0
    return turn


def only_finding(turn: dict[str, Any]) -> dict[str, Any]:
    (finding,) = turn["findings"]
    return finding
