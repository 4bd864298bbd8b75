"""The command reads what a real collector sends to librdkafka's mock of a Kafka cluster, and is killed meanwhile."""

from __future__ import annotations

import importlib.util
import signal
import sys
import urllib.request
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism import names
from otel_parallelism.analysis.analyze import joined_report
from otel_parallelism.analysis.dependencies.experience import Experience
from otel_parallelism.reports.json import turn_json
from tests.e2e.otlp_receiver import receiving
from tests.e2e.servers import TIMEOUT_S, free_port, listens, program, running, until
from tests.fleet.month import month
from tests.readers.written_formats import protobuf
from tests.scale.kafka.mock_cluster import mock_cluster
from tests.scale.kafka.simulated_topic import HOW, written

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from otel_parallelism.model import SpanRecord

ROTEL = importlib.util.find_spec("rotel")
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(ROTEL is None, reason="rotel is not installed (dependency group loops)"),
]
TRACES = list(month(9))
__all__ = ["mock_cluster"]


@contextmanager
def collector(brokers: str, folder: Path) -> Iterator[str]:
    """Run rotel with its Kafka exporter, and return the address that takes spans."""
    assert ROTEL is not None
    [where] = ROTEL.submodule_search_locations or [""]
    ports = free_port(), free_port()
    command = [
        *(str(Path(where, "rotel-agent")), "start"),
        *("--otlp-grpc-endpoint", f"127.0.0.1:{ports[0]}", "--otlp-http-endpoint", f"127.0.0.1:{ports[1]}"),
        *("--pid-file", str(folder / "rotel.pid"), "--log-file", str(folder / "rotel.log")),
        *("--exporter", "kafka", "--kafka-exporter-brokers", brokers, "--kafka-exporter-traces-topic", "otlp_spans"),
    ]
    with running(command, lambda: all(map(listens, ports)), folder=folder):
        yield f"http://127.0.0.1:{ports[1]}/v1/traces"


def send(address: str, spans: list[SpanRecord]) -> None:
    request = urllib.request.Request(  # noqa: S310 - a server of the tests'
        address, protobuf(spans), {"Content-Type": "application/x-protobuf"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - as above
        assert response.status == 200


@contextmanager
def consumer(brokers: str, folder: Path, endpoint: str) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "client.properties").write_text("# quickly\nsession.timeout.ms=6000\nlog_level=0\n")
    instrument = program("opentelemetry-instrument")
    assert instrument is not None
    command = [
        *(instrument, sys.executable, "-m", "otel_parallelism", "kafka", "--brokers", brokers),
        *("--out", str(folder / "turns.jsonl"), "--properties", str(folder / "client.properties")),
        *("--idle", "1.5", "--every", "0.2"),
    ]
    variables = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    with running(command, lambda: True, folder=folder, variables=variables) as process:
        yield process


def expected() -> dict[str, dict[str, Any]]:
    analyze = HOW.part_analyzer()
    reports = [joined_report(one, Experience()) for spans in TRACES for one in analyze(spans).results]
    return {report.turn.trace_id: msgspec.json.decode(turn_json(report)) for report in reports}


def durations(points: list[Any]) -> Counter[str]:
    """Return the number of turns of each agent, summed over the processes that sent *points*."""
    last: dict[tuple[str, int, str], int] = {}
    for point in points:
        labels = {pair.key: pair.value.string_value for pair in point.attributes}
        key = (labels[names.AGENT_NAME], point.start_time_unix_nano, labels[names.VERDICT])
        last[key] = max(last.get(key, 0), point.count)
    counted: Counter[str] = Counter()
    for (agent, _, _), count in last.items():
        counted[agent] += count
    return counted


def test_a_killed_consumer_loses_and_doubles_no_turn(brokers: str, tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    with ExitStack() as stack:
        received = stack.enter_context(receiving())
        address = stack.enter_context(collector(brokers, tmp_path))
        for spans in TRACES[:3]:
            send(address, spans[1:])
            send(address, spans[:1])
        first = stack.enter_context(consumer(brokers, tmp_path, received.endpoint))
        until("three turns", lambda: path.exists() and len(written(path)) == 3, first)
        until("their metrics", lambda: sum(durations(received.metrics.get(DURATION, [])).values()) == 3, first)
        for spans in TRACES[3:6]:
            send(address, spans[2:])  # the trace is open when the consumer is killed
        first.kill()
        first.wait()
        for spans in TRACES[3:6]:
            send(address, spans[:2])
        for spans in TRACES[6:]:
            send(address, spans)
        second = stack.enter_context(consumer(brokers, tmp_path, received.endpoint))
        until("nine turns", lambda: len(written(path)) >= 9, second)
        second.send_signal(signal.SIGTERM)
        assert second.wait(TIMEOUT_S) == 0
    turns = written(path)
    assert len(turns) == len(TRACES)
    assert {turn["trace_id"]: turn for turn in turns} == expected()
    log = (tmp_path / "opentelemetry-instrument.log").read_text()
    assert "reading 4 of the 4 partitions of otlp_spans" in log
    assert "metrics are not recorded" not in log
    assert f"6 turns written to {path}" in log
    agents = Counter(turn["agent"] for turn in turns)
    assert durations(received.metrics[DURATION]) == agents


DURATION = names.METRIC_TURN_DURATION.name
