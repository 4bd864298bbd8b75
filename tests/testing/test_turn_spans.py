"""Turns that tests measured are read back with their results."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_parallelism import agent_turn, profiled
from otel_parallelism.dialects.parsing.result_attributes import recorded_result
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.stored import analyze_spans
from otel_parallelism.testing.turn_spans import spans_of_turn, write_spans

if TYPE_CHECKING:
    from tests.conftest import Kit


@profiled(effect="read")
async def get_part(key: int) -> int:
    await asyncio.sleep(0.1)
    return key


@profiled(effect="read")
async def get_whole(key: int) -> list[int]:
    return [await get_part(key), await get_part(key + 1)]


@profiled(effect="write")
async def fails() -> None:
    raise LookupError


async def test_results_calls_and_places_are_those_that_were_measured(kit: Kit, tmp_path: Path) -> None:
    with agent_turn("clerk") as turn:
        await get_whole(1)
        await get_whole(5)
        with pytest.raises(LookupError):
            await fails()
    measured = turn.report
    assert measured is not None
    assert measured.findings
    path = tmp_path / "spans.jsonl"
    path.write_text(write_spans(spans_of_turn(measured, Path(__file__).parent)), encoding="utf-8")
    spans = list(read_spans(path))
    (read,) = analyze_spans(spans).reports
    assert [(call.tool, call.duration_ns, call.scope, call.error, call.effect) for call in read.turn.calls] == [
        (call.tool, call.duration_ns, call.scope, call.error, call.effect) for call in measured.turn.calls
    ]
    result = next(filter(None, map(recorded_result, spans)))
    assert (result.verdict, result.efficiency, result.avoidable) == (
        measured.verdict,
        measured.efficiency,
        float(measured.avoidable),
    )
    found = [(finding.tools, finding.cause, finding.advice) for finding in result.findings]
    assert found == [(finding.calls, finding.cause, finding.advice) for finding in measured.findings]
    assert {finding.location.file_path for finding in result.findings if finding.location} == {Path(__file__).name}
