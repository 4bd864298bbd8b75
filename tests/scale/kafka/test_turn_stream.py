"""Turns of a topic: those of the analysis of whole traces, each once, whenever the process is killed."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.analyze import joined_report
from otel_parallelism.analysis.dependencies.experience import Experience
from otel_parallelism.reports.json import turn_json
from otel_parallelism.scale.kafka import turn_stream
from tests.fleet.month import month
from tests.scale.kafka.simulated_topic import HOW, SimulatedConsumer, Topic, consume, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import SpanRecord

START_MS = 1_900_000_000_000
APART_MS = 20_000
SPREAD_MS = 25_000
TOGETHER_MS = 4_000
AFTER_MS = 10_000_000
TRACES = list(month(8))


def turns_of(traces: list[list[SpanRecord]]) -> list[dict[str, Any]]:
    analyze = HOW.part_analyzer()
    found = [joined_report(one, Experience()) for spans in traces for one in analyze(spans).results]
    return [msgspec.json.decode(turn_json(report)) for report in found]


EXPECTED = turns_of(TRACES)


def draws(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a sample, no secret


def by_ids(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(turns, key=lambda turn: (turn["trace_id"], turn["span_id"]))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turns.jsonl"


def sent(draw: random.Random, partitions: int, *, keyed: bool, duplicated: bool = False) -> Topic:
    """Return a topic with all traces. Some of its messages have spans of several traces."""
    topic = Topic(partitions)
    parts: list[tuple[int, list[SpanRecord]]] = []
    for number, spans in enumerate(TRACES):
        shuffled = draw.sample(spans, len(spans))
        while shuffled:
            size = draw.randint(1, 4)
            part, shuffled = shuffled[:size], shuffled[size:]
            at_ms = START_MS + number * APART_MS + draw.randint(0, SPREAD_MS)
            parts.append((at_ms, part))
            if duplicated and draw.random() < 0.2:
                parts.append((at_ms + 1, part))
    parts.sort(key=lambda one: one[0])
    while parts:
        at_ms, spans = parts.pop(0)
        if keyed:
            topic.send(int(spans[0].trace_id, 16) % partitions, spans, at_ms, keyed=True)
            continue
        while parts and parts[0][0] < at_ms + TOGETHER_MS and draw.random() < 0.8:
            spans = spans + parts.pop(0)[1]
        topic.send(draw.randrange(partitions), spans, at_ms)
    return topic


def times_ms() -> Iterator[int]:
    yield from range(START_MS, START_MS + len(TRACES) * APART_MS + SPREAD_MS, 7_000)
    yield START_MS + AFTER_MS


def test_turns_are_those_of_whole_traces(path: Path) -> None:
    seen = []
    with SimulatedConsumer(sent(draws(1), 3, keyed=False), path) as consumer:
        for at_ms in times_ms():
            consumer.read_until(at_ms)
            seen.append(consumer.stream.turns)
    assert by_ids(written(path)) == by_ids(EXPECTED)
    assert len(set(seen)) > 3  # not all at the end
    assert Counter((one.turn.trace_id, one.turn.span_id) for one in consumer.recorded) == Counter(
        (turn["trace_id"], turn["span_id"]) for turn in EXPECTED
    )
    assert (consumer.stream.open_traces, consumer.left, consumer.uncommitted) == (0, {}, [])
    assert consumer.stream.read_spans == sum(map(len, TRACES))


@given(
    seed=st.integers(0, 1 << 32),
    partitions=st.integers(1, 3),
    keyed=st.booleans(),
    duplicated=st.booleans(),
    often=st.booleans(),
    kills=st.lists(st.integers(0, 120), max_size=4),
    text_bytes=st.sampled_from((60, 90, turn_stream.MOST_TEXT_BYTES)),
)
def test_a_restart_loses_and_doubles_no_turn(
    seed: int, partitions: int, *, keyed: bool, duplicated: bool, often: bool, kills: list[int], text_bytes: int
) -> None:
    topic = sent(draws(seed), partitions, keyed=keyed, duplicated=duplicated)
    recorded: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "turns.jsonl")
        times = list(times_ms())
        for steps in [*kills, None]:
            consumer = SimulatedConsumer(topic, path, steps=steps, most_text_bytes=text_bytes, often=often)
            killed = consume(consumer, times)
            recorded.update((one.turn.trace_id, one.turn.span_id) for one in consumer.recorded)
            assert not killed or steps is not None
        turns = written(path)
    assert by_ids(turns) == by_ids(EXPECTED)
    assert set(recorded.values()) <= {1}
