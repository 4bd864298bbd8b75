"""A turn's report: its numbers as the definitions name them, its verdict, and its findings less the silenced ones."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from otel_parallelism.analysis.schedule.critical_path import round_crossings
from otel_parallelism.analysis.schedule.safe_schedule import plan
from otel_parallelism.model import Cause, Finding, Report, Turn, Verdict

from .advice import headline
from .silencing import is_silenced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope
    from otel_parallelism.settings import Settings

_SEQUENTIAL_EFFICIENCY = 0.5
_SEQUENTIAL_CONCURRENCY = 2.0
_PARTLY_EFFICIENCY = 0.9
_PARALLEL_CONCURRENCY = 1.1
_S = 1e9


def largest(split: Mapping[Cause, float], otherwise: Cause) -> Cause:
    """The cause with the largest part of *split*, or *otherwise* where it is empty."""
    return max(split, key=lambda why: split[why]) if split else otherwise


def report(
    turn: Turn,
    own: Scope,
    findings: Sequence[Finding],
    settings: Settings,
    *,
    split: Callable[[Sequence[Finding]], Mapping[Cause, float]] | None = None,
    notes: Sequence[str] = (),
) -> Report:
    """
    Put together what *turn* measured.

    Args:
        turn: After normalisation.
        own: Its own scope, settled.
        findings: All that are worth reporting; those the settings silence are set apart.
        settings: ``silence`` is read.
        split: Tells the avoidable seconds by cause of those of the findings that are not silenced.
        notes: Where a bound cut the analysis short.
    """
    hushed = {call.span_id for call in turn.calls if call.silenced}
    silenced = [f for f in findings if is_silenced(f, turn.agent, settings.silence, hushed)]
    if silenced:
        findings = [finding for finding in findings if finding not in silenced]
    by_cause = split(findings) if split is not None else {}
    totals = own.totals
    makespan_ns = totals.makespan_ns
    ratio = concurrency = effective = critical = achievable = efficiency = floor = None
    if makespan_ns:
        ratio = totals.work_ns / makespan_ns
        concurrency = totals.work_ns / totals.busy_ns
        effective = own.contention.effective_work_ns(own.calls) / makespan_ns if own.contention.baseline_ns else ratio
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
    verdict = _verdict(own, concurrency, efficiency, floor, findings)
    rounds = {call.round for call in own.calls if call.round is not None}
    saved_steps = _saved_steps(own, len(rounds), silenced)
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
        avoidable_by_cause=dict(by_cause),
        avoidable_steps=saved_steps,
        avoidable_tokens=round(saved_steps * sum(tokens) / len(tokens)) if tokens else None,
        chains=len(chains),
        max_chain_length=max((finding.longest for finding in chains), default=0),
        cause=largest(by_cause, top.cause) if top is not None else None,
        recommendation=headline(verdict, findings, unknown=floor != efficiency),
        findings=tuple(findings),
        silenced=tuple(silenced),
        notes=tuple(dict.fromkeys(notes)),
        schedule=plan(own, turn.start_ns, silenced) if avoidable else (),
    )


def _saved_steps(own: Scope, rounds: int, silenced: Sequence[Finding]) -> int:
    if own.graph is None or own.contended or not rounds:
        return 0
    edges = list(own.any)
    place = {call.span_id: index for index, call in enumerate(own.calls)}
    for finding in silenced:
        # Its calls keep the order that nobody wants to hear of.
        members = [place[span_id] for span_id in finding.span_ids if span_id in place]
        for earlier, later in pairwise(members):
            if own.calls[earlier].end_ns <= own.calls[later].start_ns:
                edges[later] |= 1 << earlier
    return max(0, rounds - 1 - round_crossings(own.calls, edges, own.graph.after_any))


def _verdict(
    own: Scope,
    concurrency: float | None,
    efficiency: float | None,
    floor: float | None,
    findings: Sequence[Finding],
) -> Verdict:
    if concurrency is None or (len(own.calls) < 2 and not findings):  # noqa: PLR2004 - one call is a single one
        return "single"
    if efficiency is None or floor is None:
        return "contended"
    avoidable = any(finding.advice == "recommended" for finding in findings)
    rows: tuple[tuple[bool, Verdict], ...] = (
        (
            avoidable and efficiency < _SEQUENTIAL_EFFICIENCY and concurrency < _SEQUENTIAL_CONCURRENCY,
            "sequential",
        ),
        (avoidable and efficiency < _PARTLY_EFFICIENCY, "partly_sequential"),
        (concurrency > _PARALLEL_CONCURRENCY, "parallel"),
        (floor >= _PARTLY_EFFICIENCY, "serial_by_need"),
    )
    for holds, verdict in rows:
        if holds:
            return verdict
    return "possibly_sequential"
