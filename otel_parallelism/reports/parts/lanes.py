"""Assigns intervals to lanes on which they do not overlap."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Spanned(Protocol):
    @property
    def start_ns(self) -> int:
        """Start in nanoseconds."""
        ...

    @property
    def end_ns(self) -> int:
        """End in nanoseconds."""
        ...


def assigned_lanes(spans: Iterable[_Spanned]) -> list[int]:
    """
    Return the lane of each of *spans*, from 0: the lowest lane that is free when the span starts.

    Spans on one lane do not overlap. If no span is empty, there are as many lanes as spans were open at once.

    Args:
        spans: In order of start. A span that ends before it starts counts as empty.

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
        # If no lane is free, all are busy, and a new one is added.
        lane = heappop(free) if free else len(busy)
        heappush(busy, (max(span.start_ns, span.end_ns), lane))
        found.append(lane)
    return found
