"""Analyses one complete trace, and returns its turns as lines and as reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.analyze import joined_report
from otel_parallelism.analysis.dependencies.experience import Experience
from otel_parallelism.model import Report
from otel_parallelism.names import DEFERRED, VERDICT
from otel_parallelism.reports.json import turn_json

from .turn_file import TurnLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.analysis.analyze import AnalysisPart
    from otel_parallelism.model import SpanRecord


class TraceTurns(msgspec.Struct, frozen=True):
    """
    The turns of a trace.

    ``unrecorded`` are the reports on those that their program has recorded no metrics of: their span carries neither a
    result nor the mark of a result that came later. ``calls_without_turn`` is the number of calls in no turn.
    """

    lines: list[TurnLine]
    unrecorded: list[Report]
    calls_without_turn: int


def trace_turns(spans: list[SpanRecord], analyze: Callable[[list[SpanRecord]], AnalysisPart]) -> TraceTurns:
    """Return the turns of the trace that consists of *spans*, which *analyze* analyses."""
    recorded = {span.span_id for span in spans if VERDICT in span.attributes or DEFERRED in span.attributes}
    part = analyze(spans)
    reports = [joined_report(result, Experience()) for result in part.results]
    return TraceTurns(
        [TurnLine(one.turn.trace_id, one.turn.span_id, turn_json(one)) for one in reports],
        [one for one in reports if one.turn.span_id not in recorded],
        part.coverage.calls_without_turn,
    )
