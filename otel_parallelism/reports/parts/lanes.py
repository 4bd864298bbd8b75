"""Intervals laid side by side: each on the first lane that is free when it starts."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Spanned(Protocol):
    @property
    def start_ns(self) -> int:
        """When it began."""
        ...

    @property
    def end_ns(self) -> int:
        """When it ended."""
        ...


def assigned_lanes(spans: Iterable[_Spanned]) -> list[int]:
    """
    The lane of each of *spans*, from 0; what shares a lane does not overlap.

    There are no more lanes than were open at one instant, where none is empty.

    Args:
        spans: In order of start. One that ends before it starts counts as empty.

    >>> from otel_parallelism.model import Interval
    >>> assigned_lanes([Interval(0, 4), Interval(1, 3), Interval(3, 5), Interval(4, 6)])
    [0, 1, 1, 0]
    """
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    found = []
    for span in spans:
        while busy and busy[0][0] <= span.start_ns:
            heappush(free, heappop(busy)[1])
        # Where none is free, every lane is busy.
        lane = heappop(free) if free else len(busy)
        heappush(busy, (max(span.start_ns, span.end_ns), lane))
        found.append(lane)
    return found
