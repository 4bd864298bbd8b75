"""The gate of ``--fail-under-efficiency``: which turns are below a threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.reports.parts.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import Analysis


def has_efficiency(analysis: Analysis) -> bool:
    """Return whether any turn has an efficiency, so that a gate can compare it."""
    return any(report.efficiency is not None for report in analysis.reports)


def turns_below(analysis: Analysis, threshold: float) -> Iterator[str]:
    """Yield one line for each turn whose efficiency is below *threshold*. Turns without an efficiency pass."""
    for number, report in enumerate(analysis.reports, 1):
        if report.efficiency is not None and report.efficiency < threshold:
            name = printable(report.turn.agent or report.turn.name)
            yield f"turn {number} ({name}): efficiency {_digits(report.efficiency, threshold)} is below {threshold:g}"


def _digits(efficiency: float, threshold: float) -> str:
    """Return *efficiency* with enough digits to see that it is below *threshold*."""
    short = f"{efficiency:.3g}"
    return short if float(short) < threshold else repr(efficiency)
