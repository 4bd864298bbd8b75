"""Results are the same beside another instrumentation, live and stored, in either order of installation."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from frameworks.scenarios import ANSWER

if TYPE_CHECKING:
    from frameworks.behaviour import Behaviour, Dispatch

TESTS = Path(__file__).parent.parent
ORDERS = ("before", "after")
WORK_OF_THE_OTHER_S = 0.08


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Generate one test for each other instrumentation that the contract names."""
    name = metafunc.config.getoption("--framework")
    others = importlib.import_module(f"frameworks.contract.{name}").BESIDE
    metafunc.parametrize(("name", "other"), [(name, other) for other in others])
    metafunc.parametrize("order", ORDERS)


def test_every_call_counts_once(name: str, other: str, order: str) -> None:
    command = [sys.executable, "-m", "frameworks.beside", name, other, order]
    done = subprocess.run(  # noqa: S603 - our own
        command, cwd=TESTS, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stderr
    runs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"kind"')]
    assert runs, done.stdout
    behaviour: Behaviour = importlib.import_module(f"frameworks.contract.{name}").BEHAVIOUR
    for each in runs:
        check(each, behaviour)


def check(run: dict[str, Any], behaviour: Behaviour) -> None:
    """Assert that the *run* has the results that it has without another instrumentation."""
    dispatch: Dispatch = getattr(behaviour, run["kind"])
    burst = run["scenario"] == "burst"
    cause = dispatch.cause if burst else "model"
    assert run["answer"] == ANSWER
    assert (run["turns"], run["calls"], run["inner"], run["lost"]) == (1, 3, 0, 0), run
    assert run["foreign"] > 0, "the other instrumentation made no span"
    assert run["steps"] == behaviour.steps_of(1 if burst else 3, 3), run
    assert run["peak"] == (dispatch.peak if burst else 1), run
    assert run["stored"] == [[run["calls"], run["steps"], run["peak"]]], "what was exported tells the same"
    # The other instrumentation's work for each of the three calls is inside its own span.
    tolerance = 3 * (WORK_OF_THE_OTHER_S + behaviour.round_trip)
    assert (burst and dispatch.waits) or run["work"] == pytest.approx(run["bodies"], abs=tolerance), run
    assert run["causes"] == ([] if cause is None else [cause]), run
    assert run["verdict"] == ("parallel" if cause is None else "sequential" if burst else dispatch.rounds), run
