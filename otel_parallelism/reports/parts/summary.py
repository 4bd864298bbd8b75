"""Sentences about a whole analysis, and which findings and turns they are about."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from otel_parallelism.analysis.findings.fault_keys import fault_key
from otel_parallelism.model import BESIDE_EFFICIENCY
from otel_parallelism.shown_names import shown_name

from .wording import counted, fix_location, is_or_are, seconds, tool_list

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from otel_parallelism.analysis.findings.fault_keys import FaultKey
    from otel_parallelism.model import Analysis, Finding, Report, UnknownSpans, Verdict

    from .faults import Fault

_LOSING: Final[tuple[Verdict, ...]] = ("unseen", "sequential", "partly_sequential", "contended", "possibly_sequential")
_UNKNOWN: Final[tuple[Verdict, ...]] = ("unseen", "possibly_sequential")
_DESCRIBED: Final = "with these findings"
_NOT_DESCRIBED: Final = "with other findings"
_FINE: Final = "without findings"
_MOST_SCOPES: Final = 8
_MOST_NAMES: Final = 12


def summary_line(analysis: Analysis) -> str:
    """Return one line: the number of turns, the verdicts that lose time, and the seconds that could be saved."""
    reports, coverage = analysis.reports, analysis.coverage
    if not reports:
        if not coverage.spans:
            return "No turn found: there are no spans"
        if not coverage.calls:
            return f"No turn found: no tool call among {counted(coverage.spans, 'span')}"
        return f"No turn found: {counted(coverage.calls, 'tool call')} outside of any agent's run"
    saved = saved_of = perhaps = perhaps_of = 0.0
    counts: Counter[Verdict] = Counter()
    for report in reports:  # once: a report may have to be read from a file
        counts[report.verdict] += 1
        if has_avoidable(report):
            saved += report.avoidable
            saved_of += report.makespan
        if may_have_avoidable(report):
            perhaps += report.avoidable_potential
            perhaps_of += report.makespan
    parts = []
    if saved:
        parts.append(f"{seconds(saved)} of {seconds(saved_of)} could be saved")
    if perhaps:
        more = "more" if saved else f"of {seconds(perhaps_of)} could be saved"
        parts.append(f"perhaps {seconds(perhaps)} {more}")
    verdicts = ", ".join(f"{counts[verdict]:,} {verdict.replace('_', ' ')}" for verdict in _LOSING if counts[verdict])
    unsure = any(counts[verdict] for verdict in _UNKNOWN)
    return (
        f"{counted(len(reports), 'turn')} · "
        + (f"{verdicts}: " if verdicts else "")
        + (", ".join(parts) or ("nothing known to gain" if unsure else "nothing to gain"))
    )


def starting_point(analysis: Analysis, faults: Sequence[Fault]) -> str:
    """Return one line: the first of its *faults*, or what to set up if there is no turn."""
    if not analysis.reports:
        if not analysis.coverage.calls:
            return "Decorate the tools with @profiled, or switch on an instrumentation of the agent's framework."
        return "Open agent_turn(...) around the agent's loop, or switch on an instrumentation of its framework."
    if not faults:
        return ""
    fault = faults[0]
    at = fix_location(fault.finding)
    title = turn_title(analysis.reports[fault.worst - 1])
    where = f"turn {fault.worst} ({title})" + (f" at {at}" if at else "")
    tools = tool_list(fault.finding.calls, most=3)
    one_tool = len(set(fault.finding.calls)) == 1
    calls = tools if one_tool else f"{counted(len(fault.finding.calls), 'call')} ({tools})"
    cost = ("" if fault.finding.advice == "recommended" else "perhaps ") + seconds(fault.avoidable)
    cost = cost if fault.avoidable else "too much at once"
    several = f" in {counted(len(fault.turns), 'turn')}" if len(fault.turns) > 1 else ""
    return f"Start with {where}: {calls}, {cost}{several}"


def repetition(fault: Fault) -> str:
    """Return a sentence on how often *fault* occurs, how much it costs in all, and where most."""
    turns, times = counted(len(fault.turns), "turn"), counted(fault.count, "time")
    often, worst = f"{times} in {turns}", f", at most {seconds(fault.finding.avoidable)} in turn {fault.worst:,}"
    if fault.count == len(fault.turns):
        often = f"In {turns}"
    elif len(fault.turns) == 1:
        often, worst = f"{times} in this turn", ""
    return f"{often}: {seconds(fault.avoidable)} in all{worst}." if fault.avoidable else f"{often}."


def left_out(reports: Sequence[Report], numbers: Collection[int], described: Collection[FaultKey]) -> str:
    """
    Return a line on the turns that are not described, by their findings; empty if all are described.

    Args:
        reports: All turns.
        numbers: The numbers of those that are described, from 1.
        described: The keys of the faults that are described.
    """
    kinds = Counter(_kind(report, described) for number, report in enumerate(reports, 1) if number not in numbers)
    if not kinds:
        return ""
    parts = [
        f"{kinds[kind]:,} {kind}" if len(kinds) > 1 else kind
        for kind in (_DESCRIBED, _NOT_DESCRIBED, _FINE)
        if kinds[kind]
    ]
    line = f"and {counted(kinds.total(), 'more turn')}{':' if len(kinds) > 1 else ''} {', '.join(parts)}"
    return line + ("; the HTML report shows all" if kinds[_NOT_DESCRIBED] else "")


def _kind(report: Report, described: Collection[FaultKey]) -> str:
    keys = [fault_key(report, finding) for finding in actionable_findings(report)]
    if not keys:
        return _FINE
    return _DESCRIBED if all(key in described for key in keys) else _NOT_DESCRIBED


def input_remarks(analysis: Analysis) -> Iterator[str]:
    """Yield a sentence for each part of the input that the reports do not cover."""
    coverage = analysis.coverage
    if analysis.reports and coverage.calls_without_turn:
        yield (
            f"{coverage.calls_without_turn:,} of {counted(coverage.calls, 'call')} "
            f"{is_or_are(coverage.calls_without_turn)} in no turn and not counted above: open agent_turn(...) around "
            f"{'it' if coverage.calls_without_turn == 1 else 'them'}."
        )
    if coverage.unknown:
        yield from _unknown_vocabulary(coverage.unknown)
    if coverage.anomalies:
        verbs = "ends before it begins and counts" if coverage.anomalies == 1 else "end before they begin and count"
        yield f"{counted(coverage.anomalies, 'interval')} {verbs} as empty."


def _unknown_vocabulary(unknown: Sequence[UnknownSpans]) -> Iterator[str]:
    """Yield sentences that name the scopes and the spans of an input that no dialect fits, and what to do."""
    yield f"No known vocabulary fits {counted(sum(each.spans for each in unknown), 'span')}. Scopes and names seen:"
    scopes: dict[str, list[UnknownSpans]] = {}
    for each in unknown:
        scopes.setdefault(each.scope, []).append(each)
    for scope, spans in list(scopes.items())[:_MOST_SCOPES]:
        shown = [f"{each.spans:,} × {shown_name(each.name)}" for each in spans[:_MOST_NAMES]]
        if len(spans) > _MOST_NAMES:
            shown.append(f"and {counted(len(spans) - _MOST_NAMES, 'more name')}")
        yield f"{shown_name(scope) or 'no scope'}: {', '.join(shown)}"
    if len(scopes) > _MOST_SCOPES:
        yield f"and {counted(len(scopes) - _MOST_SCOPES, 'more scope')}"
    yield (
        "Say which of them are tool calls, model requests and turns: --call 'fda.*' --model 'llm*' --turn 'run_*', "
        "with patterns of span names, or attribute=value."
    )


def turn_title(report: Report) -> str:
    """Return the name of the turn's agent; if it has none, the turn's name or the start of its span id."""
    turn = report.turn
    return shown_name(turn.agent or turn.name or turn.span_id[:8])


def has_avoidable(report: Report) -> bool:
    """Return whether a finding of the turn has advice ``recommended``: its time is certainly avoidable."""
    return any(finding.advice == "recommended" for finding in report.findings)


def may_have_avoidable(report: Report) -> bool:
    """Return whether a finding of the turn has advice ``potential``: its time may be avoidable."""
    return any(finding.advice == "potential" and finding.kind not in BESIDE_EFFICIENCY for finding in report.findings)


def is_fine(report: Report) -> bool:
    """Return whether the turn has nothing to act on and nothing unknown that could be worth it."""
    return not actionable_findings(report) and report.verdict not in _LOSING


def actionable_findings(report: Report) -> list[Finding]:
    """Return the findings to act on: all except those about an intended order."""
    return [finding for finding in report.findings if finding.advice != "intended"]
