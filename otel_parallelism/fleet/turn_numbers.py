"""What one report adds to a fleet's sums, in integers: they add up to the same totals in any order."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.analysis.findings.fault_keys import FaultKey, fault_key, tool_around
from otel_parallelism.model import BESIDE_EFFICIENCY, Finding, Report, Verdict
from otel_parallelism.model.fleet_types import Grouping

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NO_NAME: Final = "(no name)"
NO_DAY: Final = "(no day)"
NO_PLACE: Final = "(place unknown)"
NO_FINDING: Final = "(no finding)"
_NS: Final = 1_000_000_000
_ALIKE_NS: Final = 1_000
"""Seconds as floats are exact to less than this; a smaller difference is none."""


class TurnShare(msgspec.Struct):
    """What a group gets of one turn."""

    calls: int = 0
    findings: int = 0
    lost_ns: int = 0
    perhaps_ns: int = 0
    tokens: int = 0
    cached: int = 0


class FindingNumbers(msgspec.Struct, frozen=True):
    """One finding with its share of the turn's avoidable tokens, and the tool that its calls run inside."""

    key: FaultKey
    finding: Finding
    around: str
    avoidable_ns: int
    tokens: int
    cached: int


class TurnNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """
    The measurements of one turn, in integers.

    ``whole`` is the whole turn as a part. ``parts`` has what each group gets of it; the agent and the day get all.
    """

    trace_id: str
    span_id: str
    agent: str
    day: str
    duration_ns: int
    work_ns: int
    makespan_ns: int
    ratio: float | None
    efficiency: float | None
    floor: float | None
    verdict: Verdict
    responses: int
    several: int
    asked: int
    input_tokens: int | None
    knows_tokens: bool
    knows_cached: bool
    whole: TurnShare
    parts: dict[tuple[Grouping, str], TurnShare]
    findings: tuple[FindingNumbers, ...]


def numbers_of(report: Report) -> TurnNumbers:
    """Return what *report* adds to the sums of a fleet."""
    turn = report.turn
    agent, day = turn.agent or turn.name or NO_NAME, day_of(turn.start_ns)
    whole, findings, rest = _losses(report)
    parts: dict[tuple[Grouping, str], TurnShare] = {("agent", agent): whole, ("day", day): whole}
    for call in turn.calls:
        parts.setdefault(("tool", call.tool or NO_NAME), TurnShare()).calls += 1
    for each in findings:
        _add_finding(parts, each)
    if rest != TurnShare():
        for grouping in ("tool", "cause", "place"):
            _add(parts.setdefault((grouping, NO_FINDING), TurnShare()), rest)
    rounds = Counter(call.round for call in turn.calls if not call.scope and call.round is not None)
    known = report.calls_per_step is not None
    tokens = [step.input_tokens for step in turn.steps if step.input_tokens is not None]
    return TurnNumbers(
        trace_id=turn.trace_id,
        span_id=turn.span_id,
        agent=agent,
        day=day,
        duration_ns=max(0, turn.end_ns - turn.start_ns),
        work_ns=round(report.work * _NS),
        makespan_ns=round(report.makespan * _NS),
        ratio=report.ratio,
        efficiency=report.efficiency,
        floor=report.efficiency_floor,
        verdict=report.verdict,
        responses=len(rounds) if known else 0,
        several=sum(1 for calls in rounds.values() if calls > 1) if known else 0,
        asked=report.calls if known else 0,
        input_tokens=sum(tokens) if tokens else None,
        knows_tokens=report.avoidable_tokens is not None,
        knows_cached=report.avoidable_cached_tokens is not None,
        whole=whole,
        parts=parts,
        findings=findings,
    )


