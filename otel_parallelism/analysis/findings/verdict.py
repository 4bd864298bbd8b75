"""The verdict on a turn: one word for how parallel its calls were and could have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Finding, Verdict

_SEQUENTIAL_EFFICIENCY = 0.5
_SEQUENTIAL_CONCURRENCY = 2.0
_PARTLY_EFFICIENCY = 0.9
_PARALLEL_CONCURRENCY = 1.1


def turn_verdict(
    calls: int,
    concurrency: float | None,
    efficiency: float | None,
    floor: float | None,
    findings: Sequence[Finding],
) -> Verdict:
    """
    Return the verdict on a turn, by the first condition that holds.

    Args:
        calls: The number of its own calls.
        concurrency: κ; None if no call has a duration.
        efficiency: η; None if the turn is contended.
        floor: η⁻, the efficiency if unknown edges are no dependencies.
        findings: The findings that are not silenced.
    """
    if concurrency is None or (calls < 2 and not findings):  # noqa: PLR2004 - one call is a single one
        return "single"
    if efficiency is None or floor is None:
        return "contended"
    if any(finding.advice == "recommended" for finding in findings):
        if efficiency < _SEQUENTIAL_EFFICIENCY and concurrency < _SEQUENTIAL_CONCURRENCY:
            return "sequential"
        if efficiency < _PARTLY_EFFICIENCY:
            return "partly_sequential"
    if concurrency > _PARALLEL_CONCURRENCY:
        return "parallel"
    return "serial_by_need" if floor >= _PARTLY_EFFICIENCY else "possibly_sequential"
