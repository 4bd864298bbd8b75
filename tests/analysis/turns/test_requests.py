"""Tests model requests whose spans enclose calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from strategies import TURN, call, passage, step, turn, turn_span

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Turn


def rounds(found: Turn) -> list[tuple[int | None, bool]]:
    return [(one.round, one.proved) for one in found.calls]


def seconds(found: Turn) -> list[tuple[float, float]]:
    """Return the start of each step after the turn's start and its duration, in seconds."""
    began_ns = found.start_ns
    return [((one.start_ns - began_ns) / 1e9, (one.end_ns - one.start_ns) / 1e9) for one in found.steps]


@pytest.mark.parametrize("ids", [False, True])
def test_request_that_encloses_its_calls_ends_at_the_first_call(ids: bool) -> None:
    inside = []
    for at in range(3):
        asked = (f"i{at}",) if ids else None
        inside.append(step(f"s{at}", 4 * at, 4 * at + 3.5, requested=asked))
        inside.append(call(f"c{at}", 4 * at + 1, 4 * at + 3, parent_id=f"s{at}", call_id=f"i{at}" if ids else ""))
    found = turn(*inside)
    assert rounds(found) == [(0, ids), (1, ids), (2, ids)]
    assert seconds(found) == [(0.0, 1.0), (4.0, 1.0), (8.0, 1.0)]
    report = analyze(found, Settings())
    assert (report.think, report.steps, report.cause) == (3.0, 3, "model")


@pytest.mark.parametrize(("pause", "proved"), [(0.0, True), (0.04, True), (0.06, False), (1.0, False)])
def test_a_pause_between_calls_inside_a_request_may_be_another_answer(pause: float, proved: bool) -> None:
    inside = [step("all", 0, 9, requested=("i0", "i1", "i2")), call("c0", 1, 3, parent_id="all", call_id="i0")]
    inside.append(call("c1", 2, 4, parent_id="all", call_id="i1"))
    inside.append(call("c2", 4 + pause, 6 + pause, parent_id="all", call_id="i2"))
    assert rounds(turn(*inside)) == [(0, proved)] * 3


def test_request_inside_the_previous_one_is_separate() -> None:
    inside = []
    around = TURN
    for at in range(3):
        inside.append(step(f"s{at}", 4 * at, 12 - at / 100, parent_id=around, requested=(f"i{at}",)))
        around = f"s{at}"
        inside.append(call(f"c{at}", 4 * at + 1, 4 * at + 3, parent_id=around, call_id=f"i{at}"))
    found = turn(*inside)
    assert rounds(found) == [(0, True), (1, True), (2, True)]
    assert seconds(found) == [(0.0, 1.0), (4.0, 1.0), (8.0, 1.0)]


def test_span_around_requests_and_calls_is_no_request() -> None:
    inside = [step("all", 0, 12, requested=("i0", "i1"))]
    for at in range(2):
        inside.append(step(f"s{at}", 4 * at, 4 * at + 1, parent_id="all", requested=(f"i{at}",)))
        inside.append(call(f"c{at}", 4 * at + 1, 4 * at + 3, parent_id="all", call_id=f"i{at}"))
    found = turn(*inside)
    assert rounds(found) == [(0, True), (1, True)]
    assert seconds(found) == [(0.0, 1.0), (4.0, 1.0)]


def test_only_request_that_lists_none_of_its_calls_becomes_a_passage() -> None:
    calls = [call(f"c{at}", 1 + at, 2 + at, parent_id="s") for at in range(2)]
    found = turn(step("s", 0, 4), *calls)
    assert rounds(found) == [(None, False)] * 2
    assert found.steps == ()


def test_one_of_several_requests_with_calls_stays_a_request() -> None:
    calls = [call(f"c{at}", 1 + at, 2 + at, parent_id="between") for at in range(2)]
    found = turn(step("s", 0, 4), passage("between", 1, 3, parent_id="s"), *calls, step("t", 4, 5))
    assert rounds(found) == [(0, False)] * 2
    assert seconds(found) == [(0.0, 1.0), (4.0, 1.0)]


def test_request_that_encloses_a_turn_becomes_a_passage() -> None:
    spans = [turn_span(0, 9), step("s", 0, 8), turn_span(1, 7, "inner", "s"), step("t", 8, 9)]
    spans += [call(f"c{at}", 2 + at, 3 + at, parent_id="inner") for at in range(2)]
    outer, inner = normalize(spans, Settings()).turns
    assert [one.span_id for one in outer.steps] == ["t"]
    assert [one.tool for one in outer.calls] == ["inner"]
    assert len(inner.calls) == 2


def test_request_held_open_for_its_calls_ends_at_the_first_call() -> None:
    inside = []
    for at in range(3):
        inside.append(step(f"s{at}", 3 * at, 3 * at + 2.501))
        inside.append(call(f"c{at}", 3 * at + 0.5, 3 * at + 2.5))
    assert seconds(turn(*inside)) == [(0.0, 0.5), (3.0, 0.5), (6.0, 0.5)]


def test_request_that_streams_during_its_first_call_keeps_its_length() -> None:
    found = turn(step("s", 0, 2), call("c0", 1, 4), call("c1", 2, 4))
    assert seconds(found) == [(0.0, 2.0)]
    assert [one.bound for one in found.calls] == [True, False]
