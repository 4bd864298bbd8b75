"""The distribution of a number over any number of turns, in bounded memory."""

from __future__ import annotations

import math
from typing import Final

from otel_parallelism.model.fleet_types import Spread

_DIGITS: Final = 3
_SCALE: Final = 1_000_000_000
_LEAST: Final = 1e-9
_ROUNDING: Final = 1e-6
"""More than the error of a share times a number of values: 0.1 × 30 is a little more than 3."""


class Sketch:
    """
    Counts values that are rounded to three significant digits.

    The bins are as wide as a share of the value, as those of DDSketch are (Masson et al., VLDB 2019). The result does
    not depend on the order of the values: numbers and sums are integers.

    >>> sketch = Sketch()
    >>> for value in (1.0, 2.0, 3.0):
    ...     sketch.add(value)
    >>> spread = sketch.spread()
    >>> spread.turns, spread.mean, spread.least, spread.most, spread.p50
    (3, 2.0, 1.0, 3.0, 2.0)
    """

    __slots__ = ("_bins", "_count", "_least", "_most", "_sum")

    def __init__(self) -> None:
        self._bins: dict[float, int] = {}
        self._count = 0
        self._sum = 0
        self._least = math.inf
        self._most = -math.inf

    def add(self, value: float) -> None:
        """Count *value*, which is not negative."""
        at = round(value, _DIGITS - 1 - math.floor(math.log10(value))) if value >= _LEAST else 0.0
        self._bins[at] = self._bins.get(at, 0) + 1
        self._count += 1
        self._sum += round(value * _SCALE)
        self._least = min(self._least, value)
        self._most = max(self._most, value)

    def spread(self) -> Spread | None:
        """Return the distribution; None without any value."""
        if not self._count:
            return None
        low, middle, high = (self._quantile(share) for share in (0.1, 0.5, 0.9))
        return Spread(self._count, self._sum / self._count / _SCALE, self._least, low, middle, high, self._most)

    def _quantile(self, share: float) -> float:
        """Return the least value that has at least *share* of all values at or below it."""
        rank = max(math.ceil(share * self._count - _ROUNDING), 1)
        passed = 0
        for at in sorted(self._bins):
            passed += self._bins[at]
            if passed >= rank:
                return min(max(at, self._least), self._most)
        return self._most
