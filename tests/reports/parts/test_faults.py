from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.model import Caller, Finding, Report, Turn
from otel_parallelism.reports.parts.faults import faults_of, turns_to_show

FINDING = Finding(
    kind="sequential_chain", cause="code", advice="recommended", calls=("a", "b"), span_ids=("1", "2"), avoidable=1.0
)


def report(*findings: Finding, agent: str = "clerk") -> Report:
    turn = Turn("t", "s", "run", agent, 0, 10)
    return Report(turn=turn, calls=2, verdict="sequential", coverage=1.0, findings=findings)


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ({"avoidable": 7.0, "span_ids": ("8", "9"), "evidence": ("other",)}, True),
        ({"calls": ("b", "a", "b")}, True),
        ({"calls": ("a", "c")}, False),
        ({"cause": "model"}, False),
        ({"advice": "potential"}, False),
        ({"kind": "limit"}, False),
        ({"location": Caller("agent.py", 3)}, False),
    ],
)
def test_fault_is_the_same_calls_at_the_same_place(fields: dict[str, object], same: bool) -> None:
    other = msgspec.structs.replace(FINDING, **fields)
    assert (len(faults_of([report(FINDING), report(other)])) == 1) is same


def test_agents_have_faults_of_their_own() -> None:
    assert len(faults_of([report(FINDING), report(FINDING, agent="cook")])) == 2


def test_recommended_faults_come_first_then_the_largest_sum() -> None:
    small = msgspec.structs.replace(FINDING, calls=("c", "d"), avoidable=0.6)
    unsure = msgspec.structs.replace(FINDING, advice="potential", avoidable=9.0)
    intended = msgspec.structs.replace(FINDING, advice="intended", avoidable=99.0)
    faults = faults_of([report(FINDING, unsure, intended), report(small), report(small)])
    assert [(fault.finding.calls[0], fault.count, fault.avoidable) for fault in faults] == [
        ("c", 2, 1.2),
        ("a", 1, 1.0),
        ("a", 1, 9.0),
    ]


@given(st.lists(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(1, 9)), max_size=3), max_size=8))
def test_sums_and_turns_are_complete(turns: list[list[tuple[str, int]]]) -> None:
    reports = [
        report(*(msgspec.structs.replace(FINDING, calls=(tool, tool), avoidable=float(cost)) for tool, cost in turn))
        for turn in turns
    ]
    faults = faults_of(reports)
    assert sum(fault.avoidable for fault in faults) == sum(cost for turn in turns for _, cost in turn)
    assert sum(fault.count for fault in faults) == sum(map(len, turns))
    hosts = turns_to_show(faults)
    assert len(hosts) == len(faults)
    assert all(hosts[fault.key] in fault.turns and fault.worst in fault.turns for fault in faults)
