"""The report on a turn: its numbers, its verdict and its findings."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from otel_parallelism.analysis.schedule.critical_path import round_crossings
from otel_parallelism.analysis.schedule.safe_schedule import safe_slots
from otel_parallelism.model import BESIDE_EFFICIENCY, Cause, Finding, Report, Step, Turn
from otel_parallelism.pace import paced, pause
from otel_parallelism.shown_names import shown_name

from .advice import turn_recommendation
from .causes import largest_cause
from .verdict import VerdictFacts, turn_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope
    from otel_parallelism.analysis.schedule.whole import Whole

_S = 1e9


def turn_report(  # noqa: PLR0917 - what is known of a turn
    turn: Turn,
    own: Scope,
    whole: Whole,
    findings: tuple[Finding, ...],
    silenced: tuple[Finding, ...],
    by_cause_ns: Mapping[Cause, int],
    *,
    notes: Sequence[str],
    negligible: bool = False,
    unseen: Sequence[str] | None = None,
) -> Report:
    """
    Return the report on *turn*.

    Args:
        turn: The turn after normalisation.
        own: The scope of its own calls that are kept, with its bounds computed.
        whole: The totals and bounds of all its own calls.
        findings: The findings that are reported.
        silenced: The findings that are silenced. What they would save counts as needed, so that they do not lower the
            efficiency.
        by_cause_ns: The avoidable time of the reported findings by cause, in nanoseconds.
        notes: Sentences that say which bounds cut the analysis short.
        negligible: Whether the calls are too short for a saving that matters, and none of them dominates.
        unseen: The tools of calls that the model asked for, if none was seen to run; else None.
    """
    totals = whole.totals
    makespan_ns = totals.makespan_ns
    ratio = concurrency = effective = critical = achievable = efficiency = floor = None
    if makespan_ns:
        ratio = totals.work_ns / makespan_ns
        concurrency = totals.work_ns / totals.busy_ns
        effective = whole.effective_work_ns / makespan_ns
        if not own.contended and not negligible:
            kept = kept_at_best = 0.0
            if silenced:
                kept = sum([finding.avoidable for finding in silenced if finding.advice == "recommended"])
                kept_at_best = sum([finding.avoidable for finding in silenced if finding.kind not in BESIDE_EFFICIENCY])
            makespan = makespan_ns / _S
            critical = min(makespan, whole.critical_ns / _S + kept)
            achievable = totals.work_ns / _S / critical if critical else None
            efficiency = critical / makespan
            floor = min(critical, whole.best_ns / _S + kept_at_best) / makespan
    if whole.calls == 1 and ratio is not None:
        ratio = 1.0
    recommended = [finding for finding in findings if finding.advice == "recommended"]
    avoidable = sum([finding.avoidable for finding in recommended], 0.0)  # a float, also if there are none
    facts = VerdictFacts(
        calls=whole.calls,
        concurrency=concurrency,
        efficiency=efficiency,
        floor=floor,
        contended=own.contended,
        negligible=negligible,
        unseen=unseen is not None,
        loses=bool(recommended),
        accepted=bool(silenced) and any(finding.advice == "recommended" for finding in silenced),
        plain_efficiency=whole.critical_ns / makespan_ns if makespan_ns else 1.0,
    )
    pause()
    verdict = turn_verdict(facts)
    rounds = {call.round for call in paced(own.calls) if call.round is not None}
    saved_steps = _saved_steps(own, len(rounds), silenced)
    tokens, cached = _mean_tokens(turn.steps)
    top = max(findings, key=lambda f: (f.advice == "recommended", f.kind != "over_parallel", f.avoidable), default=None)
    chains = [finding for finding in findings if finding.kind == "sequential_chain"]
    switches = own.graph.kept.switches if own.graph is not None else ()
    if switches:
        named = " and ".join(map(shown_name, switches))
        notes = [*notes, f"{named} keeps calls in order; that is taken to be on purpose"]
    return Report(
        turn=turn,
        calls=whole.calls,
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
        think=sum([max(0, step.end_ns - step.start_ns) for step in paced(turn.steps)]) / _S,
        steps=len(turn.steps),
        calls_per_step=len(own.calls) / len(rounds) if turn.steps and rounds else None,
        avoidable=avoidable,
        avoidable_potential=sum(
            [
                finding.avoidable
                for finding in findings
                if finding.advice == "potential" and finding.kind not in BESIDE_EFFICIENCY
            ],
            0.0,
        ),
        avoidable_by_cause={cause: part_ns / _S for cause, part_ns in by_cause_ns.items()},
        avoidable_steps=saved_steps,
        avoidable_tokens=None if tokens is None else round(saved_steps * tokens),
        avoidable_cached_tokens=None if cached is None else round(saved_steps * cached),
        chains=len(chains),
        max_chain_length=max([finding.longest for finding in chains], default=0),
        cause=largest_cause(by_cause_ns, top.cause) if top is not None else "intended" if switches else None,
        recommendation=turn_recommendation(verdict, top, unknown=floor != efficiency, unseen=unseen or ()),
        findings=findings,
        silenced=silenced,
        notes=tuple(dict.fromkeys(notes)),
        schedule=safe_slots(own, turn.start_ns, silenced) if avoidable else (),
    )


def _mean_tokens(steps: Sequence[Step]) -> tuple[float | None, float | None]:
    """Return the mean of the input tokens of *steps*, and of the cached ones among them; None for what is unknown."""
    known = [step.input_tokens for step in paced(steps) if step.input_tokens is not None]
    if not known:
        return None, None
    cached = [
        step.cached_tokens for step in paced(steps) if step.cached_tokens is not None and step.input_tokens is not None
    ]
    mean = sum(known) / len(known)
    return mean, min(mean, sum(cached) / len(known)) if cached else None


def _saved_steps(own: Scope, rounds: int, silenced: Sequence[Finding]) -> int:
    """Return how many of the turn's *rounds* are avoidable; the calls of *silenced* findings keep their order."""
    if own.graph is None or own.contended or not rounds:
        return 0
    edges = list(own.all_edges)
    place = {call.span_id: index for index, call in paced(enumerate(own.calls))}
    for finding in silenced:
        members = [place[span_id] for span_id in finding.span_ids if span_id in place]
        for earlier, later in pairwise(members):
            if own.calls[earlier].end_ns <= own.calls[later].start_ns:
                edges[later] |= 1 << earlier
    return max(0, rounds - 1 - round_crossings(own.calls, edges, own.graph.after_any))
