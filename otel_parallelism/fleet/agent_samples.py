"""The turns of one agent as a sample, and bootstrap intervals of the difference between two samples."""

from __future__ import annotations

import math
import zlib
from random import Random
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_parallelism.model.comparison_types import Measure

    from .turn_numbers import TurnNumbers

GROUPS: Final = 256
RESAMPLES: Final = 400
LEAST_TURNS: Final = 10
_SCALE: Final = 1_000_000_000
_MOST_NEEDED: Final = 10_000_000

# Columns of the sums of a group: a measure is the sum of one column by that of another.
_TURNS, _EFFICIENCY, _WITH_EFFICIENCY, _LOST, _DURATION, _TOKENS, _WITH_TOKENS, _ASKED, _RESPONSES = range(9)
_COLUMNS: Final[Mapping[Measure, tuple[int, int, int]]] = {
    "efficiency": (_EFFICIENCY, _WITH_EFFICIENCY, _SCALE),
    "lost": (_LOST, _TURNS, _SCALE),
    "duration": (_DURATION, _TURNS, _SCALE),
    "tokens": (_TOKENS, _WITH_TOKENS, 1),
    "calls_per_response": (_ASKED, _RESPONSES, 1),
}
MEASURES: Final[tuple[Measure, ...]] = tuple(_COLUMNS)


class Estimate(msgspec.Struct, frozen=True):
    """A mean, its standard error by the bootstrap, and over how many turns and groups."""

    mean: float
    error: float
    turns: int
    groups: int


class DifferenceInterval(msgspec.Struct, frozen=True):
    """The interval of a difference, and how many turns of each side would make a difference of this size sure."""

    low: float
    high: float
    needed: int | None


class AgentSamples:
    """
    Sums over the turns of one agent, in ``GROUPS`` groups by a hash of the turn's ids.

    A group is a random part of the turns, in any order of input. Up to a few dozen turns, nearly each has its own.
    """

    __slots__ = ("_groups", "turns")

    def __init__(self) -> None:
        self.turns: int = 0
        self._groups: dict[int, list[int]] = {}

    def add(self, numbers: TurnNumbers) -> None:
        """Add one turn."""
        at = zlib.crc32(f"{numbers.trace_id} {numbers.span_id}".encode("utf-8", "replace")) % GROUPS
        sums = self._groups.setdefault(at, [0] * 9)
        self.turns += 1
        sums[_TURNS] += 1
        if numbers.efficiency is not None:
            sums[_EFFICIENCY] += round(numbers.efficiency * _SCALE)
            sums[_WITH_EFFICIENCY] += 1
        sums[_LOST] += numbers.whole.lost_ns
        sums[_DURATION] += numbers.duration_ns
        if numbers.input_tokens is not None:
            sums[_TOKENS] += numbers.input_tokens
            sums[_WITH_TOKENS] += 1
        sums[_ASKED] += numbers.asked
        sums[_RESPONSES] += numbers.responses

    def mean(self, measure: Measure) -> float | None:
        """Return the mean of *measure*; None without any turn that has it."""
        return _mean([sum(column) for column in zip(*self._groups.values(), strict=True)], measure)

    def estimates(self, seed: str, resamples: int = RESAMPLES) -> dict[Measure, Estimate]:
        """
        Return the mean of each measure that some turn has, with its standard error.

        Args:
            seed: Of the random numbers; the same sample with the same seed has the same estimates.
            resamples: How often groups are drawn, with replacement.
        """
        groups = [self._groups[at] for at in sorted(self._groups)]
        if not groups:
            return {}
        random = Random(seed)  # noqa: S311 - statistics, no secret
        drawn: dict[Measure, list[float]] = {measure: [] for measure in MEASURES}
        for _ in range(resamples):
            sums = [sum(column) for column in zip(*random.choices(groups, k=len(groups)), strict=True)]
            for measure, means in drawn.items():
                mean = _mean(sums, measure)
                if mean is not None:
                    means.append(mean)
        found = {}
        for measure, means in drawn.items():
            mean, (_, under, _) = self.mean(measure), _COLUMNS[measure]
            having = [group[under] for group in groups if group[under]]
            if mean is None or len(having) < 2:  # noqa: PLR2004 - a variance needs two
                continue
            center = sum(means) / len(means)
            variance = sum((one - center) ** 2 for one in means) / len(means) * len(having) / (len(having) - 1)
            turns = sum(1 for _ in having) if under == _RESPONSES else sum(having)
            found[measure] = Estimate(mean, math.sqrt(variance), turns, len(having))
        return found


def _mean(sums: Sequence[int], measure: Measure) -> float | None:
    over, under, scale = _COLUMNS[measure]
    return sums[over] / sums[under] / scale if sums and sums[under] else None


def interval_of(before: Estimate, after: Estimate, level: float) -> DifferenceInterval | None:
    """
    Return the interval that holds the difference of two means but for a probability of *level*.

    It is the estimate plus and minus Student's quantile times the bootstrap's standard error, with Welch's degrees of
    freedom.

    Returns:
        None if one side has fewer than ``LEAST_TURNS`` turns, or groups of them.
    """
    if min(before.turns, after.turns, before.groups, after.groups) < LEAST_TURNS - 2:
        return None
    if min(before.turns, after.turns) < LEAST_TURNS:
        return None
    parts = (before.error**2, before.groups), (after.error**2, after.groups)
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / (groups - 1) for part, groups in parts) if variance else 1e6
    quantile = student_quantile(1 - level / 2, freedom)
    difference, reach = after.mean - before.mean, quantile * math.sqrt(variance)
    needed = None
    if difference:
        of_one_turn = before.error**2 * before.turns + after.error**2 * after.turns
        needed = max(LEAST_TURNS, math.ceil((quantile / difference) ** 2 * of_one_turn))
    return DifferenceInterval(
        difference - reach, difference + reach, needed if needed is not None and needed <= _MOST_NEEDED else None
    )


def student_quantile(probability: float, freedom: float) -> float:
    """
    Return the quantile of Student's distribution, by the expansion of Cornish and Fisher.

    >>> round(student_quantile(0.975, 9), 2), round(student_quantile(0.975, 1e6), 2)
    (2.26, 1.96)
    """
    z = NormalDist().inv_cdf(probability)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
