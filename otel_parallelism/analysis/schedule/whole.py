"""The totals and bounds of a turn's own calls, with those past the bound on calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import CallTotals, Interval
from otel_parallelism.pace import empty, paced

from .intervals import Totals, totals_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .intervals import Timed
    from .scopes import Scope


class Whole(msgspec.Struct, frozen=True):
    """
    All own calls of a turn, whether kept or past the bound.

    ``critical_ns`` is T∞ if unknown edges are dependencies, ``best_ns`` if they are not. Nothing is known of the calls
    past the bound, so they keep their time in the one, and run at once in the other.
    """

    calls: int
    totals: Totals
    critical_ns: int
    best_ns: int
    effective_work_ns: int


def whole_of(own: Scope, past: CallTotals | None, assumed_limit: int) -> Whole:
    """
    Return the totals and bounds of a turn.

    Args:
        own: The scope of its calls that are kept, with its bounds computed.
        past: The totals of the others.
        assumed_limit: How many calls can surely run at once.
    """
    effective_ns = own.totals.work_ns
    if own.contention.baseline_ns:
        effective_ns = own.contention.effective_work_ns(own.calls)
    if past is None or not past.calls:
        return Whole(len(own.calls), own.totals, own.critical_ns, own.best_ns, effective_ns)
    totals = _joined(own.totals, own.calls, past)
    critical_ns = totals.makespan_ns - (own.totals.makespan_ns - own.critical_ns)
    at_once_ns = -(-totals.work_ns // max(assumed_limit, totals.peak, 1))
    best_ns = min(critical_ns, max(own.best_ns, totals.longest_ns, at_once_ns))
    return Whole(len(own.calls) + past.calls, totals, critical_ns, best_ns, effective_ns + past.work_ns)


def _joined(kept: Totals, calls: Sequence[Timed], past: CallTotals) -> Totals:
    """
    Return the totals of *calls* and of those *past* the bound.

    Args:
        kept: The totals of *calls*.
        calls: The calls that are kept, in order of start.
        past: The totals of the others. Calls that are kept and started later than the first of them are taken not to
            have overlapped with them.
    """
    if not past.work_ns:
        return kept
    if not kept.work_ns:
        return Totals(past.since_ns, past.end_ns, past.work_ns, past.busy_ns, past.longest_ns, past.peak)
    earlier = [
        Interval(call.start_ns, min(call.end_ns, past.since_ns))
        for call in paced(calls)
        if call.start_ns < past.since_ns
    ]
    before = totals_of(earlier)
    empty(earlier)
    # One that started at the same instant was open then, and counts in the totals of the others.
    later = totals_of([call for call in paced(calls) if call.start_ns > past.since_ns])
    end_ns = max(kept.end_ns, past.end_ns)
    return Totals(
        start_ns=min(kept.start_ns, past.since_ns),
        end_ns=end_ns,
        work_ns=kept.work_ns + past.work_ns,
        busy_ns=before.busy_ns + min(past.busy_ns + later.busy_ns, end_ns - past.since_ns),
        longest_ns=max(kept.longest_ns, past.longest_ns),
        peak=max(kept.peak, past.peak),
    )