def day_of(at_ns: int) -> str:
    """
    Return the day of an instant in UTC.

    >>> day_of(1_700_000_000_000_000_000)
    '2023-11-14'
    """
    try:
        return datetime.fromtimestamp(at_ns // _NS, UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return NO_DAY


def split(total: int, weights: Sequence[int]) -> list[int]:
    """
    Return *total* in parts in proportion to *weights*, which add up to it exactly.

    >>> split(10, [1, 1, 1]), split(5, [0, 0])
    ([3, 3, 4], [2, 3])
    """
    if not any(weights):
        weights = [1] * len(weights)
    whole, passed, parts = sum(weights), 0, []
    for weight in weights:
        parts.append(total * (passed + weight) // whole - total * passed // whole)
        passed += weight
    return parts


def _losses(report: Report) -> tuple[TurnShare, tuple[FindingNumbers, ...], TurnShare]:
    """Return the whole turn's losses, those of each finding, and what no finding of the report has."""
    findings = [finding for finding in report.findings if finding.advice != "intended"]
    each_ns = [round(finding.avoidable * _NS) for finding in findings]
    lost_ns = sum(ns for ns, one in zip(each_ns, findings, strict=True) if one.advice == "recommended")
    perhaps_ns = sum(ns for ns, one in zip(each_ns, findings, strict=True) if _counts_as_perhaps(one))
    rest = TurnShare(
        lost_ns=_beyond(report.avoidable, lost_ns),
        perhaps_ns=_beyond(report.avoidable_potential, perhaps_ns),
    )
    tokens, cached = report.avoidable_tokens or 0, report.avoidable_cached_tokens or 0
    weights = [
        ns if one.advice == "recommended" and one.cause == "model" else 0
        for ns, one in zip(each_ns, findings, strict=True)
    ]
    if not any(weights):
        weights = [ns if one.advice == "recommended" else 0 for ns, one in zip(each_ns, findings, strict=True)]
    if any(weights):
        tokens_of, cached_of = split(tokens, weights), split(cached, weights)
    else:
        tokens_of = cached_of = [0] * len(findings)
        rest.tokens, rest.cached = tokens, cached
    whole = TurnShare(
        calls=report.calls,
        findings=len(findings),
        lost_ns=lost_ns + rest.lost_ns,
        perhaps_ns=perhaps_ns + rest.perhaps_ns,
        tokens=tokens,
        cached=cached,
    )
    facts = tuple(
        FindingNumbers(fault_key(report, one), one, tool_around(report, one), *numbers)
        for one, *numbers in zip(findings, each_ns, tokens_of, cached_of, strict=True)
    )
    return whole, facts, rest


def _beyond(seconds: float, found_ns: int) -> int:
    """Return what *seconds* have beyond *found_ns*, in nanoseconds."""
    more_ns = round(seconds * _NS) - found_ns
    return more_ns if more_ns > _ALIKE_NS else 0


def _counts_as_perhaps(finding: Finding) -> bool:
    return finding.advice == "potential" and finding.kind not in BESIDE_EFFICIENCY


def _add_finding(parts: dict[tuple[Grouping, str], TurnShare], facts: FindingNumbers) -> None:
    finding, location = facts.finding, facts.finding.location
    lost_ns = facts.avoidable_ns if finding.advice == "recommended" else 0
    perhaps_ns = facts.avoidable_ns if _counts_as_perhaps(finding) else 0
    one = TurnShare(0, 1, lost_ns, perhaps_ns, facts.tokens, facts.cached)
    place = NO_PLACE if location is None else f"{location.file_path}:{location.line_number}"
    _add(parts.setdefault(("cause", finding.cause), TurnShare()), one)
    _add(parts.setdefault(("place", place), TurnShare()), one)
    for tool, part in _by_tool(finding.calls, one):
        _add(parts.setdefault(("tool", tool), TurnShare()), part)


def _by_tool(calls: Sequence[str], one: TurnShare) -> Iterable[tuple[str, TurnShare]]:
    """Yield each tool of a finding with its share by its number of calls; the first tool has the finding itself."""
    numbers = Counter(tool or NO_NAME for tool in calls) or Counter((NO_FINDING,))
    weights = list(numbers.values())
    columns = [split(total, weights) for total in (one.lost_ns, one.perhaps_ns, one.tokens, one.cached)]
    for at, tool in enumerate(numbers):
        yield tool, TurnShare(0, 0 if at else one.findings, *(column[at] for column in columns))


def _add(to: TurnShare, part: TurnShare) -> None:
    to.calls += part.calls
    to.findings += part.findings
    to.lost_ns += part.lost_ns
    to.perhaps_ns += part.perhaps_ns
    to.tokens += part.tokens
    to.cached += part.cached
