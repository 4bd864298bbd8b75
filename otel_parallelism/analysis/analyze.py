"""One turn in, one report out: the passes of the analysis in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.model import Analysis, Cause, Content, Finding, Observation, Report, SpanRecord, Turn, Verdict

from .advice import headline, location, remedy, sentences
from .chains import MOST_OPEN
from .experience import Experience
from .intervals import measure
from .normalize import normalize
from .schedule import round_crossings
from .scopes import Scope, scopes
from .silencing import is_silenced
from .whatif import Candidate, Mended, Part, by_cause, candidates, mend, price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from otel_parallelism.settings import Settings

_SEQUENTIAL_EFFICIENCY = 0.5
_SEQUENTIAL_CONCURRENCY = 2.0
_PARTLY_EFFICIENCY = 0.9
_PARALLEL_CONCURRENCY = 1.1
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
        return _report(turn, own, tuple(_contended(own)), {}, (), settings)

    if own.critical_ns == own.best_ns == own.totals.makespan_ns:
        return _report(turn, own, (), {}, (), settings)
    notes: list[str] = []
    recommended = _priced(every, (), least_ns, notes)
    for candidate in recommended:
        if candidate.cause == "model":
            candidate.cause = _largest(by_cause(own, [candidate]), "model")
    split = {why: part_ns / _S for why, part_ns in by_cause(own, recommended).items()}
    potential = _priced(every, recommended, least_ns, notes, best=True)
    findings = tuple(_finding(candidate, experience) for candidate in (*recommended, *potential))
    return _report(turn, own, findings, split, notes, settings)


def _largest(split: Mapping[Cause, float], otherwise: Cause) -> Cause:
    return max(split, key=lambda why: split[why], default=otherwise)


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
    if before_ns - after_ns < least_ns:
        return []
    taken: dict[str, int] = {}
    mended: Mended = {}
    for candidate in done:
        mend(mended, candidate)
        for part in candidate.parts:
            for index in part.members:
                taken[part.scope.scope_id] = taken.get(part.scope.scope_id, 0) | 1 << index
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
    price(own, some, mended, before_ns=before_ns, after_ns=after_ns, best=best)
    if not some:
        return []
    largest = max(some, key=lambda candidate: candidate.avoidable_ns)
    for candidate in some:
        if candidate is not largest and candidate.avoidable_ns < least_ns:
            largest.avoidable_ns += candidate.avoidable_ns
            candidate.avoidable_ns = 0
    return [candidate for candidate in some if candidate.avoidable_ns >= least_ns]


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


def _finding(candidate: Candidate, experience: Experience | None) -> Finding:
    calls = candidate.calls
    tools = tuple(call.tool for call in calls)
    scope = candidate.parts[0].scope
    where = location(calls[1:]) if candidate.cause == "code" else None
    most = scope.limit.most if candidate.cause == "limit" and scope.limit is not None else None
    if most is not None:
        evidence: tuple[str, ...] = (
            f"never more than {most} of {len(calls)} calls ran at once, and most began as one ended",
        )
    else:
        evidence = () if scope.graph is None else sentences(scope.graph, candidate.parts[0].members)
    turns = 0 if experience is None or candidate.advice == "recommended" else experience.turns(tools)
    if turns:
        evidence += (f"they ran at the same time in {turns} earlier turn{'s' if turns > 1 else ''} without an error",)
    return Finding(
        kind="limit" if most is not None else "sequential_chain",
        cause=candidate.cause,
        advice=candidate.advice,
        calls=tools,
        span_ids=tuple(call.span_id for call in calls),
        avoidable=candidate.avoidable_ns / _S,
        evidence=evidence,
        recommendation=remedy(candidate.cause, candidate.advice, calls, where, most),
        location=where,
        scope=scope.scope_id,
        limit=most,
        longest=candidate.longest,
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
                f"{len(batch)} calls overlap but end one after another, {shortest_ns / _S:.3g} s apart, "
                "as long as the shortest of them took",
            ),
            recommendation=remedy("contention", "potential", batch),
        )


def _report(
    turn: Turn,
    own: Scope,
    findings: Sequence[Finding],
    split: Mapping[Cause, float],
    notes: Sequence[str],
    settings: Settings,
) -> Report:
    hushed = {call.span_id for call in turn.calls if call.silenced}
    silenced = [f for f in findings if is_silenced(f, turn.agent, settings.silence, hushed)]
    if silenced:
        findings = [finding for finding in findings if finding not in silenced]
        split = _without(split, silenced)
    totals = own.totals
    makespan_ns = totals.makespan_ns
    ratio = concurrency = effective = critical = achievable = efficiency = floor = None
    if makespan_ns:
        ratio = totals.work_ns / makespan_ns
        concurrency = totals.work_ns / totals.busy_ns
        effective = own.contention.effective_work_ns(own.calls) / makespan_ns if own.contention.batches else ratio
        if not own.contended:
            # What nobody wants to hear of is taken as needed: the number to alert on must not ring for it.
            kept = sum(finding.avoidable for finding in silenced if finding.advice == "recommended")
            kept_at_best = sum(finding.avoidable for finding in silenced)
            makespan = makespan_ns / _S
            critical = min(makespan, own.critical_ns / _S + kept)
            achievable = totals.work_ns / _S / critical if critical else None
            efficiency = critical / makespan
            floor = min(critical, own.best_ns / _S + kept_at_best) / makespan
    if len(own.calls) == 1 and ratio is not None:
        ratio = 1.0
    avoidable = sum(finding.avoidable for finding in findings if finding.advice == "recommended")
    verdict = _verdict(own, concurrency, efficiency, floor, avoidable)
    rounds = {call.round for call in own.calls if call.round is not None}
    saved_steps = _saved_steps(own, len(rounds))
    tokens = [step.input_tokens for step in turn.steps if step.input_tokens is not None]
    top = max(findings, key=lambda f: (f.advice == "recommended", f.avoidable), default=None)
    chains = [finding for finding in findings if finding.kind == "sequential_chain"]
    return Report(
        turn=turn,
        calls=len(own.calls),
        verdict=verdict,
        coverage=turn.coverage,
        work=totals.work_ns / _S,
        makespan=makespan_ns / _S,
        busy=totals.busy_ns / _S,
        ratio=ratio,
        concurrency=concurrency,
        effective_ratio=effective,
        peak_concurrency=totals.peak,
        critical_path=critical,
        achievable_ratio=achievable,
        efficiency=efficiency,
        efficiency_floor=floor,
        think=sum(max(0, step.end_ns - step.start_ns) for step in turn.steps) / _S,
        steps=len(turn.steps),
        calls_per_step=len(own.calls) / len(rounds) if turn.steps and rounds else None,
        avoidable=avoidable,
        avoidable_potential=sum(finding.avoidable for finding in findings if finding.advice == "potential"),
        avoidable_by_cause=dict(split),
        avoidable_steps=saved_steps,
        avoidable_tokens=round(saved_steps * sum(tokens) / len(tokens)) if tokens else None,
        chains=len(chains),
        max_chain_length=max((finding.longest for finding in chains), default=0),
        cause=_largest(split, top.cause) if top is not None else None,
        recommendation=headline(verdict, findings),
        findings=tuple(findings),
        silenced=tuple(silenced),
        notes=tuple(dict.fromkeys(notes)),
    )


def _without(split: Mapping[Cause, float], silenced: Sequence[Finding]) -> dict[Cause, float]:
    left = dict(split)
    for finding in silenced:
        if finding.advice == "recommended":
            left[finding.cause] = left.get(finding.cause, 0.0) - finding.avoidable
    return {why: part for why, part in left.items() if part > 1 / _S}


def _saved_steps(own: Scope, rounds: int) -> int:
    if own.graph is None or own.contended or not rounds:
        return 0
    return max(0, rounds - 1 - round_crossings(own.calls, own.any, own.graph.after_any))


def _verdict(
    own: Scope, concurrency: float | None, efficiency: float | None, floor: float | None, avoidable: float
) -> Verdict:
    if concurrency is None or (len(own.calls) < 2 and not avoidable):  # noqa: PLR2004 - one call is a single one
        return "single"
    if efficiency is None or floor is None:
        return "contended"
    if avoidable and efficiency < _SEQUENTIAL_EFFICIENCY and concurrency < _SEQUENTIAL_CONCURRENCY:
        return "sequential"
    if avoidable and efficiency < _PARTLY_EFFICIENCY:
        return "partly_sequential"
    if concurrency > _PARALLEL_CONCURRENCY:
        return "parallel"
    if floor >= _PARTLY_EFFICIENCY:
        return "serial_by_need"
    return "possibly_sequential"
