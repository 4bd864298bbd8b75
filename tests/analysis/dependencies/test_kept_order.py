from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from strategies import read, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.dependencies.kept_order import limit_of
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Report


def one_round(*switches: str) -> Report:
    """Reads of 1 s that one response asks for and that run one after another, each under its switch."""
    ids = [f"c{at}" for at in range(len(switches))]
    calls = [
        read(name, at, at + 1, f"city {at}", call_id=name, switch=switch)
        for at, (name, switch) in enumerate(zip(ids, switches, strict=True))
    ]
    return analyze(turn(step("s", -1, 0, requested=tuple(ids)), *calls), Settings())


def rounds(switch: str) -> Report:
    """Three reads of 2 s, one for each response, whose requests had *switch*."""
    inside: list[Any] = []
    for at in range(3):
        inside.append(step(f"s{at}", 3 * at, 3 * at + 1, requested=(f"c{at}",), switch=switch))
        inside.append(read(f"c{at}", 3 * at + 1, 3 * at + 3, f"city {at}", f"rain {at}", call_id=f"c{at}"))
    return analyze(turn(*inside), Settings())


def test_without_a_switch_the_dispatcher_is_the_cause() -> None:
    found = one_round("", "", "")
    assert (found.verdict, found.cause, found.avoidable) == ("sequential", "dispatch", 2.0)


@pytest.mark.parametrize("switch", ["sequential=True", "SequentialToolExecutor"])
def test_an_order_that_was_asked_for_is_intended(switch: str) -> None:
    found = one_round(switch, switch, switch)
    assert (found.verdict, found.cause, found.findings) == ("serial_by_need", "intended", ())
    assert (found.efficiency, found.efficiency_floor) == (1.0, 1.0)
    assert any(switch in note for note in found.notes)


def test_a_call_that_runs_alone_keeps_others_from_running_beside_it_only() -> None:
    found = one_round("", "sequential=True", "", "")
    (finding,) = found.findings
    assert len(finding.span_ids) == 2
    assert found.avoidable == 1.0
    assert found.critical_path == 3.0


def test_a_limit_of_one_is_a_limit_that_may_be_raised() -> None:
    found = one_round(*["max_concurrency=1"] * 3)
    (finding,) = found.findings
    assert (found.cause, finding.kind, finding.advice, finding.limit) == ("limit", "limit", "potential", 1)
    assert (found.avoidable, found.avoidable_potential) == (0.0, 2.0)
    assert finding.recommendation.startswith("Raise max_concurrency from 1, if the service behind ")


def test_a_higher_limit_keeps_no_order() -> None:
    assert one_round(*["max_concurrency=4"] * 3).cause == "dispatch"


def test_a_request_for_one_call_at_a_time_is_intended() -> None:
    assert rounds("").cause == "model"
    found = rounds("parallel_tool_calls=False")
    assert (found.verdict, found.cause, found.findings) == ("serial_by_need", "intended", ())
    assert (found.avoidable, found.avoidable_potential, found.avoidable_steps) == (0.0, 0.0, 0)
    assert any("parallel_tool_calls=False" in note for note in found.notes)


@pytest.mark.parametrize(
    ("switch", "limit"), [("", 0), ("max_workers=3", 3), ("max_workers=None", 0), ("parallel_tool_calls=0", 0)]
)
def test_only_limits_have_a_number(switch: str, limit: int) -> None:
    assert limit_of(switch) == limit
