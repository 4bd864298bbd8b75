"""One turn in, one report out: the passes of the analysis in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.model import Analysis, Cause, Content, Finding, Observation, Report, SpanRecord, Turn

from .dependencies.experience import Experience
from .findings.advice import location, missing, remedy, sentences
from .findings.report import largest, report
from .findings.savings import MOST_CANDIDATES, Candidate, Mended, Part, by_cause, candidates, mend, price
from .schedule.chains import MOST_OPEN
from .schedule.intervals import measure
from .schedule.scopes import Scope, scopes
from .turns.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from otel_parallelism.settings import Settings

_S = 1e9


def analyze_spans(
    spans: Iterable[SpanRecord], classify: Callable[[SpanRecord], Observation], settings: Settings
) -> Analysis:
    """
    Report on every turn in *spans*.

    Args:
        spans: Of any traces, in any order.
        classify: Tells what a span is (``dialects.classify``).
        settings: As for `analyze` and `normalize`.
    """
    found = normalize((classify(span) for span in spans), settings)
    experience = Experience()
    reports = []
    for turn in found.turns:
        reports.append(analyze(turn, settings, experience))
        experience.learn(turn)
    return Analysis(tuple(reports), found.coverage)


def analyze(turn: Turn, settings: Settings, experience: Experience | None = None) -> Report:
    """
    Measure *turn*, find what ran one by one and need not have, and say what to do.

    Evidence (contents, effects) is looked at only where running everything at once would save at least
    ``settings.min_avoidable`` seconds and ``settings.min_avoidable_share`` of the turn.

    Args:
        turn: After normalisation.
        settings: Thresholds, patterns and what to keep silent about.
        experience: What earlier turns showed; it is read, not changed.
    """
    duration_ns = max(turn.end_ns - turn.start_ns, 0)
    every = scopes(turn)
    own = every[-1]
    least_ns = max(settings.min_avoidable * _S, settings.min_avoidable_share * (duration_ns or own.totals.makespan_ns))
    for scope in every:
        scope.observe_waiting()
        if not scope.contended and scope.suspected(least_ns):
            scope.examine(_said(turn, scope), turn, settings)
        scope.settle()
    if own.contended:
        worth = [finding for finding in _contended(own) if finding.avoidable * _S >= least_ns]
        return report(turn, own, worth, settings)

    if own.critical_ns == own.best_ns == own.totals.makespan_ns:
        return report(turn, own, (), settings)
    notes: list[str] = []
    recommended = _priced(every, (), least_ns, notes)
    potential = _priced(every, recommended, least_ns, notes, best=True)
    found = [(_finding(candidate, _named(own, candidate), experience), candidate) for candidate in recommended]
    findings = [finding for finding, _ in found] + [_finding(one, one.cause, experience) for one in potential]

    def split(kept: Sequence[Finding]) -> dict[Cause, float]:
        parts_ns = by_cause(own, [candidate for finding, candidate in found if finding in kept])
        return {why: part_ns / _S for why, part_ns in parts_ns.items()}

    return report(turn, own, findings, settings, split=split, notes=notes)


def _named(own: Scope, candidate: Candidate) -> Cause:
    """The cause to name for what may have several: where rounds are the matter, the one of the largest part."""
    return largest(by_cause(own, [candidate]), "model") if candidate.cause == "model" else candidate.cause


def _priced(
    every: Sequence[Scope],
    done: Sequence[Candidate],
    least_ns: float,
    notes: list[str],
    *,
    best: bool = False,
) -> list[Candidate]:
    """The findings worth reporting: what is safe, or with *best* what might be beyond the findings *done*."""
    own = every[-1]
    before_ns = own.critical_ns if best else own.totals.makespan_ns
    after_ns = own.best_ns if best else own.critical_ns
    least_ns = max(least_ns, 1)
    if before_ns - after_ns < least_ns:
        return []
    taken: dict[str, int] = {}
    mended: Mended = {}
    for candidate in done:
        mend(mended, candidate)
        for part in candidate.parts:
            for index in part.members:
                taken[part.scope.scope_id] = taken.get(part.scope.scope_id, 0) | 1 << index
    some = _searched(every, taken, notes, best=best)
    price(own, some, mended, before_ns=before_ns, after_ns=after_ns, best=best)
    if not some:
        return []
    if len(some) > MOST_CANDIDATES:
        notes.append(f"more than {MOST_CANDIDATES} findings: what mending the later ones saves was not worked out")
    largest = max(some, key=lambda candidate: candidate.avoidable_ns)
    for candidate in some:
        if candidate is not largest and candidate.avoidable_ns < least_ns:
            largest.avoidable_ns += candidate.avoidable_ns
            candidate.avoidable_ns = 0
    return [candidate for candidate in some if candidate.avoidable_ns >= least_ns]


def _searched(every: Sequence[Scope], taken: Mapping[str, int], notes: list[str], *, best: bool) -> list[Candidate]:
    """Chains, and with *best* the limits seen, that might be findings; calls already *taken* are left out."""
    chains = {}
    for scope in every:
        chains[scope.scope_id], bounded = scope.chains(best=best, leave_out=taken.get(scope.scope_id, 0))
        if bounded:
            notes.append(f"more than {MOST_OPEN} calls ran side by side: the search for chains passed some over")
    some = candidates(every, chains, "potential" if best else "recommended")
    if best:
        for scope in every:
            if scope.limit is not None and not scope.contended:
                some.append(Candidate("limit", "potential", [Part(scope, list(scope.limit.members))], 0))
    return some


def _said(turn: Turn, scope: Scope) -> list[Content]:
    """What had been said before the scope's calls: the user's messages, and what the calls around it were given."""
    said = list(turn.inputs)
    around = {call.span_id: call for call in turn.calls}
    at, seen = scope.scope_id, set()
    while at in around and at not in seen:
        seen.add(at)
        content = around[at].arguments
        if content is not None:
            said.append(content)
        at = around[at].scope
    return said


def _finding(candidate: Candidate, why: Cause, experience: Experience | None) -> Finding:
    calls = candidate.calls
    tools = tuple(call.tool for call in calls)
    scope = candidate.parts[0].scope
    where = location(calls[1:]) if why == "code" else None
    most = scope.limit.most if why == "limit" and scope.limit is not None else None
    if most is not None:
        evidence: tuple[str, ...] = (
            f"never more than {most} of {len(calls)} calls ran at once, and most began as one ended",
        )
    else:
        evidence = () if scope.graph is None else sentences(scope.graph, candidate.parts[0].members)
    todo = "" if scope.graph is None else missing(scope.graph, candidate.parts[0].members)
    stages = () if most is not None else candidate.stages()
    turns = 0 if experience is None or candidate.advice == "recommended" else experience.turns(tools)
    if turns:
        evidence += (f"they ran at the same time in {turns} earlier turn{'s' if turns > 1 else ''} without an error",)
    return Finding(
        kind="limit" if most is not None else "sequential_chain",
        cause=why,
        advice=candidate.advice,
        calls=tools,
        span_ids=tuple(call.span_id for call in calls),
        avoidable=candidate.avoidable_ns / _S,
        evidence=evidence,
        recommendation=remedy(why, candidate.advice, calls, where, limit=most, todo=todo, stages=stages),
        location=where,
        scope=scope.scope_id,
        limit=most,
        longest=candidate.longest,
        stages=stages,
    )


def _contended(own: Scope) -> Iterator[Finding]:
    for batch in own.contention.batches:
        tools = tuple(call.tool for call in batch)
        shortest_ns = own.contention.baseline_ns[batch[0].span_id]
        totals = measure(sorted(batch, key=lambda call: call.start_ns))
        yield Finding(
            kind="contention",
            cause="contention",
            advice="potential",
            calls=tools,
            span_ids=tuple(call.span_id for call in batch),
            avoidable=max(0, totals.makespan_ns - shortest_ns) / _S,
            evidence=(
                f"{len(batch)} calls overlap but end {shortest_ns / _S:.3g} s apart, as long as the shortest took",
            ),
            recommendation=remedy("contention", "potential", batch),
        )
