"""Analyses any number of turns one trace at a time, so that no more than one trace is in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.analyze import analyze_records

from .trace_buffer import MOST_IN_MEMORY, traces_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otel_parallelism.model import Coverage, Observation, RecordedResult, Report, SpanRecord
    from otel_parallelism.settings import Settings


def stream_reports(
    spans: Iterable[SpanRecord],
    classify: Callable[[SpanRecord], Observation],
    settings: Settings,
    *,
    recorded: Callable[[SpanRecord], RecordedResult | None] | None = None,
    covered: Callable[[Coverage], None] | None = None,
    most_in_memory: int = MOST_IN_MEMORY,
) -> Iterator[Report]:
    """
    Yield the report on every turn in *spans*, trace by trace.

    Each report equals that of `analyze_records`, except that no finding mentions what other turns showed.

    Args:
        spans: Spans of any traces, in any order.
        classify: Returns what a span is.
        settings: Thresholds, patterns of tools, and which findings to silence.
        recorded: Returns the result that a turn's span carries, which is then taken instead of a new one.
        covered: Called with the coverage of each trace.
        most_in_memory: More spans go to temporary files.
    """
    for trace in traces_of(spans, most_in_memory=most_in_memory):
        analysis = analyze_records(trace, classify, settings, recorded=recorded)
        if covered is not None:
            covered(analysis.coverage)
        yield from analysis.reports
