from __future__ import annotations

from typing import Any

import pytest
from strategies import SECOND_NS, at, call, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.findings.causes import chain_cause
from otel_parallelism.model import Call, Caller
from otel_parallelism.settings import Settings

HERE = Caller("/home/me/agent.py", 12)
LIBRARY = Caller("/venv/lib/python3.12/site-packages/framework/loop.py", 99)
WINDOWS = Caller("C:\\venv\\Lib\\site-packages\\framework\\loop.py", 99)


def chain(*each: dict[str, Any], **every: Any) -> list[Call]:
    return [call(f"c{n}", n, n + 1, **{**every, **fields}) for n, fields in enumerate(each)]


def why(calls: list[Call], *, inner: bool = False, unrequested: tuple[str, ...] = ()) -> str:
    return chain_cause(calls, inner=inner, unrequested=unrequested)


def test_cause_inside_a_call_is_code_regardless_of_rounds() -> None:
    assert why(chain({"round": 0}, {"round": 1}), inner=True) == "code"


def test_cause_of_calls_without_a_model_request_is_code() -> None:
    calls = chain({}, {}, round=0)
    assert why(calls, unrequested=("c0", "c1")) == "code"
    assert why(calls, unrequested=("c1",)) == "code"


def test_chain_of_calls_of_the_model_and_of_the_code_has_no_one_cause() -> None:
    assert why(chain({}, {}, round=0), unrequested=("c0",)) == "unknown"
    assert why(chain({"round": 0}, {"round": 0}, {"round": 1}), unrequested=("c1",)) == "unknown"


@pytest.mark.parametrize(
    ("tasks", "called", "cause"),
    [((1, 2), 0, "blocking"), ((1, 1), 0, "dispatch"), ((1, 2), 1, "dispatch"), ((0, 0), 0, "dispatch")],
    ids=["made together", "awaited in one task", "made afterwards", "tasks not known"],
)
def test_calls_made_together_wait_for_one_that_holds_the_loop(
    tasks: tuple[int, int], called: float, cause: str
) -> None:
    holder = {"blocked_ns": SECOND_NS, "task": tasks[0], "called_ns": at(0)}
    waiting = {"task": tasks[1], "called_ns": at(called) + 1}
    assert why(chain(holder, waiting, round=0)) == cause


def test_cause_of_different_rounds_is_model() -> None:
    assert why(chain({"round": 0}, {"round": 1}, proved=True)) == "model"
    assert why(chain({"round": 0}, {"round": 1}, caller=HERE)) == "model"


def test_cause_without_rounds_depends_on_the_callers_file() -> None:
    assert why(chain({}, {})) == "unknown"
    assert why(chain({}, {}, caller=HERE)) == "code"
    assert why(chain({"caller": HERE}, {})) == "unknown"
    for library in (LIBRARY, WINDOWS):
        assert why(chain({}, {}, caller=library)) == "unknown"


def test_cause_of_one_round_is_dispatch_unless_user_code_made_unproved_calls() -> None:
    assert why(chain({}, {}, round=0)) == "dispatch"
    assert why(chain({}, {}, round=0, proved=True, caller=HERE)) == "dispatch"
    assert why(chain({}, {}, round=0, caller=LIBRARY)) == "dispatch"
    assert why(chain({}, {}, round=0, caller=HERE)) == "code"


BLOCKED = {"blocked_ns": SECOND_NS, "in_loop": True}
ONE_ROUND = {"round": 0, "proved": True}


@pytest.mark.parametrize("tasks", [(1, 2), (0, 0), (0, 1)], ids=["tasks", "stored", "partly known"])
@pytest.mark.parametrize("where", [ONE_ROUND, {}, {"caller": HERE}], ids=["one round", "no rounds", "own code"])
def test_cause_of_calls_that_held_the_loop_is_blocking(tasks: tuple[int, int], where: dict[str, Any]) -> None:
    calls = chain(*({"task": task} for task in tasks), **BLOCKED, **where)
    assert why(calls) == "blocking"
    assert why(calls, inner=True) == "blocking"


def test_cause_of_calls_that_one_task_makes_is_that_task_whatever_they_hold() -> None:
    one_by_one = [{"task": 1, "called_ns": at(0)}, {"task": 1, "called_ns": at(1)}]
    assert why(chain(*one_by_one, **BLOCKED, **ONE_ROUND)) == "dispatch"
    assert why(chain(*one_by_one, **BLOCKED, caller=HERE)) == "code"
    # Both were called before the first one ended.
    assert why(chain({"task": 1, "called_ns": at(0)}, {"task": 1, "called_ns": at(0)}, **BLOCKED)) == "blocking"


def test_calls_of_different_rounds_are_the_models_whatever_they_hold() -> None:
    assert why(chain({"task": 1, "round": 0}, {"task": 2, "round": 1}, **BLOCKED, proved=True)) == "model"


@pytest.mark.parametrize(
    ("held", "cause"), [(0.0, "dispatch"), (0.5, "dispatch"), (0.7, "blocking"), (1.0, "blocking")]
)
def test_calls_must_hold_the_loop_for_most_of_their_time(held: float, cause: str) -> None:
    calls = chain({"task": 1, "blocked_ns": SECOND_NS}, {"task": 2, "blocked_ns": int(held * SECOND_NS)}, **ONE_ROUND)
    assert why(calls) == cause


@pytest.mark.parametrize(("caller", "place"), [(HERE, HERE), (LIBRARY, None)])
def test_place_of_a_round_that_runs_one_by_one_is_in_code_of_the_program(caller: Caller, place: Caller | None) -> None:
    calls = chain({}, {}, round=0, proved=True, effect="read", caller=caller)
    (finding,) = analyze(turn(*calls), Settings()).findings
    assert (finding.cause, finding.location) == ("dispatch", place)
