"""
Reads a topic as one consumer of a group, with librdkafka.

Offsets are committed by hand only, together with what is known of the messages after them. At a rebalance everything
that is held is dropped: the consumers that get the partitions read it again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from otel_parallelism import clock
from otel_parallelism.errors import ParallelismError
from otel_parallelism.names import INSTRUMENTATION

from .partition_progress import Resumption, resumption
from .span_messages import SpanMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .turn_file import TurnFile
    from .turn_stream import TurnStream

_logger = logging.getLogger(INSTRUMENTATION)
_ANSWER_S: Final = 30.0
_QUICK_ANSWER_S: Final = 1.0
_POLL_S: Final = 0.2
_MS: Final = 1_000_000
OWN_KEYS: Final[Mapping[str, object]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "partition.assignment.strategy": "range",
}
"""What the configuration cannot change: the guarantees depend on it."""


class TopicError(ParallelismError):
    """The topic cannot be read; the message says why."""


class MissingKafkaError(ParallelismError, ImportError):
    """The package `confluent-kafka` is not installed; the message says how to install it."""


class TopicConsumer:
    """
    One consumer of the group.

    Args:
        topic: The topic with the Collector's messages.
        configuration: That of librdkafka: ``bootstrap.servers``, ``group.id``, and what the brokers ask for.
        stream: What is done with the messages.
        file: The file of turns; it leaves out turns that were written and whose offsets could not be committed.
        from_latest: Whether a group that has no commits begins with new messages; else with the oldest ones.
        every_s: How often complete traces are looked for, in seconds.

    Raises:
        MissingKafkaError: `confluent-kafka` is not installed.
        TopicError: The configuration is wrong.
    """

    def __init__(
        self,
        topic: str,
        configuration: Mapping[str, object],
        stream: TurnStream,
        file: TurnFile,
        *,
        from_latest: bool = False,
        every_s: float = 5.0,
    ) -> None:
        try:
            import confluent_kafka  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - an extra
        except ImportError:
            raise MissingKafkaError("confluent-kafka is not installed: pip install 'otel-parallelism[kafka]'") from None
        self._kafka: Any = confluent_kafka
        self._topic = topic
        self._stream = stream
        self._file = file
        self._from_latest = from_latest
        self._every_s = every_s
        self._ends: dict[int, int] = {}
        self._told: set[object] = set()
        try:
            self._consumer = confluent_kafka.Consumer({**configuration, **OWN_KEYS})
        except (confluent_kafka.KafkaException, ValueError, TypeError) as error:
            raise TopicError(f"wrong configuration: {_text(error)}") from error

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """
        Read until *is_stopped*, then commit what is done, and leave the group.

        Raises:
            TopicError: The topic can be read no longer.
            TurnFileError: The turns cannot be written.
        """
        try:
            self._consumer.subscribe(
                [self._topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke
            )
            next_s = clock.monotonic_s()
            while not is_stopped():
                message = self._consumer.poll(_POLL_S)
                if message is not None:
                    self._read(message)
                if clock.monotonic_s() >= next_s:
                    self._check_ends()
                    has_more = self._stream.emit()
                    next_s = clock.monotonic_s() + (0 if has_more else self._every_s)
        except self._kafka.KafkaException as error:
            raise TopicError(_text(error)) from error
        finally:
            # Leaving the group calls `_revoke`, which commits what is done.
            self._consumer.close()

    def commit(self, positions: Mapping[int, tuple[int, str]]) -> bool:
        """Commit the offset and text of each partition in one request; return whether that was possible."""
        offsets = [
            self._kafka.TopicPartition(self._topic, partition, offset, text)
            for partition, (offset, text) in positions.items()
        ]
        try:
            answers = self._consumer.commit(offsets=offsets, asynchronous=False)
        except (self._kafka.KafkaException, RuntimeError) as error:
            self._warn("commit", f"offsets cannot be committed now: {_text(error)}")
            return False
        errors = [answer.error for answer in answers if answer.error is not None]
        if errors:
            self._warn("commit", f"offsets cannot be committed now: {errors[0].str()}")
        return not errors

    def _assign(self, consumer: Any, partitions: list[Any]) -> None:
        committed = consumer.committed(partitions, timeout=_ANSWER_S)
        for one in committed:
            if one.error is not None:
                raise TopicError(f"the committed offsets cannot be read: {one.error.str()}")
        is_new = all(one.offset < 0 for one in committed)
        starts = {one.partition: self._start(consumer, one, is_new=is_new) for one in committed}
        number = len(consumer.list_topics(self._topic, timeout=_ANSWER_S).topics[self._topic].partitions)
        _logger.info("reading %d of the %d partitions of %s", len(starts), number, self._topic)
        self._ends = {}
        self._stream.assign(starts, has_all=len(starts) == number)
        consumer.assign(
            [self._kafka.TopicPartition(self._topic, partition, start.offset) for partition, start in starts.items()]
        )

    def _start(self, consumer: Any, committed: Any, *, is_new: bool) -> Resumption:
        """Return where reading a partition goes on."""
        place = self._kafka.TopicPartition(self._topic, committed.partition)
        low, high = consumer.get_watermark_offsets(place, timeout=_ANSWER_S)
        start = high if is_new and self._from_latest else low
        if committed.offset >= 0:
            try:
                known = resumption(committed.offset, committed.metadata or "")
            except ValueError as error:
                _logger.warning("partition %d: the committed offset was not ours: %s", committed.partition, error)
                known = Resumption(committed.offset, began_ms=None)
            if low <= known.offset <= high:
                return known
            if known.offset < low:
                _logger.warning("partition %d: messages that were not read are deleted", committed.partition)
                start = min(max(low, known.end), high)  # before the end, it is not known which traces are done
        # Without older messages, no trace began before.
        return Resumption(start, began_ms=None if start else 0)

    def _revoke(self, *_: object) -> None:
        self._file.expect_again(self._stream.revoke())

    def _read(self, message: Any) -> None:
        error = message.error()
        if error is None:
            kind, timestamp_ms = message.timestamp()
            written_ms = 0 if kind == self._kafka.TIMESTAMP_NOT_AVAILABLE else timestamp_ms
            key = message.key()
            taken = SpanMessage(message.partition(), message.offset(), message.value(), key, written_ms)
            self._stream.read(taken, clock.wall_ns() / _MS)
        elif error.code() == self._kafka.KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's own name
            self._ends[message.partition()] = message.offset()
        elif error.code() == self._kafka.KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - as above
            raise TopicError(f"messages that were not read are deleted: {error.str()}")
        elif error.fatal():
            raise TopicError(error.str())
        else:
            self._warn(error.code(), error.str())

    def _check_ends(self) -> None:
        """Ask the brokers which partitions have no further message."""
        for place in self._consumer.assignment():
            now_ms = clock.wall_ns() / _MS
            try:
                _, high = self._consumer.get_watermark_offsets(place, timeout=_QUICK_ANSWER_S)
            except self._kafka.KafkaException:
                return  # the clocks of the other partitions stand still, too, until the brokers answer
            # The last offsets can be marks of transactions, which are no messages.
            reached = max(self._stream.next_offset(place.partition), self._ends.get(place.partition, 0))
            if reached >= high:
                self._stream.reach_end(place.partition, now_ms)

    def _warn(self, kind: object, text: str) -> None:
        """Log the first message of a *kind*."""
        if kind not in self._told:
            self._told.add(kind)
            _logger.warning("%s", text)


def _text(error: BaseException) -> str:
    """Return what librdkafka says about *error*."""
    first: Any = error.args[0] if error.args else error
    return str(first.str()) if hasattr(first, "str") else str(first)
