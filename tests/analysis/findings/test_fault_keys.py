"""The short names of findings: the same in every report on the same program, and different for different faults."""

from __future__ import annotations

import msgspec

from otel_parallelism.analysis.findings.fault_keys import finding_id
from otel_parallelism.model import Caller, Finding, Report, Turn

CHAIN = Finding(
    kind="sequential_chain",
    cause="code",
    advice="recommended",
    calls=("weather", "hotels"),
    span_ids=("1", "2"),
    avoidable=1.0,
    location=Caller("/srv/app/agent.py", 31),
)


def named(**changes: object) -> str:
    turn = Turn(trace_id="1", span_id="2", name="travel", agent="travel", start_ns=0, end_ns=1, calls=(), steps=())
    report = Report(turn=turn, calls=2, verdict="sequential", coverage=1.0)
    return finding_id(report, msgspec.structs.replace(CHAIN, **changes))


def test_name_depends_on_neither_folder_nor_times_nor_number_of_calls() -> None:
    assert len(named()) == 8
    same = named(
        calls=("hotels", "weather", "weather"),
        span_ids=("7", "8", "9"),
        avoidable=0.1,
        location=Caller("C:\\app\\agent.py", 31),
    )
    assert same == named()


def test_name_depends_on_kind_cause_tools_and_place() -> None:
    names = {
        named(),
        named(kind="limit"),
        named(cause="dispatch"),
        named(calls=("weather",)),
        named(location=Caller("agent.py", 32)),
        named(location=Caller("other.py", 31)),
        named(location=None),
        named(calls=("\ud800",)),
    }
    assert len(names) == 8
