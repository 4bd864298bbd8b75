"""What would make a number wrong is left out and counted; what is late or broken stops nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from otel_parallelism.model import SpanRecord
from otel_parallelism.scale.file_analysis import HowToAnalyze
from otel_parallelism.scale.kafka import stream_outlets
from otel_parallelism.scale.kafka.partition_progress import Resumption
from otel_parallelism.scale.kafka.span_messages import MOST_MESSAGE_BYTES
from otel_parallelism.scale.kafka.trace_window import WindowBounds
from otel_parallelism.scale.kafka.turn_file import TurnFileError
from tests.fleet.month import month
from tests.scale.kafka.simulated_topic import SimulatedConsumer, Topic, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START_MS = 1_900_000_000_000
TRACES = list(month(4))
FIRST = TRACES[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turns.jsonl"


def agents(path: Path) -> list[str]:
    return [turn["agent"] for turn in written(path)]


def test_late_spans_are_counted_once_and_after_a_while_a_trace_of_their_own(path: Path) -> None:
    topic = Topic(1)
    topic.send(0, FIRST, START_MS)
    topic.send(0, FIRST[1:], START_MS + 60_000)
    with SimulatedConsumer(topic, path) as consumer:
        for seconds in (0, 31, 60, 120):
            consumer.read_until(START_MS + seconds * 1_000)
    assert consumer.left == {stream_outlets.LATE: len(FIRST) - 1}
    topic.send(0, FIRST[2:], START_MS + 200_000)
    with SimulatedConsumer(topic, path) as consumer:  # it is still known that the trace is closed
        consumer.read_until(START_MS + 900_000)
        consumer.read_until(START_MS + 900_001)
        assert consumer.left == {stream_outlets.LATE: len(FIRST) - 2}
        assert topic.commits[0][0] == 3  # nothing has to be read again
        topic.send(0, FIRST[2:], START_MS + 1_000_000)
        consumer.read_until(START_MS + 3_000_000)
        assert consumer.stream.open_traces == 0
    assert consumer.stream.calls_without_turn == sum(
        1 for span in FIRST[2:] if span.attributes["gen_ai.operation.name"] == "execute_tool"
    )
    assert len(agents(path)) == 1


def test_a_trace_waits_longer_for_parents_that_have_not_come(path: Path) -> None:
    topic = Topic(1)
    topic.send(0, FIRST[1:], START_MS)
    topic.send(0, TRACES[1], START_MS)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS + 800_000)
        assert agents(path) == ["agent-01"]
        topic.send(0, FIRST[:1], START_MS + 850_000)
        consumer.read_until(START_MS + 900_000)
    assert (agents(path), consumer.left) == (["agent-01", "agent-00"], {})


def test_time_stands_still_where_more_messages_may_come(path: Path) -> None:
    topic = Topic(2)
    topic.send(0, FIRST, START_MS)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS, at_end=False)
        consumer.stream.reach_end(0, START_MS + 900_000)
        consumer.stream.emit()
        assert agents(path) == []  # the other partition has not been read so far
        consumer.stream.reach_end(1, START_MS + 900_000)
        consumer.stream.emit()
        assert agents(path) == ["agent-00"]


def test_a_trace_whose_messages_have_its_id_as_key_needs_one_partition_only(path: Path) -> None:
    topic = Topic(2)
    topic.send(1, FIRST, START_MS, keyed=True)
    topic.send(1, TRACES[1] + TRACES[2], START_MS)
    with SimulatedConsumer(topic, path, partitions=[1]) as consumer:
        consumer.read_until(START_MS + 60_000)
        consumer.read_until(START_MS + 60_001)
    assert agents(path) == ["agent-00"]
    assert consumer.left == {stream_outlets.IN_PARTS: len(TRACES[1]) + len(TRACES[2])}


def test_messages_without_a_time_came_when_they_were_read(path: Path) -> None:
    topic = Topic(1)
    topic.send(0, FIRST, 0)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS)
        consumer.read_until(START_MS + 29_000)
        assert agents(path) == []
        consumer.read_until(START_MS + 31_000)
        assert agents(path) == ["agent-00"]


def test_a_time_in_the_future_completes_no_other_trace(path: Path) -> None:
    topic = Topic(1)
    topic.send(0, FIRST, START_MS)
    topic.send(0, TRACES[1], START_MS + 10**9)
    with SimulatedConsumer(topic, path) as consumer:
        for message in topic.messages[0]:
            consumer.stream.read(message, START_MS + 1_000)
        consumer.stream.emit()
        assert consumer.stream.open_traces == 2


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (WindowBounds(most_spans=len(TRACES[0]) - 1), stream_outlets.LARGE),
        (WindowBounds(most_bytes=2_000), stream_outlets.MEMORY),
        (WindowBounds(most_age_s=20), stream_outlets.OLD),
    ],
)
def test_bounds_leave_whole_traces_out(path: Path, bounds: WindowBounds, reason: str) -> None:
    topic = Topic(1)
    topic.send(0, FIRST[:3], START_MS)
    topic.send(0, FIRST[3:], START_MS + 10_000)
    small = [msgspec.structs.replace(TRACES[1][0], attributes={"gen_ai.operation.name": "invoke_agent"})]
    topic.send(0, small, START_MS + 10_001)
    with SimulatedConsumer(topic, path, bounds=bounds) as consumer:
        for seconds in (0, 10, 25, 100):
            consumer.read_until(START_MS + seconds * 1_000)
        assert consumer.stream.open_traces == 0
    assert set(consumer.left) <= {reason, stream_outlets.LATE}
    assert sum(consumer.left.values()) == len(FIRST)
    assert [turn["trace_id"] for turn in written(path)] == [TRACES[1][0].trace_id]


def test_an_open_trace_does_not_make_others_be_remembered_without_end(path: Path) -> None:
    traces = list(month(9))
    topic = Topic(1)
    topic.send(0, FIRST[1:], START_MS)
    for number, spans in enumerate(traces[1:]):
        topic.send(0, spans, START_MS + 1 + number)
    with SimulatedConsumer(topic, path, bounds=WindowBounds(most_closed=5)) as consumer:
        consumer.read_until(START_MS + 60_000)
        assert (consumer.left, topic.commits[0][0]) == ({}, 0)
        consumer.read_until(START_MS + 61_000)
        topic.send(0, traces[8], START_MS + 62_000)  # it is remembered
        topic.send(0, traces[1][1:], START_MS + 62_000)  # it is not
        consumer.read_until(START_MS + 62_000)
    assert consumer.left == {stream_outlets.OLD: len(FIRST) - 1, stream_outlets.LATE: len(traces[8])}
    assert (len(agents(path)), topic.commits[0][0]) == (8, 4)
    assert consumer.stream.open_traces == 0


def test_traces_that_began_before_the_first_message_are_left_out(path: Path) -> None:
    began_ms = TRACES[2][0].start_ns // 1_000_000 - 1
    topic = Topic(1)
    for spans in TRACES:
        topic.send(0, spans, began_ms)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.stream.assign({0: Resumption(0, began_ms=None)}, has_all=True)
        consumer.read_until(began_ms)
    assert topic.commits[0][0] == 0
    with SimulatedConsumer(topic, path) as consumer:  # also after a restart
        consumer.read_until(began_ms)
        consumer.read_until(began_ms + 60_000)
    assert agents(path) == ["agent-02", "agent-03"]
    assert consumer.left == {stream_outlets.BEGUN_BEFORE: len(TRACES[0]) + len(TRACES[1])}


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (b"\x00\x01garbage", stream_outlets.UNREADABLE),
        (b'{"resourceSpans":[]}', stream_outlets.UNREADABLE),
        (bytes(MOST_MESSAGE_BYTES + 1), stream_outlets.UNREADABLE),
        (b"", None),
        (None, None),
    ],
)
def test_a_bad_message_is_skipped(path: Path, value: bytes | None, what: str | None) -> None:
    topic = Topic(1)
    topic.send(0, FIRST[:4], START_MS)
    topic.send_bytes(0, value, START_MS)
    topic.send(0, FIRST[4:], START_MS)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS)
    with SimulatedConsumer(topic, path) as consumer_again:
        consumer_again.read_until(START_MS + 60_000)
    assert consumer.left == ({} if what is None else {what: 1})
    assert (agents(path), consumer_again.left) == (["agent-00"], {})


def test_spans_without_a_valid_id_are_counted_and_the_others_analysed(path: Path) -> None:
    bad = SpanRecord("", "", "", "no ids", 1, 2, {})
    topic = Topic(1)
    topic.send(0, [*FIRST, bad], START_MS)
    topic.send(0, [bad], START_MS)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS)
        consumer.read_until(START_MS + 60_000)
    assert consumer.left == {stream_outlets.NO_ID: 1, stream_outlets.UNREADABLE: 1}
    assert agents(path) == ["agent-00"]


def test_a_trace_that_cannot_be_analysed_stops_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def analyzer(how: HowToAnalyze) -> Callable[[list[SpanRecord]], object]:
        analyze = original(how)

        def failing(spans: list[SpanRecord]) -> object:
            if spans[0].trace_id == FIRST[0].trace_id:
                raise ZeroDivisionError
            return analyze(spans)

        return failing

    original = HowToAnalyze.part_analyzer
    monkeypatch.setattr(HowToAnalyze, "part_analyzer", analyzer)
    topic = Topic(1)
    topic.send(0, FIRST + TRACES[1], START_MS)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS)
        consumer.read_until(START_MS + 60_000)
    assert consumer.left == {stream_outlets.FAILED: len(FIRST)}
    assert agents(path) == ["agent-01"]


def test_nothing_more_is_written_while_offsets_cannot_be_committed(path: Path) -> None:
    topic = Topic(1)
    for number, spans in enumerate(TRACES):
        topic.send(0, spans, START_MS + number * 40_000)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS)
        consumer.commits_fail = True
        consumer.read_until(START_MS + 60_000)
        consumer.read_until(START_MS + 100_000)
        assert (agents(path), consumer.recorded) == (["agent-00"], [])
        consumer.commits_fail = False
        consumer.read_until(START_MS + 101_000)
        assert agents(path) == ["agent-00", "agent-01"]
        consumer.read_until(START_MS + 130_000)
        consumer.commits_fail = True
        consumer.read_until(START_MS + 200_000)
        [late] = consumer.stream.revoke()
    assert (late.trace_id, agents(path)) == (TRACES[3][0].trace_id, [f"agent-0{number}" for number in range(4)])
    assert len(consumer.recorded) == 3
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS + 300_000)
    assert (len(agents(path)), len(consumer.recorded)) == (4, 1)


def test_no_offset_is_committed_of_turns_that_could_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(1)
    topic.send(0, FIRST, START_MS)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS)
        monkeypatch.setattr(consumer, "write", _full)
        with pytest.raises(TurnFileError):
            consumer.read_until(START_MS + 60_000)
    assert (consumer.uncommitted, topic.commits[0][0]) == ([], 0)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS + 60_000)
        consumer.read_until(START_MS + 60_001)
    assert agents(path) == ["agent-00"]


def _full(_: object) -> None:
    message = "No space left on device"
    raise TurnFileError(message)


def test_complete_traces_wait_where_the_text_would_become_too_long(path: Path) -> None:
    topic = Topic(1)
    for spans in TRACES:
        topic.send(0, spans, START_MS)
    with SimulatedConsumer(topic, path, most_text_bytes=10) as consumer:
        consumer.read_until(START_MS + 60_000)
        assert (agents(path), consumer.waited > 0) == ([], True)
    with SimulatedConsumer(topic, path) as consumer:
        consumer.read_until(START_MS + 60_000)
        consumer.read_until(START_MS + 60_001)
    assert len(agents(path)) == 4
