"""Metrics of the turns of a topic, and messages about what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_parallelism import names
from otel_parallelism.scale.kafka import stream_outlets
from otel_parallelism.scale.kafka.partition_progress import Resumption
from otel_parallelism.scale.kafka.trace_window import WindowBounds
from otel_parallelism.scale.kafka.turn_file import TurnFile
from otel_parallelism.scale.kafka.turn_outlets import TurnOutlets
from otel_parallelism.scale.kafka.turn_stream import TurnStream
from otel_parallelism.settings import Settings
from tests.fleet.month import month
from tests.scale.kafka.simulated_topic import HOW, Topic, written

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turns.jsonl"


def points(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    data = reader._metrics_data  # of the flush: another collection would have no exemplars
    assert data is not None
    return {
        metric.name: list(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def test_turns_that_their_program_has_recorded_are_not_recorded_again(path: Path) -> None:
    marks: list[dict[str, Any]] = [{}, {names.VERDICT: "parallel"}, {names.DEFERRED: True}, {}]
    topic = Topic(1)
    traces = list(month(4))
    for spans, mark in zip(traces, marks, strict=True):
        root = msgspec.structs.replace(spans[0], attributes={**spans[0].attributes, **mark})
        topic.send(0, [root, *spans[1:]], 1_900_000_000_000)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    committed: dict[int, tuple[int, str]] = {}
    with TurnFile(str(path)) as file:
        outlets = TurnOutlets(file, Settings(call_duration_metric=True), provider)
        outlets.commit_positions = lambda positions: committed.update(positions) is None
        stream = TurnStream(HOW, WindowBounds(), outlets)
        stream.assign({0: Resumption(0)}, has_all=True)
        for message in topic.messages[0]:
            stream.read(message, 1_900_000_000_000)
        stream.reach_end(0, 1_900_000_060_000)
        stream.emit()
    found = points(reader)
    turns = {turn["agent"]: turn for turn in written(path)}
    assert len(turns) == 4
    assert committed[0][0] == 0
    durations = found[names.METRIC_TURN_DURATION.name]
    assert {point.attributes[names.AGENT_NAME]: (point.count, point.sum) for point in durations} == {
        agent: (1, pytest.approx(turns[agent]["duration"])) for agent in ("agent-00", "agent-03")
    }
    assert outlets.exports_metrics
    assert {point.exemplars[0].trace_id for point in durations} == {int(traces[at][0].trace_id, 16) for at in (0, 3)}
    assert sum(point.count for point in found[names.METRIC_CALL_DURATION.name]) == sum(
        turns[agent]["calls"] for agent in ("agent-00", "agent-03")
    )
    assert not {one.name for one in (names.METRIC_ACTIVE_TURNS, names.METRIC_LIVE_RATIO)} & found.keys()
    provider.shutdown()


def test_metrics_that_fail_do_not_stop_the_turns(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(MeterProvider):
        def force_flush(self, timeout_millis: float = 0) -> bool:
            raise ConnectionError

    provider = Failing(shutdown_on_exit=False)
    with TurnFile(str(path)) as file:
        TurnOutlets(file, Settings(), provider).record([])
    assert "internal error while recording metrics: ConnectionError" in caplog.text
    provider.shutdown()


def test_what_is_left_out_is_logged_ever_more_seldom(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with TurnFile(str(path)) as file:
        outlets = TurnOutlets(file, Settings(), NoOpMeterProvider())
        assert not outlets.exports_metrics
        for number in range(150):
            outlets.left_out(stream_outlets.LATE, 1, f"trace {number}")
        outlets.left_out(stream_outlets.UNREADABLE, 1, "partition 0, offset 7: it is JSON")
        outlets.wait(5)
        outlets.wait(6)
    assert caplog.messages[:4] == [
        f"left out so far: 1 {stream_outlets.LATE}; the last: trace 0",
        f"left out so far: 10 {stream_outlets.LATE}; the last: trace 9",
        f"left out so far: 100 {stream_outlets.LATE}; the last: trace 99",
        f"left out so far: 1 {stream_outlets.UNREADABLE}; the last: partition 0, offset 7: it is JSON",
    ]
    assert [text.partition(" wait")[0] for text in caplog.messages[4:]] == ["5 complete traces"]
