"""The calls of a turn past the bound on calls: they are counted one after another, and only their totals are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, CallTotals

if TYPE_CHECKING:
    from collections.abc import Sequence


class RunningTotals(msgspec.Struct, eq=False):
    """
    The totals of the own calls of one scope past a bound, updated as each call starts and ends.

    The calls that are kept and were open when the first call past the bound started count in ``busy_ns`` and ``peak``
    only, up to their end. Times are in nanoseconds.

    Attributes:
        since_ns: When the first call past the bound started.
        calls: The calls past the bound, open ones included.
        inner: The calls past a bound that ran inside other calls; the first started at ``inner_since_ns``.
        work_ns: The durations of those of ``calls`` that have ended.
        longest_ns: The longest of them.
        end_ns: The last end of one of them.
        busy_ns: How long any call was open since ``since_ns``, up to the last instant at which all had ended.
        peak: The most calls open at one instant since then.
        level: The calls that are open, kept ones included.
        open: Those of them that are not kept.
        starts_ns: The sum of the start times of those.
        reached_ns: The instant up to which ``busy_ns`` counts; while calls are open, when the first of them started.
    """

    since_ns: int = 0
    calls: int = 0
    inner: int = 0
    inner_since_ns: int = 0
    work_ns: int = 0
    longest_ns: int = 0
    end_ns: int = 0
    busy_ns: int = 0
    peak: int = 0
    level: int = 0
    open: int = 0
    starts_ns: int = 0
    reached_ns: int = 0

    def start(self, at_ns: int, *, kept: bool) -> None:
        """Count a call that started at *at_ns*."""
        if not kept:
            self.calls += 1
            self.open += 1
            self.starts_ns += at_ns
        if not self.level:
            self.reached_ns = max(self.reached_ns, at_ns, self.since_ns)
        self.level += 1
        self.peak = max(self.peak, self.level)

    def move_start(self, from_ns: int, to_ns: int) -> None:
        """Let a call that is open and not kept have started at *to_ns* instead of *from_ns*."""
        self.starts_ns += to_ns - from_ns
        if self.level == 1:
            self.reached_ns = max(self.reached_ns, to_ns)

    def end(self, start_ns: int, end_ns: int, *, kept: bool) -> None:
        """Count the end of a call that started at *start_ns*."""
        if not kept:
            length_ns = max(0, end_ns - start_ns)
            self.open -= 1
            self.starts_ns -= start_ns
            self.work_ns += length_ns
            self.longest_ns = max(self.longest_ns, length_ns)
            self.end_ns = max(self.end_ns, end_ns)
        self.level -= 1
        if not self.level and end_ns > self.reached_ns:
            self.busy_ns += end_ns - self.reached_ns
            self.reached_ns = end_ns

    def at(self, now_ns: int) -> CallTotals:
        """Return the totals at *now_ns*; calls that are open count up to then."""
        # The start of each open call is not kept: the longest took at least their mean.
        open_ns = max(0, self.open * now_ns - self.starts_ns)
        return CallTotals(
            calls=self.calls,
            inner=self.inner,
            inner_since_ns=self.inner_since_ns,
            still_open=self.open,
            since_ns=self.since_ns,
            end_ns=max(self.end_ns, now_ns) if self.open else self.end_ns,
            work_ns=self.work_ns + open_ns,
            longest_ns=max(self.longest_ns, open_ns // self.open if self.open else 0),
            busy_ns=self.busy_ns + (max(0, now_ns - self.reached_ns) if self.level else 0),
            peak=self.peak,
        )


def totals_past_bound(calls: Sequence[Call], most: int) -> CallTotals | None:
    """
    Return the totals of *calls* without the first *most*; None where there are no more.

    Args:
        calls: All calls inside a turn, in order of start. Its own have no scope.
        most: How many are kept.
    """
    past = [call for call in calls[most:] if not call.scope]
    inside = [call for call in calls[most:] if call.scope]
    inner, inner_since_ns = len(inside), inside[0].start_ns if inside else 0
    if not past:
        return CallTotals(inner=inner, inner_since_ns=inner_since_ns) if inside else None
    # An empty call moves no total.
    since_ns = next((call.start_ns for call in past if call.end_ns > call.start_ns), past[0].start_ns)
    totals = RunningTotals(since_ns, reached_ns=since_ns)
    kept = [call for call in calls[:most] if not call.scope and call.end_ns > since_ns]
    # Where one call ends as another starts, the two do not overlap.
    events = [(max(call.start_ns, since_ns), True, call) for call in (*kept, *past) if call.end_ns > call.start_ns]
    events += [(call.end_ns, False, call) for _, _, call in events]
    held = {call.span_id for call in kept}
    for at_ns, starts, call in sorted(events, key=lambda event: event[:2]):
        if starts:
            totals.start(at_ns, kept=call.span_id in held)
        else:
            totals.end(call.start_ns, at_ns, kept=call.span_id in held)
    still_open = sum(call.outlived_ns is not None for call in past)
    return msgspec.structs.replace(
        totals.at(0), calls=len(past), inner=inner, inner_since_ns=inner_since_ns, still_open=still_open
    )


def joined_totals(some: CallTotals | None, others: CallTotals) -> CallTotals:
    """
    Return the totals of two sets of calls past a bound.

    Where both have calls of the turn, ``busy_ns`` and ``peak`` are the most that is possible: the two sets may have run
    at the same time.
    """
    if some is None:
        return others
    inner_since_ns = min(filter(None, (some.inner_since_ns, others.inner_since_ns)), default=0)
    if not some.calls or not others.calls:
        own = some if some.calls else others
        return msgspec.structs.replace(own, inner=some.inner + others.inner, inner_since_ns=inner_since_ns)
    since_ns, end_ns = min(some.since_ns, others.since_ns), max(some.end_ns, others.end_ns)
    return CallTotals(
        calls=some.calls + others.calls,
        inner=some.inner + others.inner,
        inner_since_ns=inner_since_ns,
        still_open=some.still_open + others.still_open,
        since_ns=since_ns,
        end_ns=end_ns,
        work_ns=some.work_ns + others.work_ns,
        longest_ns=max(some.longest_ns, others.longest_ns),
        busy_ns=min(some.busy_ns + others.busy_ns, end_ns - since_ns),
        peak=some.peak + others.peak,
    )
