"""Results are correct without the framework's own spans, and with two concurrent agents."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from frameworks.scenarios import ANSWER, THREE

if TYPE_CHECKING:
    from frameworks.behaviour import Behaviour

TESTS = Path(__file__).parent.parent


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of the contract."""
    found: str = request.config.getoption("--framework")
    return found


@pytest.fixture
def behaviour(name: str) -> Behaviour:
    """Return the known behaviour of the framework."""
    found: Behaviour = importlib.import_module(f"frameworks.contract.{name}").BEHAVIOUR
    return found


def printed(name: str, circumstance: str) -> list[dict[str, Any]]:
    """Return the measurements of a *circumstance*."""
    command = [sys.executable, "-m", "frameworks.circumstances", name, circumstance]
    done = subprocess.run(  # noqa: S603 - our own
        command, cwd=TESTS, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    runs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"kind"')]
    assert runs, done.stdout
    return runs


def test_spans_of_ours_are_enough(name: str, behaviour: Behaviour) -> None:
    for run in printed(name, "alone"):
        burst = run["scenario"] == "burst"
        dispatch = getattr(behaviour, run["kind"])
        cause = dispatch.cause if burst else "model" if behaviour.steps else "unknown"
        assert run["answer"] == ANSWER
        assert run["foreign"] == 0, run
        assert (run["turns"], run["calls"], run["inner"], run["lost"]) == (1, 3, 0, 0), run
        if behaviour.steps:
            assert run["steps"] == behaviour.steps_of(1 if burst else 3, 3), run
        assert run["peak"] == (dispatch.peak if burst else 1), run
        tolerance = 3 * (0.02 + behaviour.round_trip)
        assert (burst and dispatch.waits) or run["work"] == pytest.approx(run["bodies"], abs=tolerance), run
        assert run["causes"] == ([] if cause is None else [cause]), run


def test_concurrent_agents_have_a_turn_each(name: str, behaviour: Behaviour) -> None:
    for run in printed(name, "together"):
        assert run["answers"] == [ANSWER, ANSWER]
        assert run["lost"] == 0
        if behaviour.steps:
            assert run["steps"] == [behaviour.steps_of(1, 3), behaviour.steps_of(3, 3)]
        ids = sorted(request.id for request in THREE)
        expected = sorted([ids, [f"{call_id}_alone" for call_id in ids]]) if behaviour.ids else [[""] * 3] * 2
        assert run["ids"] == expected, run
