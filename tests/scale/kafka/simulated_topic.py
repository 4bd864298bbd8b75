"""A topic and a consumer group in memory, whose consumer can be killed between any two steps."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from otel_parallelism.scale.file_analysis import HowToAnalyze
from otel_parallelism.scale.kafka.partition_progress import Resumption, resumption
from otel_parallelism.scale.kafka.span_messages import SpanMessage
from otel_parallelism.scale.kafka.trace_window import WindowBounds
from otel_parallelism.scale.kafka.turn_file import TurnFile, TurnLine
from otel_parallelism.scale.kafka.turn_stream import MOST_TEXT_BYTES, TurnStream
from otel_parallelism.settings import Settings
from tests.readers.written_formats import protobuf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from otel_parallelism.model import Report, SpanRecord

HOW = HowToAnalyze(Settings())


class KilledError(BaseException):
    """The process was killed."""


@dataclass
class Topic:
    """Messages by partition, and the commits of one consumer group."""

    partitions: int
    messages: dict[int, list[SpanMessage]] = field(default_factory=dict)
    commits: dict[int, tuple[int, str]] = field(default_factory=dict)

    def send(self, partition: int, spans: Sequence[SpanRecord], at_ms: int, *, keyed: bool = False) -> None:
        key = spans[0].trace_id.encode() if keyed else None
        self.send_bytes(partition, protobuf(list(spans)), at_ms, key)

    def send_bytes(self, partition: int, value: bytes | None, at_ms: int, key: bytes | None = None) -> None:
        held = self.messages.setdefault(partition, [])
        held.append(SpanMessage(partition, len(held), value, key, at_ms))

    def start(self, partition: int) -> Resumption:
        if partition not in self.commits:
            return Resumption(0)
        return resumption(*self.commits[partition])


class SimulatedConsumer:
    """
    A process that reads the topic: its outlets write a real file.

    Args:
        topic: Where it reads and commits.
        path: The file of turns.
        steps: After how many steps it is killed; a write of half of the lines is one, too. None for never.
        bounds: When a trace is complete.
        partitions: Those that it reads; all by default.
        most_text_bytes: As for `TurnStream`.
        often: Whether it looks for complete traces after each message, also while messages are read again.
    """

    def __init__(
        self,
        topic: Topic,
        path: Path,
        *,
        steps: int | None = None,
        bounds: WindowBounds | None = None,
        partitions: Iterable[int] | None = None,
        most_text_bytes: int = MOST_TEXT_BYTES,
        often: bool = False,
    ) -> None:
        self._often = often
        self.topic = topic
        self._path = path
        self._steps = steps
        self._file = TurnFile(str(path))
        self.left: Counter[str] = Counter()
        self.recorded: list[Report] = []
        self.waited = 0
        self.commits_fail = False
        self.stream = TurnStream(HOW, bounds or WindowBounds(), self, most_text_bytes=most_text_bytes)
        mine = range(topic.partitions) if partitions is None else partitions
        self.stream.assign({one: topic.start(one) for one in mine}, has_all=len(list(mine)) == topic.partitions)

    def __enter__(self) -> Self:  # noqa: D105 - as of any context
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End as after a signal, unless the process was killed."""
        if kind is None:
            self.uncommitted = self.stream.revoke()
        self._file.__exit__(None, None, None)

    def step(self) -> None:
        """Be killed if this is the step for it."""
        if self._steps is not None:
            self._steps -= 1
            if self._steps < 0:
                raise KilledError

    def write(self, turns: Sequence[TurnLine]) -> None:
        if self._steps == 0:  # killed while it writes: half of the bytes are in the file
            data = b"".join(turn.json + b"\n" for turn in turns)
            with self._path.open("ab") as file:
                file.write(data[: len(data) // 2])
        self.step()
        self._file.write(turns)

    def commit(self, positions: Mapping[int, tuple[int, str]]) -> bool:
        self.step()
        if self.commits_fail:
            return False
        self.topic.commits.update(positions)
        self.step()
        return True

    def record(self, reports: Iterable[Report]) -> None:
        self.recorded += reports

    def left_out(self, what: str, number: int, example: str) -> None:
        self.left[what] += number

    def wait(self, traces: int) -> None:
        self.waited += 1

    def read_until(self, at_ms: int, *, at_end: bool = True) -> None:
        """Read the messages up to the time *at_ms*, in the order of time, and emit what is complete."""
        pending = [
            message
            for partition in range(self.topic.partitions)
            for message in self.topic.messages.get(partition, [])
            if message.timestamp_ms <= at_ms
        ]
        for message in sorted(pending, key=lambda one: (one.timestamp_ms, one.partition, one.offset)):
            self.step()
            self.stream.read(message, at_ms)
            if self._often:
                self.stream.emit()
        if at_end:
            for partition in range(self.topic.partitions):
                self.stream.reach_end(partition, at_ms)
        while self.stream.emit():
            pass


def consume(consumer: SimulatedConsumer, times_ms: list[int]) -> bool:
    """Read up to one of *times_ms* after another, and remove those that are over; return whether it was killed."""
    with suppress(KilledError), consumer:
        while times_ms:
            consumer.read_until(times_ms[0])
            del times_ms[0]
        return False
    return True


def written(path: Path) -> list[dict[str, Any]]:
    """Return the turns in the file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]
