from __future__ import annotations

from typing import Any

import pytest
from strategies import at, call

from otel_parallelism.analysis.findings.causes import chain_cause
from otel_parallelism.model import Call, Caller

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
    assert why(calls, unrequested=("c0",)) == "dispatch"


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


BLOCKING = {"round": 0, "proved": True, "in_loop": True, "called_ns": at(0)}


def test_cause_of_tasks_started_together_but_run_one_by_one_is_blocking() -> None:
    assert why(chain({"task": 1}, {"task": 2}, **BLOCKING)) == "blocking"


@pytest.mark.parametrize(
    "second",
    [
        {"task": 1},  # one task
        {"task": 0},  # unknown
        {"task": 2, "called_ns": at(1.5)},  # called after the first call ended
        {"task": 2, "called_ns": 0},  # unknown
        {"task": 2, "in_loop": False},  # not in the thread of the event loop
    ],
)
def test_cause_is_dispatch_without_every_sign_of_blocking(second: dict[str, Any]) -> None:
    assert why(chain({"task": 1}, second, **BLOCKING)) == "dispatch"


def test_plain_functions_of_different_rounds_are_not_blocking() -> None:
    in_tasks = {"in_loop": True, "blocking": True, "proved": True}
    assert why(chain({"task": 1, "round": 0}, {"task": 2, "round": 0}, **in_tasks)) == "blocking"
    assert why(chain({"task": 1, "round": 0}, {"task": 2, "round": 1}, **in_tasks)) == "model"
    assert why(chain({"task": 1}, {"task": 2}, **in_tasks)) == "blocking"
