"""What a demand makes of turns of each kind."""

from __future__ import annotations

from typing import Any

import pytest
from strategies import call, turn

from otel_parallelism import Report, Settings
from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.errors import SettingError
from otel_parallelism.testing import CapturedTurns, assert_parallel
from otel_parallelism.testing.demands import Demand

ROUND: dict[str, Any] = {"round": 0, "proved": True, "effect": "read"}
"""Of calls that the model requested in one response: they could have run together."""


def report(*calls: Any, **settings: Any) -> Report:
    return analyze(turn(*calls), Settings(**settings))


SERIAL = report(call("a", 0, 1, tool="find", **ROUND), call("b", 1, 2, tool="fetch", **ROUND))
TOGETHER = report(call("a", 0, 1, tool="find", **ROUND), call("b", 0, 1, tool="fetch", **ROUND))


def test_calls_that_ran_together_pass() -> None:
    assert_parallel(TOGETHER, min_efficiency=1.0)


def test_other_objects_than_reports_are_refused() -> None:
    with pytest.raises(TypeError, match=r"takes reports, such as those in parallelism\.turns, not \[<Report"):
        assert_parallel([TOGETHER])  # type: ignore[arg-type]


def test_failure_shows_the_turn_and_its_finding() -> None:
    with pytest.raises(AssertionError, match=r"could be saved, and 0\.00 s are allowed") as failed:
        assert_parallel(TOGETHER, SERIAL)
    text = str(failed.value)
    assert "1.00 s could be saved" in text
    assert "[1] find, fetch ran one after another" in text
    assert text.count("Turn 1") == 1  # the other turn is not shown


def test_least_efficiency() -> None:
    assert (SERIAL.efficiency, SERIAL.avoidable) == (0.5, 1.0)
    assert_parallel(SERIAL, max_avoidable=1.0, min_efficiency=0.5)
    with pytest.raises(AssertionError, match=r"its efficiency is 0\.50, and 0\.51 is the least allowed"):
        assert_parallel(SERIAL, max_avoidable=1.0, min_efficiency=0.51)


@pytest.mark.parametrize("pattern", ["cause:dispatch", "find", "f*+f*", "cause: dispatch"])
def test_allowed_findings_do_not_count(pattern: str) -> None:
    (finding,) = SERIAL.findings
    assert finding.cause == "dispatch"
    assert_parallel(SERIAL, min_efficiency=1.0, allow=[pattern])
    with pytest.raises(AssertionError):
        assert_parallel(SERIAL, allow=["cause:model", "another"])


def test_what_may_be_avoidable_does_not_fail() -> None:
    unsure = report(call("a", 0, 1, tool="do_this"), call("b", 1, 2, tool="do_that"))
    assert (unsure.avoidable, unsure.avoidable_potential) == (0.0, 1.0)
    assert_parallel(unsure, min_efficiency=1.0)


def test_turn_that_cannot_be_judged_fails() -> None:
    short = report(call("a", 0, 0.001, tool="find", **ROUND), call("b", 0.001, 0.002, tool="fetch", **ROUND))
    assert short.verdict == "negligible"
    with pytest.raises(AssertionError, match="too short to judge"):
        assert_parallel(short)


def test_structure_of_a_turn_whose_calls_took_different_times() -> None:
    long = report(call("a", 0, 9, tool="find", **ROUND), call("b", 9, 10, tool="fetch", **ROUND))
    assert long.efficiency == 0.9
    assert_parallel(long, min_efficiency=0.9, max_avoidable=1.0)
    with pytest.raises(AssertionError, match="it takes as long as 2 calls, and 1 would do") as failed:
        assert_parallel(long, min_efficiency=0.9, max_avoidable=0, structure=True)
    assert "its efficiency is 0.50, and 0.9 is the least allowed" in str(failed.value)
    assert_parallel(TOGETHER, min_efficiency=1.0, structure=True)


def test_structure_that_is_not_known_passes_with_a_warning() -> None:
    short = report(call("a", 0, 0.001, tool="find", **ROUND), call("b", 0.001, 0.002, tool="fetch", **ROUND))
    why = "plan was not judged: it is not known whether the program asked for these together: find and fetch"
    with pytest.warns(UserWarning, match=why):
        assert_parallel(short, structure=True)


def test_structure_of_too_many_calls_is_not_judged() -> None:
    calls = [call(f"c{number:03}", number, number + 1, tool="find", **ROUND) for number in range(301)]
    with pytest.warns(UserWarning, match="plan was not judged: it has too many calls to compare"):
        assert_parallel(report(*calls), structure=True)


def test_no_turn_fails() -> None:
    with pytest.raises(AssertionError, match="no agent turn was given"):
        assert_parallel()
    with pytest.raises(AssertionError, match="expected one agent turn: no agent turn ended"):
        _ = CapturedTurns().turn


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_efficiency": 90}, "min_efficiency=90: expected a number from 0 to 1"),
        ({"min_efficiency": "high"}, "min_efficiency='high': expected a number from 0 to 1"),
        ({"min_efficiency": float("nan")}, "min_efficiency=nan: expected a number from 0 to 1"),
        ({"max_avoidable": -1}, "max_avoidable=-1: expected a number of seconds, at least 0"),
        ({"max_avoidable": True}, "max_avoidable=True: expected a number of seconds, at least 0"),
        ({"allow": "cause:model"}, r"allow='cause:model': expected a list of patterns, such as \['cause:model'\]"),
        ({"allow": [1]}, r"allow=\[1\]: expected a list of patterns"),
        ({"structure": 1}, "structure=1: expected True or False"),
    ],
)
def test_wrong_demand_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Demand(**arguments)
