"""The safe schedule: when each call of a turn would run if every recommendation were followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.turns.rounds import gaps_ns
from otel_parallelism.model import Slot
from otel_parallelism.pace import paced

from .critical_path import finish_times

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from otel_parallelism.model import Call, Finding

    from .scopes import Scope

_S = 1e9
_Placed = list[tuple["Call", int, int]]


def safe_slots(own: Scope, origin_ns: int, silenced: Sequence[Finding]) -> tuple[Slot, ...]:
    """
    Return when each call of a turn, at any depth, would run if it started as soon as its dependencies have ended.

    The schedule starts with the first call that was observed. No more calls run at once than T∞ assumes. It may be
    shorter than T∞, which has all of the program's own time; here, only calls that depend on others wait for it. It may
    be longer if there is a limit, because the calls that a limit delayed keep their observed order.

    Args:
        own: The turn's own scope, with its bounds computed.
        origin_ns: The time that slots are relative to.
        silenced: Findings whose calls keep their observed order.
    """
    kept = {span_id for finding in silenced if finding.advice == "recommended" for span_id in finding.span_ids}
    offset_ns = _first_start_ns(own) - origin_ns
    _, placed = _placed(own, kept)
    return tuple(Slot(call.span_id, (offset_ns + a) / _S, (offset_ns + b) / _S) for call, a, b in placed)


def _placed(scope: Scope, kept: Collection[str]) -> tuple[int, _Placed]:
    """Return how long *scope* takes, and its calls, inner ones included, with start and end relative to its start."""
    calls, origin_ns = scope.calls, _first_start_ns(scope)
    nothing_known = scope.graph is None and not scope.inner
    if scope.contended or nothing_known or not scope.totals.makespan_ns:
        return scope.totals.makespan_ns, [(call, call.start_ns - origin_ns, call.end_ns - origin_ns) for call in calls]
    inside = {index: _placed(inner, kept) for index, inner in scope.inner.items()}
    durations_ns = [call.duration_ns for call in calls]
    for index, (taken_ns, _) in inside.items():
        durations_ns[index] = max(0, durations_ns[index] - scope.inner[index].totals.makespan_ns + taken_ns)
    if scope.graph is None:
        finish = finish_times(calls, (), (), durations_ns=durations_ns, relaxed={})
    else:
        held = {index for index, call in enumerate(calls) if call.span_id in kept}
        held.update(scope.limit.members if scope.limit is not None else ())
        relaxed = {index: origin_ns for index in range(len(calls)) if index not in held} if held else None
        edges, after = scope.all_edges, scope.graph.after_any
        finish = finish_times(
            calls,
            edges,
            after,
            durations_ns=durations_ns,
            gaps_ns=gaps_ns(calls),
            keeps_pauses=True,
            relaxed=relaxed,
            places=0 if held else scope.places,
        )
    placed: _Placed = []
    for index, call in paced(enumerate(calls)):
        start_ns = finish[index] - durations_ns[index]
        placed.append((call, start_ns, finish[index]))
        if index in inside:
            shift_ns = start_ns + _first_start_ns(scope.inner[index]) - call.start_ns
            placed += [(inner, shift_ns + a, shift_ns + b) for inner, a, b in inside[index][1]]
    return max(end_ns for call, end_ns in zip(calls, finish, strict=True) if call.duration_ns), placed


def _first_start_ns(scope: Scope) -> int:
    """Return the start of the first call of *scope* that has a duration; of the first call if none has."""
    first_ns = scope.calls[0].start_ns if scope.calls else 0
    return next((call.start_ns for call in scope.calls if call.end_ns > call.start_ns), first_ns)
