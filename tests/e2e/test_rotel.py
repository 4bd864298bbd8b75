"""The fleet exports through a real collector, over gRPC and HTTP; what arrives equals the report."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter, defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from otel_parallelism import names

from .conftest import INSTRUMENT, attributes
from .otlp_receiver import receiving
from .servers import TIMEOUT_S, environment, free_port, listens, running, until

SPEC = importlib.util.find_spec("rotel")
pytestmark = pytest.mark.skipif(SPEC is None, reason="rotel is not installed (dependency group e2e)")

FIELDS = {
    names.VERDICT: "verdict",
    names.RATIO: "ratio",
    names.EFFICIENCY: "efficiency",
    names.EFFICIENCY_FLOOR: "efficiency_floor",
    names.ACHIEVABLE_RATIO: "achievable_ratio",
    names.EFFECTIVE_RATIO: "effective_ratio",
    names.AVOIDABLE: "avoidable",
    names.AVOIDABLE_POTENTIAL: "avoidable_potential",
    names.AVOIDABLE_STEPS: "avoidable_steps",
    names.CAUSE: "cause",
    names.RECOMMENDATION: "recommendation",
    names.CALLS: "calls",
    names.COVERAGE: "coverage",
    names.CHAINS: "chains",
    names.MAKESPAN: "makespan",
    names.WORK: "work",
    names.BUSY: "busy",
    names.PEAK_CONCURRENCY: "peak_concurrency",
}
"""Where the report has what a turn's span has. It does not have the longest chain: its findings tell."""

SPANS_OF_A_TURN = {
    "parallel-planner": 1 + 4 + 2,
    "model-serial": 1 + 3 + 4,
    "dispatch-serial": 1 + 4 + 2,
    "code-serial": 1 + 4,
    "contended": 1 + 4,
    "serial-by-need": 1 + 3,
}


@pytest.fixture
def rotel() -> str:
    assert SPEC is not None
    (folder,) = SPEC.submodule_search_locations or [""]
    return str(Path(folder, "rotel-agent"))


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_attributes_events_and_metrics_arrive_whole(rotel: str, tmp_path: Path, protocol: str) -> None:
    ports = {"grpc": free_port(), "http/protobuf": free_port()}
    path = tmp_path / "report.json"
    with receiving() as received:
        command = [
            *(rotel, "start"),
            *("--otlp-grpc-endpoint", f"127.0.0.1:{ports['grpc']}"),
            *("--otlp-http-endpoint", f"127.0.0.1:{ports['http/protobuf']}"),
            *("--pid-file", str(tmp_path / "rotel.pid"), "--log-file", str(tmp_path / "rotel.log")),
            *("--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", received.endpoint),
        ]
        with running(command, lambda: all(map(listens, ports.values())), folder=tmp_path):
            fleet = [INSTRUMENT, sys.executable, "-m", "otel_parallelism", "demo", "--fleet", "--turns", "1"]
            done = subprocess.run(  # noqa: S603 - our own command
                [*fleet, "--format", "json", "--output", str(path)],
                env=environment(
                    OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
                    OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{ports[protocol]}",
                    OTEL_PARALLELISM_CALL_DURATION_METRIC="true",
                ),
                capture_output=True,
                check=True,
                timeout=TIMEOUT_S,
            )
            assert done.stderr == f"JSON report written to {path}\n".encode()
            until("all spans", lambda: len(received.spans) >= sum(SPANS_OF_A_TURN.values()))
            until("the metrics", lambda: received.metrics)
    turns = json.loads(path.read_text(encoding="utf-8"))["turns"]
    assert {turn["agent"] for turn in turns} == SPANS_OF_A_TURN.keys()
    spans = {span.span_id.hex(): span for span in received.spans}
    assert Counter(span.trace_id.hex() for span in spans.values()) == {
        turn["trace_id"]: SPANS_OF_A_TURN[turn["agent"]] for turn in turns
    }
    for turn in turns:
        check_span(spans[turn["span_id"]], turn)
    check_metrics(received.metrics, turns)
    assert received.scopes == {(names.INSTRUMENTATION, version("otel-parallelism"), names.SCHEMA_URL)}


def check_span(span: Any, turn: dict[str, Any]) -> None:
    """Assert that the turn's span equals the report and has an event per finding."""
    arrived = {key: value for key, value in attributes(span).items() if key.startswith(names.PREFIX)}
    longest = arrived.pop(names.MAX_CHAIN_LENGTH)
    assert longest == max((len(f["calls"]) for f in turn["findings"] if f["kind"] == "sequential_chain"), default=0)
    assert arrived == {key: turn[field] for key, field in FIELDS.items() if turn[field] is not None}
    assert {type(arrived[key]) for key in (names.RATIO, names.AVOIDABLE, names.WORK)} == {float}
    assert [event.name for event in span.events] == [names.FINDING_EVENT] * len(turn["findings"])
    for event, finding in zip(span.events, turn["findings"], strict=True):
        wanted = {
            names.FINDING_KIND: finding["kind"],
            names.FINDING_CAUSE: finding["cause"],
            names.FINDING_ADVICE: finding["advice"],
            names.FINDING_TOOLS: finding["calls"],
            names.FINDING_AVOIDABLE: finding["avoidable"],
            names.FINDING_EVIDENCE: finding["evidence"],
        }
        if finding["location"] is not None:
            wanted[names.CALLER_FILE_PATH] = finding["location"]["file_path"]
            wanted[names.CALLER_LINE_NUMBER] = finding["location"]["line_number"]
        assert attributes(event) == wanted


def check_metrics(points: dict[str, list[Any]], turns: list[dict[str, Any]]) -> None:
    """Assert that every metric arrives with its documented attributes and the report's totals."""
    wanted = {instrument.name: set(instrument.attributes) for instrument in names.METRICS}
    wanted.pop(names.METRIC_LIVE_RATIO.name)  # no turn is open when the program ends
    assert {name: set().union(*map(attributes, some)) for name, some in points.items()} == wanted
    sums = {
        names.METRIC_RATIO.name: by_agent(turns, "ratio"),
        names.METRIC_EFFICIENCY.name: by_agent(turns, "efficiency"),
        names.METRIC_EFFICIENCY_FLOOR.name: by_agent(turns, "efficiency_floor"),
        names.METRIC_TURN_DURATION.name: by_agent(turns, "duration"),
    }
    for name, expected in sums.items():
        assert {attributes(point)[names.AGENT_NAME]: point.sum for point in points[name]} == pytest.approx(expected)
        assert {point.count for point in points[name]} == {1}
    lost = {
        (attributes(p)[names.AGENT_NAME], attributes(p)[names.METRIC_CAUSE]): p.sum
        for p in points[names.METRIC_TIME_LOST.name]
    }
    assert lost == pytest.approx(
        {(turn["agent"], f["cause"]): f["avoidable"] for turn in turns for f in turn["findings"]}
    )
    tokens = {attributes(p)[names.AGENT_NAME]: p.as_int for p in points[names.METRIC_TOKENS_AVOIDABLE.name]}
    assert tokens == {turn["agent"]: turn["avoidable_tokens"] for turn in turns if turn["avoidable_tokens"]}


def by_agent(turns: list[dict[str, Any]], field: str) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for turn in turns:
        if turn[field] is not None:
            found[turn["agent"]] += turn[field]
    return dict(found)
