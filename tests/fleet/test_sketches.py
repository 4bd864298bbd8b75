"""The percentiles of a few numbers."""

from __future__ import annotations

import pytest

from otel_parallelism.fleet.sketches import Sketch


@pytest.mark.parametrize(
    ("numbers", "low", "middle", "high"),
    [
        ([2.5], 2.5, 2.5, 2.5),
        ([1.0, 2.5], 1.0, 1.0, 2.5),
        ([float(number) for number in range(1, 31)], 3.0, 15.0, 27.0),
    ],
)
def test_percentile_is_the_least_number_with_that_share_at_or_below_it(
    numbers: list[float], low: float, middle: float, high: float
) -> None:
    sketch = Sketch()
    for number in numbers:
        sketch.add(number)
    spread = sketch.spread()
    assert spread is not None
    assert (spread.p10, spread.p50, spread.p90) == (low, middle, high)
