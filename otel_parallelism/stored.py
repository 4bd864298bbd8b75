"""``analyze_spans``: the analysis of stored spans of any known dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .analysis.analyze import analyze_records
from .dialects import classifier
from .dialects.parsing.result_attributes import recorded_result
from .readers.source_folder import sources_in
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .model import Analysis, Observation, SpanRecord


def analyze_spans(
    spans: Iterable[SpanRecord],
    classify: Callable[[SpanRecord], Observation] | None = None,
    settings: Settings | None = None,
    *,
    recompute: bool = False,
    source: str | None = None,
) -> Analysis:
    """
    Analyse every turn in stored spans.

    Args:
        spans: Spans of any traces, in any order. They are read once.
        classify: Returns what a span is; default: the patterns of spans in the settings, and all known dialects.
        settings: Thresholds, patterns of tools and spans, and findings to silence; default: ``Settings()``.
        recompute: Whether to work out every result anew. By default, a turn whose span carries the result that was
            recorded when it ended is shown with that result; more was known then than spans tell.
        source: A folder with the source of the program. Where spans say where their calls were made, it shows which
            calls need one another.

    Returns:
        The reports on all turns, in order of start, and totals.

    >>> agent = {"gen_ai.operation.name": "invoke_agent"}
    >>> tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    >>> from otel_parallelism import SpanRecord
    >>> [report] = analyze_spans(
    ...     [
    ...         SpanRecord("t", "a", "", "invoke_agent", 0, 4_000_000_000, agent),
    ...         SpanRecord("t", "b", "a", "execute_tool search", 0, 2_000_000_000, tool),
    ...         SpanRecord("t", "c", "a", "execute_tool search", 2_000_000_000, 4_000_000_000, tool),
    ...     ]
    ... ).reports
    >>> report.calls, report.makespan, report.ratio
    (2, 4.0, 1.0)
    """
    settings = Settings() if settings is None else settings
    say = classifier(settings) if classify is None else classify
    sources = None if source is None else sources_in(source)
    recorded = None if recompute or source is not None else recorded_result
    return analyze_records(spans, say, settings, recorded=recorded, sources=sources)
