"""The types of times: an interval, and the totals of calls that are not kept one by one."""

from __future__ import annotations

import msgspec


class Interval(msgspec.Struct, frozen=True, gc=False):
    """A half-open time interval ``[start_ns, end_ns)``; it is empty if it ends before it starts."""

    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """The length in nanoseconds, never negative."""
        return max(0, self.end_ns - self.start_ns)


class CallTotals(msgspec.Struct, frozen=True, gc=False):
    """
    The totals of the calls of a turn past the bound on calls; nothing else of them is kept. Times are in nanoseconds.

    ``calls`` are the turn's own calls. The first of them started at ``since_ns`` and the last ended at ``end_ns``;
    ``work_ns`` is the sum of their durations and ``longest_ns`` the longest. ``still_open`` of them went on after the
    turn's end, up to which they count. ``busy_ns`` is how long any call of the turn ran since ``since_ns``, and
    ``peak`` the most that then ran at once. ``inner`` are the calls inside other calls, which only count; the first of
    these started at ``inner_since_ns``.
    """

    calls: int = 0
    inner: int = 0
    inner_since_ns: int = 0
    still_open: int = 0
    since_ns: int = 0
    end_ns: int = 0
    work_ns: int = 0
    longest_ns: int = 0
    busy_ns: int = 0
    peak: int = 0
