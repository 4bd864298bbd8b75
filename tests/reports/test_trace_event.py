from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from strategies import EXACT, turns

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.model import Analysis, Coverage, Report, Turn
from otel_parallelism.reports.trace_event import TraceDocument, render_trace_event

from .conftest import START_NS, step, turn


def events(analysis: Analysis, **keys: Any) -> list[dict[str, Any]]:
    """The events that have all of *keys*."""
    found = json.loads(render_trace_event(analysis))["traceEvents"]
    return [event for event in found if all(event.get(key) == value for key, value in keys.items())]


def of(*reports: Report) -> Analysis:
    return Analysis(reports, Coverage())


def names(analysis: Analysis, kind: str) -> dict[tuple[int, int], str]:
    return {(event["pid"], event["tid"]): event["args"]["name"] for event in events(analysis, ph="M", name=kind)}


def check(event: dict[str, Any]) -> None:
    """The rules of the Trace Event Format for the phases that are used."""
    assert isinstance(event["pid"], int)
    assert isinstance(event["tid"], int)
    assert event["name"]
    if event["ph"] == "M":
        wanted = {"process_name": "name", "thread_name": "name"}
        assert list(event["args"]) == [wanted.get(event["name"], "sort_index")]
        assert "ts" not in event
        return
    assert event["ts"] >= 0
    assert event["cat"] in {"turn", "model", "call", "chain"}
    if event["ph"] == "X":
        assert event["dur"] >= 0
    else:
        assert event["ph"] in "stf"
        assert event["id"]
        assert event.get("bp") == ("e" if event["ph"] == "f" else None)


def test_events_conform_to_the_format(both: Analysis) -> None:
    document = json.loads(render_trace_event(both))
    assert list(document) == ["traceEvents", "displayTimeUnit", "otherData"]
    assert document["otherData"]["origin_unix_ns"] == str(START_NS)
    for event in document["traceEvents"]:
        check(event)
    assert msgspec.json.decode(render_trace_event(both), type=TraceDocument).displayTimeUnit == "ms"


def test_turn_is_a_process_with_lanes(both: Analysis) -> None:
    assert names(both, "process_name") == {(1, 0): "1 · travel · sequential", (2, 0): "2 · travel · parallel"}
    assert names(both, "thread_name") == {
        (1, 1): "turn",
        (1, 2): "model",
        (1, 3): "calls 1",
        (2, 1): "turn",
        (2, 2): "calls 1",
        (2, 3): "calls 2",
        (2, 4): "calls 3",
        (2, 5): "calls 4",
    }
    assert [(e["name"], e["ts"], e["dur"], e["tid"]) for e in events(both, ph="X", pid=1)] == [
        ("travel", 0.0, 2_000_000.0, 1),
        ("model", 0.0, 200_000.0, 2),
        ("flights", 200_000.0, 300_000.0, 3),
        ("hotels", 500_000.0, 300_000.0, 3),
        ("hotels", 800_000.0, 300_000.0, 3),
        ("weather", 1_100_000.0, 300_000.0, 3),
    ]
    assert {e["name"]: e["args"].get("failed") for e in events(both, ph="X", pid=2, cat="call")}["hotels"] is True


def test_chain_is_a_flow_from_call_to_call(both: Analysis) -> None:
    flow = events(both, cat="chain")
    assert [(e["ph"], e["ts"], e["tid"], e["id"], e["name"]) for e in flow] == [
        ("s", 200_000.0, 3, "1.1", "[1] dispatch"),
        ("t", 500_000.0, 3, "1.1", "[1] dispatch"),
        ("t", 800_000.0, 3, "1.1", "[1] dispatch"),
        ("f", 1_100_000.0, 3, "1.1", "[1] dispatch"),
    ]
    slices = {(e["tid"], e["ts"]): e["args"]["finding"] for e in events(both, ph="X", pid=1, cat="call")}
    assert [slices[e["tid"], e["ts"]] for e in flow] == [1, 1, 1, 1]


def test_turn_has_measurements_and_advice(sequential: Report) -> None:
    [told] = [event["args"] for event in events(of(sequential), cat="turn")]
    assert (told["verdict"], told["ratio"], told["efficiency"], told["avoidable_s"]) == ("sequential", 1.0, 0.25, 0.9)
    assert told["finding 1"] == "Run the round's calls together with asyncio.gather. (agent.py:31)"


def test_file_names_are_relative_to_the_base(sequential: Report) -> None:
    [finding] = sequential.findings
    finding = msgspec.structs.replace(finding, recommendation="Await them together at /home/me/agent.py:31.")
    report = msgspec.structs.replace(sequential, findings=(finding,))
    text = render_trace_event(of(report), base="/home/me/")
    assert "Await them together at agent.py:31." in text
    assert "/home/me" not in text


def test_overlapping_steps_have_separate_lanes() -> None:
    steps = (step(1, 0, 400), step(2, 100, 200), step(3, 400, 500))
    report = Report(turn=turn((), steps), calls=0, verdict="single", coverage=1.0)
    assert [event["tid"] for event in events(of(report), cat="model")] == [2, 3, 2]


def test_events_have_no_content_of_calls(both: Analysis) -> None:
    assert "an argument" not in render_trace_event(both)
    assert "a result" not in render_trace_event(both)


def test_unnamed_tool_has_a_placeholder(sequential: Report) -> None:
    [first, *_] = sequential.turn.calls
    report = msgspec.structs.replace(
        sequential, turn=turn((msgspec.structs.replace(first, tool="", error=False),)), findings=()
    )
    assert [event["name"] for event in events(of(report), cat="call")] == ["(no name)"]


def test_file_without_turns() -> None:
    assert json.loads(render_trace_event(of()))["traceEvents"] == []


@given(turns(max_size=10))
def test_slices_of_a_lane_do_not_overlap_and_have_the_right_duration(drawn: Turn) -> None:
    analysis = of(analyze(drawn, EXACT))
    by_lane: dict[int, list[tuple[float, float]]] = {}
    for event in events(analysis, ph="X"):
        check(event)
        by_lane.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
    for spans in by_lane.values():
        for (_, end), (start, _) in itertools.pairwise(sorted(spans)):
            assert end <= start
    earliest = min(one.start_ns for one in (drawn, *drawn.steps, *drawn.calls))
    for category, spans in (("call", drawn.calls), ("model", drawn.steps)):
        shown = [(event["ts"], event["dur"]) for event in events(analysis, ph="X", cat=category)]
        assert shown == [((one.start_ns - earliest) / 1e3, max(0, one.end_ns - one.start_ns) / 1e3) for one in spans]


def test_times_keep_nanoseconds(sequential: Report) -> None:
    odd = msgspec.structs.replace(sequential.turn.calls[0], start_ns=START_NS + 1_000_000_001, end_ns=START_NS + 10**12)
    report = msgspec.structs.replace(sequential, turn=turn((odd,)), findings=())
    [event] = events(of(report), cat="call")
    assert event["ts"] == pytest.approx(1_000_000.001, abs=1e-6)
    assert round(event["dur"] * 1000) == 10**12 - 1_000_000_001
