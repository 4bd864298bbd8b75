"""Arithmetic on half-open time intervals: concurrency, union and totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from otel_parallelism.model import Interval
from otel_parallelism.pace import ordered, paced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Timed(Protocol):
    """Anything with a start and an end in nanoseconds: an `Interval`, a `Call`, a `Step`."""

    @property
    def start_ns(self) -> int:
        """The start, inclusive."""
        ...

    @property
    def end_ns(self) -> int:
        """The end, exclusive."""
        ...


class Totals(msgspec.Struct, frozen=True, gc=False):
    """
    The totals of a set of intervals, in nanoseconds.

    ``start_ns`` is the first start and ``end_ns`` the last end. ``work_ns`` is the sum of the durations, ``busy_ns``
    the length of their union, ``peak`` the highest concurrency. All are 0 if every interval is empty.
    """

    start_ns: int = 0
    end_ns: int = 0
    work_ns: int = 0
    busy_ns: int = 0
    longest_ns: int = 0
    peak: int = 0

    @property
    def makespan_ns(self) -> int:
        """The time from the first start to the last end."""
        return self.end_ns - self.start_ns


def concurrency(intervals: Iterable[Timed]) -> tuple[tuple[int, int], ...]:
    """
    Count how many *intervals* are open from each instant on.

    Intervals are half-open: a call that starts at the end of another does not overlap it.

    Args:
        intervals: In any order; empty ones contribute nothing.

    Returns:
        Steps ``(at_ns, level)`` in time order; the last level is 0.

    >>> concurrency([Interval(0, 4), Interval(2, 6)])
    ((0, 1), (2, 2), (4, 1), (6, 0))
    """
    change: dict[int, int] = {}
    for interval in paced(intervals):
        if interval.end_ns > interval.start_ns:
            change[interval.start_ns] = change.get(interval.start_ns, 0) + 1
            change[interval.end_ns] = change.get(interval.end_ns, 0) - 1
    steps: list[tuple[int, int]] = []
    level = 0
    for at_ns in paced(ordered(change)):
        if change[at_ns]:
            level += change[at_ns]
            steps.append((at_ns, level))
    return tuple(steps)


def _peak(intervals: Sequence[Timed]) -> int:
    """Return how many of *intervals*, which are in order of start, are open at most at one instant."""
    lasting = [interval for interval in paced(intervals) if interval.end_ns > interval.start_ns]
    ends_ns = ordered([interval.end_ns for interval in lasting])
    peak = ended = 0
    for started, interval in paced(enumerate(lasting, start=1)):
        while ends_ns[ended] <= interval.start_ns:
            ended += 1
        peak = max(peak, started - ended)
    return peak


def union(intervals: Iterable[Timed]) -> tuple[Interval, ...]:
    """
    Merge *intervals* into disjoint ones in time order; intervals that touch are joined.

    >>> union([Interval(5, 6), Interval(0, 2), Interval(1, 3)])
    (Interval(start_ns=0, end_ns=3), Interval(start_ns=5, end_ns=6))
    """
    merged: list[Interval] = []
    in_order = ordered((i.start_ns, i.end_ns) for i in paced(intervals) if i.end_ns > i.start_ns)
    for start_ns, end_ns in paced(in_order):
        if merged and start_ns <= merged[-1].end_ns:
            if end_ns > merged[-1].end_ns:
                merged[-1] = Interval(merged[-1].start_ns, end_ns)
        else:
            merged.append(Interval(start_ns, end_ns))
    return tuple(merged)


def totals_of(intervals: Sequence[Timed]) -> Totals:
    """
    Return the totals of *intervals*, which must be in order of start.

    Empty intervals contribute nothing. Takes O(n) time, or O(n log n) if some overlap.

    >>> totals_of([Interval(0, 4), Interval(2, 6)])
    Totals(start_ns=0, end_ns=6, work_ns=8, busy_ns=6, longest_ns=4, peak=2)
    """
    first_ns = next((interval.start_ns for interval in intervals if interval.end_ns > interval.start_ns), None)
    if first_ns is None:
        return Totals()
    work_ns = busy_ns = longest_ns = 0
    reached_ns = first_ns
    overlap = False
    for interval in paced(intervals):
        start_ns = interval.start_ns
        end_ns = interval.end_ns
        length_ns = end_ns - start_ns
        if length_ns <= 0:
            continue
        work_ns += length_ns
        if length_ns > longest_ns:  # noqa: PLR1730 - max() would take longer, for every call of every turn
            longest_ns = length_ns
        if start_ns >= reached_ns:
            busy_ns += length_ns
            reached_ns = end_ns
        else:
            overlap = True
            if end_ns > reached_ns:
                busy_ns += end_ns - reached_ns
                reached_ns = end_ns
    peak = _peak(intervals) if overlap else 1
    return Totals(first_ns, reached_ns, work_ns, busy_ns, longest_ns, peak)
