"""Each rule of the order in which a program asked for two calls, and which rule comes before which."""

from __future__ import annotations

from typing import Any

import pytest
from strategies import at, call, step

from otel_parallelism.analysis.schedule.dispatch_order import DispatchOrder
from otel_parallelism.model import Dispatch

SHORT = 0.001
NEXT = {"start": 2 * SHORT, "end": 3 * SHORT}


def order(first: dict[str, Any], second: dict[str, Any], *steps: Any, unrequested: tuple[str, ...] = ()) -> str:
    """Return the order of a call of 1 ms from 0 s and one that begins 2 ms after 0 s, with these further fields."""
    a = call("a", **{"start": 0.0, "end": SHORT, **first})
    b = call("b", **{**NEXT, **second})
    return DispatchOrder([a, b], steps, unrequested).of(0, 1)


def ran(unit: int, **fields: Any) -> dict[str, Any]:
    """Return the field of a call that *unit* ran; sets of units are given as tuples."""
    known = {key: value if key == "alone" else frozenset(value) for key, value in fields.items()}
    return {"dispatch": Dispatch(unit, **known)}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # Nothing is known.
        ({}, {}, "unknown"),
        (ran(1), ran(2), "unknown"),
        # They ran at the same time.
        ({"end": 3 * SHORT}, {}, "together"),
        # One unit runs one thing at a time, but one of several workers may take what the others would have taken.
        (ran(1), ran(1), "apart"),
        (ran(1, alone=False), ran(1), "unknown"),
        (ran(1), ran(1, alone=False), "unknown"),
        # A coroutine that was made before the first call ended, and awaited after it in the same task.
        (ran(1), {**ran(1), "called_ns": at(0)}, "apart"),
        (ran(1), {**ran(2), "called_ns": at(0)}, "together"),
        ({}, {"called_ns": at(SHORT)}, "unknown"),
        # The second call's task existed, waited for the first call's, or did something else meanwhile.
        (ran(1, pending=(2,)), ran(2), "together"),
        (ran(1, waiting=(2,)), ran(2), "apart"),
        (ran(1, beside=(2,)), ran(2), "unknown"),
        # A setting of the framework keeps the calls of one response apart.
        ({"switch": "max_concurrency=1", "round": 0}, {"switch": "max_concurrency=1", "round": 0}, "apart"),
        ({"switch": "sequential=True", "round": 0}, {"switch": "sequential=True", "round": 0}, "apart"),
        ({"switch": "max_concurrency=1", "round": 0}, {"round": 0}, "unknown"),
        ({"switch": "max_workers=4", "round": 0}, {"switch": "max_workers=4", "round": 0}, "unknown"),
        # The model asked for the second call later.
        ({"round": 0}, {"round": 1}, "apart"),
        ({"round": 0, "proved": True}, {"round": 0, "proved": True}, "unknown"),
        ({**ran(1, beside=(2,)), "round": 0}, {**ran(2), "round": 1}, "unknown"),
        ({**ran(1, pending=(2,)), "round": 0}, {**ran(2), "round": 1}, "together"),
        # A call that waited left time for others to begin; one that held the event loop did not.
        ({"start": -0.06}, {}, "apart"),
        ({"start": -0.06, "blocked_ns": 60_000_000}, {}, "unknown"),
    ],
)
def test_rules(first: dict[str, Any], second: dict[str, Any], expected: str) -> None:
    assert order(first, second) == expected


def test_round_of_calls_that_code_made_shows_nothing() -> None:
    assert order({"round": 0}, {"round": 1}, unrequested=("b",)) == "unknown"
    proved = {"proved": True}
    assert order({"round": 0, **proved}, {"round": 1, **proved}, unrequested=("b",)) == "apart"


def test_agents_beside_one_another_ask_their_models_in_the_units_that_run_their_calls() -> None:
    first = {"round": 0, "proved": True, "call_id": "1", **ran(1)}
    second = {"round": 1, "proved": True, "call_id": "2", **ran(2)}
    of_the_second = step("s", SHORT, SHORT, requested=("2",), dispatch=Dispatch(2))
    of_both = step("s", SHORT, SHORT, requested=("2",), dispatch=Dispatch(3))
    assert order(first, second, of_the_second) == "unknown"
    assert order(first, second, of_both) == "apart"
