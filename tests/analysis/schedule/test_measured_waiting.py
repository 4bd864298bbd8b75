from __future__ import annotations

import pytest
from strategies import TRACE, TURN, at, call

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.schedule.contention import contention, waited_ns
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.model import Call, Report, TurnSpan
from otel_parallelism.settings import Settings

SECOND_NS = 1_000_000_000


def recorded_twice(index: int, *, waits: float, runs: float, called: bool) -> list[Call]:
    """One call twice: as a framework's span that starts at the request, and inside it our span of the body."""
    outer, inner = f"o{index}", f"i{index}"
    facts = {"called_ns": at(0)} if called else {}
    return [
        call(outer, 0, waits + runs, "get_page"),
        call(inner, waits, waits + runs, "get_page", parent_id=outer, queue_ns=at(waits) - at(0), **facts),
    ]


def report(calls: list[Call]) -> Report:
    turn = TurnSpan(TRACE, TURN, "", "turn", at(0), at(20))
    (found,) = normalize([turn, *calls], Settings()).turns
    return analyze(found, Settings())


@pytest.mark.parametrize("called", [True, False], ids=["live", "stored"])
def test_measured_waiting_inside_a_call_is_no_effective_work(called: bool) -> None:
    # A map with a limit of four calls of 1 s: the framework's spans include the time in the queue.
    calls = [
        one for index in range(8) for one in recorded_twice(index, waits=3.0 * (index // 4), runs=1, called=called)
    ]
    found = report(calls)
    assert found.calls == 8
    assert found.work == pytest.approx(4 * 1 + 4 * 4)
    assert found.ratio == pytest.approx(20 / 4)
    assert found.effective_ratio == pytest.approx(8 / 4)
    assert (found.verdict, found.efficiency) == ("contended", None)
    # The limit is one of ours, so it is no finding.
    assert found.findings == ()


def test_little_waiting_is_no_contention() -> None:
    calls = [one for index in range(4) for one in recorded_twice(index, waits=0.05 * index, runs=2, called=True)]
    found = report(calls)
    assert found.ratio is not None
    assert found.effective_ratio is not None
    assert 0.8 * found.ratio < found.effective_ratio < found.ratio
    assert found.verdict == "parallel"


def test_waiting_before_a_span_does_not_count() -> None:
    alone = call("a", 2, 3, called_ns=at(0), queue_ns=at(2) - at(0))
    stored = call("b", 2, 3, queue_ns=at(2) - at(0))
    assert waited_ns(alone) == waited_ns(stored) == 0
    assert contention([alone, stored]).baseline_ns == {}
    assert contention([alone, stored]).effective_work_ns([alone, stored]) == 2 * SECOND_NS


@pytest.mark.parametrize(
    ("called", "queued", "expected"), [(0.0, 1.0, 1.0), (-1.0, 1.5, 0.5), (1.5, 9.0, 0.5), (-3.0, 2.0, 0.0)]
)
def test_only_waiting_inside_the_span_counts(called: float, queued: float, expected: float) -> None:
    one = call("a", 0, 2, called_ns=at(called), queue_ns=at(queued) - at(0))
    assert waited_ns(one) == round(expected * SECOND_NS)


def test_measured_waiting_takes_precedence_over_batches() -> None:
    stairs = [call(f"c{i}", 0, 0.1 * (i + 1), called_ns=at(0), queue_ns=at(0.02 * i) - at(0)) for i in range(4)]
    found = contention(stairs)
    assert len(found.batches) == 1
    assert found.baseline_ns["c0"] == at(0.1) - at(0)
    assert found.baseline_ns["c3"] == at(0.4 - 0.06) - at(0)
