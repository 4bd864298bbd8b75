"""Spans of one trace come together, however they are scattered, and however few fit into memory."""

# ruff: noqa: S311 - samples, no secrets

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from otel_parallelism.fleet.trace_buffer import batches_of, traces_of
from otel_parallelism.model import SpanRecord


def spans(traces: int, of_each: int) -> list[SpanRecord]:
    return [
        SpanRecord(f"t{trace}", f"s{number}", "", "x", number, number + 1, {"text": "\udc80", "big": 1 << 80})
        for number in range(of_each)
        for trace in range(traces)
    ]


@pytest.mark.parametrize("limit", [0, 1, 37, 1_000])
def test_each_trace_comes_once_and_whole(limit: int) -> None:
    given = spans(12, 5)
    Random(1).shuffle(given)
    found = list(traces_of(iter(given), most_in_memory=limit))
    assert Counter(trace[0].trace_id for trace in found) == Counter({f"t{trace}": 1 for trace in range(12)})
    expected = {f"t{at}": [span for span in given if span.trace_id == f"t{at}"] for at in range(12)}
    assert {trace[0].trace_id: trace for trace in found} == expected


def test_one_trace_larger_than_the_limit() -> None:
    [found] = traces_of(spans(1, 300), most_in_memory=10)
    assert len(found) == 300


def test_files_are_closed_when_reading_stops_early() -> None:
    stream = traces_of(spans(12, 5), most_in_memory=10)
    next(stream)
    stream.close()  # an open file would be a ResourceWarning, which fails the test


def test_traces_with_a_conversation_or_links_come_together_with_what_they_link_to() -> None:
    plain = [SpanRecord("t0", "s0", "", "x", 1, 2, {}), SpanRecord("t1", "s1", "", "x", 1, 2, {})]
    talk = {"gen_ai.conversation.id": "c"}
    related = [SpanRecord("t2", "s2", "", "x", 1, 2, talk), SpanRecord("t3", "s3", "", "x", 1, 2, {}, links=("s1",))]
    found = [[span.span_id for span in trace] for trace in traces_of([*plain, *related])]
    assert found == [["s1", "s2", "s3"], ["s0"]]
    assert sorted(len(trace) for trace in traces_of([*plain, *related], most_in_memory=3)) == [1, 1, 1, 1]


def test_small_traces_come_several_at_a_time_and_related_ones_apart() -> None:
    small = list(traces_of(spans(300, 5)))
    talk = [SpanRecord("talk", "s", "", "x", 1, 2, {"gen_ai.conversation.id": "c"})]
    linked = [SpanRecord("linked", "s", "", "x", 1, 2, {}, links=("s1",))]
    large = spans(1, 2_000)
    batches = list(batches_of([small[0], talk, linked, large, *small[1:]]))
    assert batches[:3] == [[talk], [linked], [small[0], large]]
    assert [trace for batch in batches[3:] for trace in batch] == small[1:]
    assert len(batches) == 5
