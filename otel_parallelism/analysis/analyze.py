"""The analysis of turns: from spans to reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Analysis, Coverage, Finding, Observation, RecordedResult, Report, SpanRecord, Turn
from otel_parallelism.settings import Settings

from .dependencies.experience import Experience, overlapping_pairs, pairs_of
from .findings.descriptions import takes_experience, with_experience
from .findings.recorded import is_complete, with_recorded_result
from .turn_passes import TurnPasses
from .turns.normalization import joined_coverage, normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otel_parallelism.source.call_stacks import Sources

_CALLS_AT_ONCE = 500


def analyze_records(
    spans: Iterable[SpanRecord],
    classify: Callable[[SpanRecord], Observation],
    settings: Settings | None = None,
    *,
    recorded: Callable[[SpanRecord], RecordedResult | None] | None = None,
    sources: Sources | None = None,
) -> Analysis:
    """
    Analyse every turn in *spans*.

    Args:
        spans: Spans of any traces, in any order. They are read once.
        classify: Returns what a span is; `otel_parallelism.dialects.classify` knows all supported dialects.
        settings: Thresholds, patterns of tools, and which findings to silence; the defaults if None.
        recorded: Returns the result that a turn's span carries, which is then shown instead of a new one; without it,
            all results are worked out anew.
        sources: Returns the parsed file of a function that made a call; None if no source is at hand.

    Returns:
        The reports on all turns, in order of start, and how many calls belong to a turn.

    >>> from otel_parallelism.dialects import classify
    >>> from otel_parallelism.model import SpanRecord
    >>> agent = {"gen_ai.operation.name": "invoke_agent"}
    >>> tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    >>> spans = [
    ...     SpanRecord("t", "a", "", "invoke_agent", 0, 4_000_000_000, agent),
    ...     SpanRecord("t", "b", "a", "execute_tool search", 0, 2_000_000_000, tool),
    ...     SpanRecord("t", "c", "a", "execute_tool search", 2_000_000_000, 4_000_000_000, tool),
    ... ]
    >>> [report] = analyze_records(spans, classify).reports
    >>> report.calls, report.makespan, report.verdict, report.avoidable_potential
    (2, 4.0, 'possibly_sequential', 2.0)
    """
    return join_parts([analyze_part(spans, classify, settings, recorded=recorded, sources=sources)])


class TurnResult(msgspec.Struct, frozen=True):
    """
    The report on one turn before it is joined with others.

    ``recorded`` is the result that the turn's span carries. ``overlapping`` are the pairs of tools that ran at the same
    time, which later turns take as evidence.
    """

    report: Report
    recorded: RecordedResult | None = None
    overlapping: frozenset[tuple[str, str]] = frozenset()


class AnalysisPart(msgspec.Struct, frozen=True):
    """The analysis of some traces of an input, in any order."""

    results: tuple[TurnResult, ...]
    coverage: Coverage


def analyze_part(
    spans: Iterable[SpanRecord],
    classify: Callable[[SpanRecord], Observation],
    settings: Settings | None = None,
    *,
    recorded: Callable[[SpanRecord], RecordedResult | None] | None = None,
    sources: Sources | None = None,
) -> AnalysisPart:
    """
    Analyse every turn in some traces of an input; `join_parts` makes one analysis of all parts.

    Args:
        spans: All spans of these traces.
        classify: As for `analyze_records`.
        settings: As for `analyze_records`.
        recorded: As for `analyze_records`.
        sources: As for `analyze_records`.
    """
    settings = Settings() if settings is None else settings
    results: dict[tuple[str, str], RecordedResult] = {}

    def observed() -> Iterator[Observation]:
        for span in spans:
            result = None if recorded is None else recorded(span)
            if result is not None:
                results[span.trace_id, span.span_id] = result
            yield classify(span)

    found = normalize(observed(), settings)
    return AnalysisPart(
        tuple(
            TurnResult(report, results.get((turn.trace_id, turn.span_id)), overlapping_pairs(turn))
            for turn, report in zip(found.turns, _reports(found.turns, settings, sources), strict=True)
        ),
        found.coverage,
    )


def join_parts(parts: Iterable[AnalysisPart]) -> Analysis:
    """
    Return the analysis of an input from that of its *parts*, which can be in any order.

    Its reports are in order of start; turns that start together, in the order of their span ids and trace ids.
    """
    results: list[TurnResult] = []
    coverages: list[Coverage] = []
    for part in parts:
        results += part.results
        coverages.append(part.coverage)
    results.sort(key=order_of)
    return Analysis(tuple(joined_reports(results)), joined_coverage(coverages, len(results)))


def order_of(result: TurnResult) -> tuple[int, str, str]:
    """Return what the results of an input are sorted by."""
    turn = result.report.turn
    return turn.start_ns, turn.span_id, turn.trace_id


def joined_reports(results: Iterable[TurnResult]) -> Iterator[Report]:
    """Yield the report of each of *results*, all those of an input in order, with what the ones before showed."""
    experience = Experience()
    for result in results:
        yield joined_report(result, experience)
        experience.learn_pairs(result.overlapping)


def joined_report(result: TurnResult, experience: Experience) -> Report:
    """Return the report of *result* with what earlier turns showed, or as its span carries it."""
    report = result.report
    if report.findings or report.silenced:
        report = msgspec.structs.replace(
            report,
            findings=tuple(with_experience(finding, experience) for finding in report.findings),
            silenced=tuple(with_experience(finding, experience) for finding in report.silenced),
        )
    return report if result.recorded is None else with_recorded_result(report, result.recorded)


def pairs_mentioned(result: TurnResult, finding: Finding) -> list[tuple[str, str]]:
    """Return the pairs of tools whose overlapping in earlier turns *finding* mentions, a finding of *result*."""
    is_recorded = result.recorded is not None and is_complete(result.recorded, result.report)
    return pairs_of(finding.calls) if takes_experience(finding) and not is_recorded else []


def analyze(
    turn: Turn,
    settings: Settings,
    experience: Experience | None = None,
    sources: Sources | None = None,
    *,
    measured: bool = True,
) -> Report:
    """
    Return the report on *turn*.

    The contents and effects of calls are examined only in scopes where running all calls at once would save enough to
    be reported: ``settings.min_avoidable`` seconds, and ``settings.min_avoidable_share`` of the turn or
    ``settings.large_avoidable`` seconds.

    Args:
        turn: The turn after normalisation.
        settings: Thresholds, patterns of tools, and which findings to silence.
        experience: What earlier turns showed; it is not changed.
        sources: Returns the parsed file of a function that made a call; None if no source is at hand.
        measured: Whether the times were measured. If not, as with unit lengths, they show no limits on the number of
            concurrent calls, no calls that wait for one another inside, and not that too many ran together.
    """
    passes = TurnPasses(turn, settings, sources, measured=measured)
    passes.read_contents()
    passes.find_dependencies()
    passes.find_findings(experience)
    return passes.report()


def _reports(turns: Iterable[Turn], settings: Settings, sources: Sources | None) -> Iterator[Report]:
    """
    Yield the report on each of *turns*, as `analyze` returns it.

    Each pass goes over several turns before the next one: its code then stays in the processor's caches.
    """
    for some in _groups(turns):
        passes = [TurnPasses(turn, settings, sources) for turn in some]
        for one in passes:
            one.read_contents()
        for one in passes:
            one.find_dependencies()
        for one in passes:
            one.find_findings()
        yield from [one.report() for one in passes]


def _groups(turns: Iterable[Turn]) -> Iterator[list[Turn]]:
    """Yield *turns* in groups with about ``_CALLS_AT_ONCE`` calls: what is known of calls takes memory."""
    group: list[Turn] = []
    calls = 0
    for turn in turns:
        group.append(turn)
        calls += len(turn.calls)
        if calls >= _CALLS_AT_ONCE:
            yield group
            group, calls = [], 0
    if group:
        yield group
