"""The verdict on a turn: one word for how parallel its calls were and could have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from otel_parallelism.model import Verdict

# The lines lie where common cases do not: two equal calls one after another have an efficiency of about 0.5.
_SEQUENTIAL_EFFICIENCY = 0.6
_SEQUENTIAL_CONCURRENCY = 2.0
_PARTLY_EFFICIENCY = 0.9
_PARALLEL_CONCURRENCY = 1.1


class VerdictFacts(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the verdict on a turn depends on.

    Attributes:
        calls: The number of its own calls.
        concurrency: κ; None if no call has a duration.
        efficiency: η; None if the turn is contended or negligible.
        floor: η⁻, the efficiency if unknown edges are no dependencies.
        contended: Whether its calls overlap but wait for one another.
        negligible: Whether its calls are too short for a saving that matters, and none of them dominates.
        unseen: Whether the model asked for calls and none was seen to run.
        loses: Whether a finding with avoidable time is reported.
        accepted: Whether a silenced finding has avoidable time.
        plain_efficiency: η if what is silenced were reported.
    """

    calls: int
    concurrency: float | None = None
    efficiency: float | None = None
    floor: float | None = None
    contended: bool = False
    negligible: bool = False
    unseen: bool = False
    loses: bool = False
    accepted: bool = False
    plain_efficiency: float = 1.0


def turn_verdict(facts: VerdictFacts) -> Verdict:
    """Return the verdict on a turn with these *facts*, by the first condition that holds."""
    nothing_ran = facts.concurrency is None
    concurrency = facts.concurrency or 0.0
    efficiency = 1.0 if facts.efficiency is None else facts.efficiency
    known = facts.floor is not None and facts.floor >= _PARTLY_EFFICIENCY
    loses = facts.loses and efficiency < _PARTLY_EFFICIENCY
    conditions: tuple[tuple[bool, Verdict], ...] = (
        (facts.unseen, "unseen"),
        (nothing_ran or (facts.calls <= 1 and known), "single"),
        (facts.contended, "contended"),
        (facts.negligible, "negligible"),
        (loses and efficiency < _SEQUENTIAL_EFFICIENCY and concurrency < _SEQUENTIAL_CONCURRENCY, "sequential"),
        (loses, "partly_sequential"),
        (facts.accepted and facts.plain_efficiency < _PARTLY_EFFICIENCY, "accepted"),
        (known and concurrency > _PARALLEL_CONCURRENCY, "parallel"),
        (known, "serial_by_need"),
    )
    for holds, verdict in conditions:
        if holds:
            return verdict
    return "possibly_sequential"
