"""
Measures how many spans a second are analysed from Kafka, in one process: ``python -m tests.bench.kafka_stream``.

The spans are those of a fleet's month, in messages that have spans of several traces, as a Collector batches them. The
messages are in memory: what the client library and the network take is not measured.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from otel_parallelism.scale.file_analysis import HowToAnalyze
from otel_parallelism.scale.kafka.partition_progress import Resumption
from otel_parallelism.scale.kafka.span_messages import SpanMessage
from otel_parallelism.scale.kafka.trace_window import WindowBounds
from otel_parallelism.scale.kafka.turn_file import TurnFile
from otel_parallelism.scale.kafka.turn_stream import TurnStream
from otel_parallelism.settings import Settings
from tests.fleet.month import month
from tests.readers.written_formats import protobuf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_parallelism.model import Report, SpanRecord
    from otel_parallelism.scale.kafka.turn_file import TurnLine

START_MS: Final = 1_900_000_000_000
TURNS_A_SECOND: Final = 50
LONGEST_MS: Final = 120_000
IDLE_S: Final = 30


class _Outlets:
    """Writes turns to a file, and counts the bytes of the longest text to commit."""

    def __init__(self, file: TurnFile) -> None:
        self._file = file
        self.longest = 0
        self.commits = 0

    def write(self, turns: Sequence[TurnLine]) -> None:
        self._file.write(turns)

    def commit(self, positions: Mapping[int, tuple[int, str]]) -> bool:
        self.longest = max(self.longest, *(len(text) for _, text in positions.values()))
        self.commits += 1
        return True

    def record(self, reports: Iterable[Report]) -> None:
        pass

    def left_out(self, what: str, number: int, example: str) -> None:
        message = f"{number} {what}: {example}"
        raise AssertionError(message)

    def wait(self, traces: int) -> None:
        message = f"{traces} traces wait"
        raise AssertionError(message)


def messages(turns: int, spans_each: int) -> list[SpanMessage]:
    """
    Return messages with so many spans each.

    Fifty turns begin in each second. They last up to two minutes; their spans come evenly spread over this time.
    """
    random = Random(1)  # noqa: S311 - a sample, no secret
    sent: list[tuple[float, int, SpanRecord]] = []
    for number, trace in enumerate(month(turns)):
        begun_ms, lasts_ms = START_MS + number * 1_000 / TURNS_A_SECOND, random.uniform(0, LONGEST_MS)
        for at, span in enumerate(trace[::-1], 1):
            sent.append((begun_ms + lasts_ms * at / len(trace), len(sent), span))
    sent.sort(key=lambda one: one[:2])
    return [
        SpanMessage(0, offset, protobuf([span for _, _, span in part]), None, round(part[-1][0]))
        for offset, part in enumerate(sent[at : at + spans_each] for at in range(0, len(sent), spans_each))
    ]


def measure(sent: list[SpanMessage], folder: Path) -> None:
    """Print how long the analysis of the messages in *sent* takes."""
    with TurnFile(str(folder / "turns.jsonl")) as file:
        outlets = _Outlets(file)
        stream = TurnStream(HowToAnalyze(Settings()), WindowBounds(idle_s=IDLE_S), outlets)
        stream.assign({0: Resumption(0)}, has_all=True)
        began = time.perf_counter(), time.process_time()
        next_ms, most_open = 0, 0
        for message in sent:
            stream.read(message, message.timestamp_ms)
            if message.timestamp_ms >= next_ms:
                next_ms = message.timestamp_ms + 5_000
                most_open = max(most_open, stream.open_traces)
                while stream.emit():
                    pass
        stream.reach_end(0, sent[-1].timestamp_ms + 3_600_000)
        while stream.emit():
            pass
        elapsed, used = time.perf_counter() - began[0], time.process_time() - began[1]
    size = sum(len(message.value or b"") for message in sent)
    print(f"{stream.read_spans:,} spans of {stream.turns:,} turns in {len(sent):,} messages, {size / 1e6:,.0f} MB")
    print(f"{elapsed:.1f} s, {used:.1f} s of it processor time: {stream.read_spans / elapsed:,.0f} spans a second")
    print(f"at most {most_open:,} open traces, {outlets.longest:,} bytes committed with an offset")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB, messages included")


def main() -> None:
    """Make the messages, and measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--turns", type=int, default=20_000)
    options.add_argument("--spans-each", type=int, default=200, help="spans in a message")
    chosen = options.parse_args()
    sent = messages(chosen.turns, chosen.spans_each)
    with tempfile.TemporaryDirectory() as folder:
        measure(sent, Path(folder))


if __name__ == "__main__":
    main()
