"""The gate of ``--fail-under-efficiency`` and ``--fail-if-no-turns``: what makes the exit status 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.shown_names import shown_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import Analysis, Report


class Gate(msgspec.Struct, frozen=True):
    """
    What an analysis must fulfil.

    Attributes:
        threshold: The lowest efficiency that a turn may have; None for any.
        strict: Whether the efficiency floor is compared, which counts everything unknown as avoidable.
        needs_turns: Whether there must be a turn.
    """

    threshold: float | None = None
    strict: bool = False
    needs_turns: bool = False

    def remark(self, analysis: Analysis) -> str:
        """Return a sentence if no turn of *analysis* can be compared with the threshold, else an empty string."""
        if self.threshold is None or any(self._value(report) is not None for report in analysis.reports):
            return ""
        return f"no turn has an efficiency to compare with {self.threshold:g}"

    def failures(self, analysis: Analysis) -> Iterator[tuple[int, str]]:
        """
        Yield one line for each reason why *analysis* fails, after the number of the turn from 1, or 0 for no turn.

        Turns without an efficiency pass.
        """
        if self.needs_turns and not analysis.reports:
            yield 0, "no turn was found"
        for number, report in enumerate(analysis.reports, 1):
            value = self._value(report)
            if self.threshold is not None and value is not None and value < self.threshold:
                name = shown_name(report.turn.agent or report.turn.name)
                what = "efficiency floor" if self.strict else "efficiency"
                digits = _digits(value, self.threshold)
                yield number, f"turn {number} ({name}): {what} {digits} is below {self.threshold:g}"

    def _value(self, report: Report) -> float | None:
        return report.efficiency_floor if self.strict else report.efficiency


def _digits(efficiency: float, threshold: float) -> str:
    """Return *efficiency* with enough digits to see that it is below *threshold*."""
    short = f"{efficiency:.3g}"
    return short if float(short) < threshold else repr(efficiency)
