"""A consumer of a real client library: groups, rebalances, commits of others, and deleted messages."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.scale.kafka import stream_outlets
from otel_parallelism.scale.kafka.partition_progress import PartitionProgress, Resumption, TraceState
from otel_parallelism.scale.kafka.topic_consumer import TopicConsumer, TopicError
from otel_parallelism.scale.kafka.trace_window import WindowBounds
from otel_parallelism.scale.kafka.turn_file import TurnFile
from otel_parallelism.scale.kafka.turn_outlets import TurnOutlets
from otel_parallelism.scale.kafka.turn_stream import TurnStream
from otel_parallelism.settings import Settings
from tests.e2e.servers import until
from tests.fleet.month import month
from tests.scale.kafka.mock_cluster import QUIET, mock_cluster, publish
from tests.scale.kafka.simulated_topic import HOW, Topic, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["mock_cluster"]
pytestmark = pytest.mark.process
kafka = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed (dependency group loops)")
TRACES = list(month(12))
PARTITIONS = 4  # of a new topic of the mock cluster


class Running:
    """A consumer in a thread of this process, until `stop`."""

    def __init__(self, brokers: str, topic: str, path: Path) -> None:
        self.file = TurnFile(str(path))
        self.outlets = TurnOutlets(self.file, Settings())
        self.stream = TurnStream(HOW, WindowBounds(idle_s=1, missing_idle_s=1), self.outlets)
        configuration = {"bootstrap.servers": brokers, "group.id": topic, "session.timeout.ms": 6_000, **QUIET}
        self.consumer = TopicConsumer(topic, configuration, self.stream, self.file, every_s=0.1)
        self.outlets.commit_positions = self.consumer.commit
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self.consumer.run, args=[self._is_over.is_set])
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()
        self.file.__exit__(None, None, None)


@contextmanager
def running(*arguments: Any) -> Iterator[Running]:
    one = Running(*arguments)
    try:
        yield one
    finally:
        one.stop()


def sent(traces: list[Any], *, keyed: bool) -> Topic:
    topic = Topic(PARTITIONS)
    now_ms = time.time_ns() // 1_000_000
    for spans in traces:
        partition = int(spans[0].trace_id, 16) % PARTITIONS
        for at in range(2):
            topic.send(partition if keyed else (partition + at) % PARTITIONS, spans[at::2], now_ms, keyed=keyed)
    return topic


def traces_in(*paths: Path) -> Counter[str]:
    return Counter(turn["trace_id"] for path in paths if path.exists() for turn in written(path))


def test_a_rebalance_loses_and_doubles_no_turn(brokers: str, tmp_path: Path) -> None:
    paths = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    with running(brokers, "shared", paths[0]) as first:
        publish(brokers, "shared", sent(TRACES[:4], keyed=True))
        until("the first turns", lambda: len(traces_in(*paths)) == 4)
        with running(brokers, "shared", paths[1]) as second:
            until("both consumers to have partitions", lambda: first.stream.partitions and second.stream.partitions)
            assert len(first.stream.partitions) + len(second.stream.partitions) == PARTITIONS
            publish(brokers, "shared", sent(TRACES[4:8], keyed=True))
            publish(brokers, "shared", sent(TRACES[8:], keyed=False))
            until("the turns of both", lambda: len(traces_in(*paths)) == 8)
            left = first.outlets.counts, second.outlets.counts
            until(
                "traces in parts",
                lambda: sum(one[stream_outlets.IN_PARTS] for one in left) >= sum(map(len, TRACES[8:])),
            )
    assert traces_in(*paths) == {spans[0].trace_id: 1 for spans in TRACES[:8]}
    assert traces_in(paths[1])


def start(offset: int, metadata: str | None, low: int, high: int, *, is_new: bool = False, latest: bool = False) -> Any:
    """Return where reading begins in a partition whose messages the brokers have from *low* to *high*."""
    made = TopicConsumer.__new__(TopicConsumer)
    made._kafka, made._topic, made._from_latest = kafka, "topic", latest
    client = SimpleNamespace(get_watermark_offsets=lambda *_, **__: (low, high))
    return made._start(client, SimpleNamespace(partition=3, offset=offset, metadata=metadata), is_new=is_new)


def test_where_a_partition_begins(caplog: pytest.LogCaptureFixture) -> None:
    progress = PartitionProgress(Resumption(20))
    progress.add(20, [TraceState("t")])
    progress.add(27, [TraceState("u", is_done=True)])
    position, text = progress.position()
    assert start(position, text, 0, 30) == Resumption(20, 28, "01")
    assert start(-1001, None, 0, 30) == Resumption(0, began_ms=0)
    assert start(-1001, None, 5, 30) == Resumption(5, began_ms=None)
    assert start(-1001, None, 0, 30, is_new=True, latest=True) == Resumption(30, began_ms=None)
    assert start(-1001, None, 0, 30, latest=True) == Resumption(0, began_ms=0)
    assert not caplog.records
    assert start(20, "", 0, 30) == Resumption(20, began_ms=None)
    assert "partition 3: the committed offset was not ours" in caplog.text
    assert start(20, text, 25, 30) == Resumption(28, began_ms=None)
    assert start(20, text, 29, 30) == Resumption(29, began_ms=None)
    assert "partition 3: messages that were not read are deleted" in caplog.text
    assert start(40, text, 0, 30) == Resumption(0, began_ms=0)


@pytest.fixture
def made(brokers: str, tmp_path: Path) -> Iterator[TopicConsumer]:
    with TurnFile(str(tmp_path / "turns.jsonl")) as file:
        stream = TurnStream(HOW, WindowBounds(), TurnOutlets(file, Settings()))
        configuration = {"bootstrap.servers": brokers, "group.id": "errors", **QUIET}
        consumer = TopicConsumer("errors", configuration, stream, file)
        yield consumer
        consumer._consumer.close()


def message(code: int, *, fatal: bool = False) -> Any:
    error = SimpleNamespace(code=lambda: code, str=lambda: f"error {code}", fatal=lambda: fatal)
    return SimpleNamespace(error=lambda: error, partition=lambda: 0, offset=lambda: 7)


def test_errors_end_the_consumer_only_where_it_cannot_go_on(
    made: TopicConsumer, caplog: pytest.LogCaptureFixture
) -> None:
    passing = kafka.KafkaError._ALL_BROKERS_DOWN
    made._read(message(passing))
    made._read(message(passing))
    assert [record.getMessage() for record in caplog.records] == [f"error {passing}"]
    with pytest.raises(TopicError, match="messages that were not read are deleted"):
        made._read(message(kafka.KafkaError._AUTO_OFFSET_RESET))
    with pytest.raises(TopicError, match=f"error {kafka.KafkaError._FATAL}"):
        made._read(message(kafka.KafkaError._FATAL, fatal=True))
    made._read(message(kafka.KafkaError._PARTITION_EOF))
    assert made._ends == {0: 7}


def test_commits_say_whether_they_failed(brokers: str, made: TopicConsumer, caplog: pytest.LogCaptureFixture) -> None:
    assert not made.commit({0: (1, "1:text")})
    assert caplog.messages == ["offsets cannot be committed now: Commit failed: Broker: Unknown topic or partition"]
    publish(brokers, "errors", sent(TRACES[:1], keyed=True))
    assert made.commit({0: (1, "1:text")})
    made._consumer.close()
    assert not made.commit({0: (2, "1:text")})
    assert len(caplog.messages) == 1


def test_a_wrong_configuration_is_named(made: TopicConsumer) -> None:
    with pytest.raises(TopicError, match=r"wrong configuration: .*no\.such\.key"):
        TopicConsumer("topic", {"group.id": "x", "no.such.key": "1"}, made._stream, made._file)
