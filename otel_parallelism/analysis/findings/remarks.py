"""Remarks on a turn: what of its calls does not count, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.shown_names import shown_name

from .advice import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, CallTotals, Turn

_S = 1e9


def turn_remarks(turn: Turn) -> list[str]:
    """Return sentences on the calls of *turn* that outlived it, and on its waiting for a person."""
    remarks = []
    outlived = [call for call in turn.calls if call.outlived_ns is not None]
    if outlived:
        remarks.append(_outlived(outlived))
    past = turn.past_bound
    if past is not None:
        remarks.append(_past_bound(past, len(turn.calls)))
    if turn.waiting:
        waited_s = sum(wait.duration_ns for wait in turn.waiting) / _S
        asked = [call.tool for call in turn.calls if call.waiting]
        place = f" in {listing(asked)}" if asked else ""
        remarks.append(f"{waited_s:,.2f} s of waiting for a person{place} do not count")
    return remarks


def _past_bound(past: CallTotals, kept: int) -> str:
    """Return the sentence on the calls of a turn past the bound; *kept* is the number of the others."""
    count = past.calls + past.inner
    still = f"; {past.still_open:,} of them went on after the turn's end, and count up to it" if past.still_open else ""
    return f"{count:,} of {count + kept:,} calls are past the bound on calls: they only count in the totals{still}"


def shared_lock(tools: Sequence[str], lock: str) -> str:
    """Return the sentence on calls of *tools* that overlapped and share *lock*, in words."""
    return f"{listing(tools)} ran at the same time but share {lock}: they may have waited for one another inside"


def unread_contents(count: int) -> str:
    """Return the sentence on *count* arguments, results and messages that were past the budget of a turn."""
    return f"{count:,} arguments and results were not fully examined: the turn holds more than is read of one turn"


def released_contents(count: int) -> str:
    """Return the sentence on *count* calls and model requests whose contents were let go before they were compared."""
    return f"what {count:,} calls and model requests held was let go: turns that were not analysed yet held too much"


def _outlived(calls: list[Call]) -> str:
    """Return the sentence on *calls*, which went on after their turn had ended."""
    if len(calls) > 1:
        return f"{listing([call.tool for call in calls])} went on after the turn's end, and count up to it"
    (call,) = calls
    longer_ns = call.outlived_ns or 0
    took_s = (call.end_ns - call.start_ns + longer_ns) / _S
    took = f" (it took {took_s:,.2f} s in all)" if longer_ns else ""
    return f"{shown_name(call.tool or 'a call')} went on after the turn's end, and counts up to it{took}"
