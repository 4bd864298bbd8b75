"""The analysis of one turn: from its calls and model requests to its report, one pass after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Analysis, Coverage, Finding, Observation, RecordedResult, Report, SpanRecord, Turn
from otel_parallelism.pace import pause
from otel_parallelism.settings import Settings

from .dependencies.contents.reading_budget import turn_budget
from .dependencies.experience import Experience, overlapping_pairs, pairs_of
from .findings.candidates import contention_candidates, potential_candidates, recommended_candidates
from .findings.descriptions import described, described_repeat, takes_experience, with_experience
from .findings.over_parallel.excess import described_excess
from .findings.over_parallel.search import too_much_parallelism
from .findings.recorded import is_complete, with_recorded_result
from .findings.remarks import released_contents, turn_remarks, unread_contents
from .findings.repeated_calls import repeated_candidates
from .findings.report import turn_report
from .findings.savings import estimate_savings, savings_by_cause, set_reported_causes
from .findings.silencing import is_silenced, set_silenced
from .findings.unseen import unseen_calls
from .schedule.scopes import scopes_of, shows_pauses
from .schedule.whole import whole_of
from .turns.normalization import joined_coverage, normalize
from .turns.waiting import without_waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otel_parallelism.source.call_stacks import Sources

    from .findings.candidates import Candidate

_S = 1e9


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
            TurnResult(
                analyze(turn, settings, None, sources),
                results.get((turn.trace_id, turn.span_id)),
                overlapping_pairs(turn),
            )
            for turn in found.turns
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
    results.sort(key=_place)
    experience = Experience()
    reports = []
    for result in results:
        reports.append(joined_report(result, experience))
        experience.learn_pairs(result.overlapping)
    return Analysis(tuple(reports), joined_coverage(coverages, len(results)))


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


def _place(result: TurnResult) -> tuple[int, str, str]:
    turn = result.report.turn
    return turn.start_ns, turn.span_id, turn.trace_id


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
    worked = without_waiting(turn)
    scopes = scopes_of(worked)
    own = scopes[-1]
    duration_ns = max(worked.end_ns - worked.start_ns, 0) or own.totals.makespan_ns
    share_ns = min(settings.min_avoidable_share * duration_ns, settings.large_avoidable * _S)
    least_ns = max(settings.min_avoidable * _S, share_ns)
    notes = turn_remarks(turn)

    budget = turn_budget(settings)
    explained: bool | None = None
    for scope in scopes:
        pause()
        if measured:
            scope.detect_contention()
        if (not scope.contended or scope.contention.loop.groups) and scope.could_save(least_ns):
            explained = shows_pauses(worked) if explained is None else explained
            scope.find_dependencies(worked, settings, sources, budget, explained=explained, measured=measured)
        scope.compute_bounds()

    if budget.left_out:
        notes.append(unread_contents(budget.left_out))
    if turn.let_go and any(scope.graph is not None for scope in scopes):
        notes.append(released_contents(turn.let_go))

    pause()
    reported: list[Candidate] = []
    if own.contended or own.unlimited_ns < own.totals.makespan_ns:
        for search in (contention_candidates, recommended_candidates, potential_candidates):
            pause()
            candidates = search(scopes, reported, least_ns, notes)
            set_reported_causes(own, candidates)
            set_silenced(candidates, turn.agent, settings.silence)
            estimate_savings(own, candidates, reported, least_ns, notes)
            reported += [candidate for candidate in candidates if candidate.avoidable_ns >= max(least_ns, 1)]

    repeats = [one for one in repeated_candidates(scopes, least_ns, notes) if one.avoidable_ns >= max(least_ns, 1)]
    set_silenced(repeats, turn.agent, settings.silence)
    told = [(described(candidate, experience), candidate.silenced) for candidate in reported]
    told += [(described_repeat(candidate), candidate.silenced) for candidate in repeats]
    told += [
        (described_excess(one), is_silenced(one.calls, "over_parallel", turn.agent, settings.silence))
        for one in (too_much_parallelism(scopes, worked, settings, least_ns) if measured else ())
    ]
    pause()
    whole = whole_of(own, worked.past_bound, settings.assumed_limit)
    by_cause_ns = savings_by_cause(own, [candidate for candidate in reported if not candidate.silenced])
    report = turn_report(
        turn,
        own,
        whole,
        tuple(finding for finding, silent in told if not silent),
        tuple(finding for finding, silent in told if silent),
        by_cause_ns,
        notes=notes,
        negligible=not own.has_dominant_call()
        and all(scope.graph is None for scope in scopes)
        and (whole.totals is own.totals or whole.totals.makespan_ns - whole.totals.longest_ns < least_ns),
        unseen=unseen_calls(turn, settings.bookkeeping),
    )
    for scope in scopes:
        if scope.graph is not None:
            scope.forget()
    return report
