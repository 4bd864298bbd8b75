"""Results are the same beside another instrumentation, live and stored, in either order of installation."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from frameworks.scenarios import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frameworks.behaviour import Behaviour, Dispatch

TESTS = Path(__file__).parent.parent
ORDERS = ("before", "after")
WORK_OF_THE_OTHER_S = 0.04
Completed: TypeAlias = "subprocess.CompletedProcess[str]"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Generate one test for each other instrumentation that the contract names."""
    name = metafunc.config.getoption("--framework")
    others = importlib.import_module(f"frameworks.contract.{name}").BESIDE
    metafunc.parametrize(("name", "other"), [(name, other) for other in others])
    metafunc.parametrize("order", ORDERS)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Future[Completed]]]:
    """Return the process of every combination; two run at a time, because each mostly waits and imports."""
    name = request.config.getoption("--framework")
    with ThreadPoolExecutor(2) as pool:
        yield {
            (other, order): pool.submit(run, name, other, order)
            for other in importlib.import_module(f"frameworks.contract.{name}").BESIDE
            for order in ORDERS
        }
        pool.shutdown(cancel_futures=True)


def run(name: str, other: str, order: str) -> Completed:
    command = [sys.executable, "-m", "frameworks.beside", name, other, order]
    return subprocess.run(  # noqa: S603 - our own
        command, cwd=TESTS, capture_output=True, text=True, check=False, timeout=180
    )


def test_every_call_counts_once(
    outcomes: dict[tuple[str, str], Future[Completed]], name: str, other: str, order: str
) -> None:
    # A rerun of this test needs a new process.
    begun = outcomes.pop((other, order), None)
    done = run(name, other, order) if begun is None else begun.result()
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
    assert run["verdict"] == ("parallel" if cause is None else "sequential"), run
