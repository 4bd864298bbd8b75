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
        # The task of one call existed as the other call began, waited for it, or did something else meanwhile.
        (ran(1, pending=(2,)), ran(2), "together"),
        (ran(1, waiting=(2,)), ran(2), "apart"),
        (ran(1, beside=(2,)), ran(2), "unknown"),
        (ran(1, beside=(2,)), ran(2, pending=(1,)), "together"),
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
        ({"start": -0.06, "blocked_ns": 20_000_000, "stalled_ns": 40_000_000}, {}, "unknown"),
    ],
)
def test_rules(first: dict[str, Any], second: dict[str, Any], expected: str) -> None:
    assert order(first, second) == expected


def test_round_of_calls_that_code_made_shows_nothing() -> None:
    assert order({"round": 0}, {"round": 1}, unrequested=("b",)) == "unknown"
    proved = {"proved": True}
    assert order({"round": 0, **proved}, {"round": 1, **proved}, unrequested=("b",)) == "apart"


def asked_by(first: int, second: int, *, a: dict[str, Any], b: dict[str, Any]) -> str:
    """Return the order of two calls that the model was asked for by these units, in one round each; 0 is unknown."""
    steps = [
        step(f"s{unit}", begin, begin, requested=(call_id,), **(ran(unit) if unit else {}))
        for unit, call_id, begin in ((first, "1", 0), (second, "2", SHORT))
    ]
    return order(
        {"round": 0, "proved": True, "call_id": "1", **a}, {"round": 1, "proved": True, "call_id": "2", **b}, *steps
    )


@pytest.mark.parametrize(
    ("first", "second", "a", "b", "expected"),
    [
        # One loop asks for both, and runs them in tasks of their own.
        (3, 3, ran(1), ran(2), "apart"),
        (3, 3, ran(1, waiting=(3,), beside=(9,)), ran(2), "apart"),
        # Each request is a task of its own, while the one that drives them waits.
        (3, 4, ran(1, waiting=(9,)), ran(2), "apart"),
        # Two agents: the second one was under way, had not begun, or asks in the unit that runs its calls.
        (3, 4, ran(1, waiting=(3,), beside=(4,)), ran(2), "unknown"),
        (3, 4, ran(1, waiting=(3,), pending=(4,)), ran(2), "unknown"),
        (3, 2, ran(1, waiting=(3,)), ran(2), "unknown"),
        # Threads show no others.
        (3, 4, ran(1), ran(2), "unknown"),
        # Spans of another instrumentation do not show who asked.
        (0, 0, ran(1, waiting=(3,)), ran(2), "apart"),
        (0, 0, ran(1, waiting=(3,), beside=(9,)), ran(2), "unknown"),
        (0, 0, {}, {}, "apart"),
    ],
)
def test_rounds_are_of_one_agent(first: int, second: int, a: dict[str, Any], b: dict[str, Any], expected: str) -> None:
    assert asked_by(first, second, a=a, b=b) == expected


def test_request_before_a_call_without_an_id_asked_for_it() -> None:
    steps = [step("s1", 0, 0, **ran(3)), step("s2", SHORT, SHORT, **ran(3))]
    assert order({"round": 0, **ran(1)}, {"round": 1, **ran(2)}, *steps) == "apart"
    steps = [step("s1", 0, 0, **ran(3)), step("s2", SHORT, SHORT, **ran(4))]
    assert order({"round": 0, **ran(1)}, {"round": 1, **ran(2)}, *steps) == "unknown"
