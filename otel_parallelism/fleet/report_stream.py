"""Analyses any number of turns a few traces at a time, so that no more than these are in memory."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from otel_parallelism.analysis.analyze import AnalysisPart, analyze_part, join_parts

from .trace_buffer import MOST_IN_MEMORY, batches_of, traces_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from otel_parallelism.analysis.analyze import TurnResult
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
        covered: Called with the coverage of some traces at a time.
        most_in_memory: More spans go to temporary files.
    """
    for traces in batches_of(traces_of(spans, most_in_memory=most_in_memory)):
        part = analyze_part(chain.from_iterable(traces), classify, settings, recorded=recorded)
        if covered is not None:
            covered(part.coverage)
        for results in _apart(part.results, traces):
            yield from join_parts([AnalysisPart(results, part.coverage)]).reports


def _apart(results: tuple[TurnResult, ...], traces: Sequence[Sequence[SpanRecord]]) -> Iterable[tuple[TurnResult, ...]]:
    """Return the *results* of each of *traces*; those of a single one, which may be several that belong together."""
    if len(traces) == 1:
        return [results]
    of_trace: dict[str, list[TurnResult]] = {trace[0].trace_id: [] for trace in traces}
    for result in results:
        of_trace[result.report.turn.trace_id].append(result)
    return map(tuple, of_trace.values())
