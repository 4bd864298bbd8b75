"""Bursts of calls that a service answered with its rate limit, because too many began at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.findings.advice import counted_calls, listing

from .excess import Excess, calls_by_tool, failures_of, widths_at_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope
    from otel_parallelism.model import Call

_LEAST_CALLS = 6
_MOST_CALLS = 512
_LEAST_LIMITED = 2
_LEAST_WIDTH = 3
_WINDOW_NS = 60_000_000_000


def rate_limited_bursts(scope: Scope) -> Iterator[Excess]:
    """
    Yield the calls of each tool that a rate limit answered because of how many began at once.

    At least two calls were answered so, and each of them began while two or more others of the tool ran. Calls that
    began beside fewer had success: two earlier ones of the same burst, and one after the last answer. Most of the calls
    that began at such a width were answered so. The minute before the burst had fewer calls than the burst, because
    more of them could have used up an allowance per minute.

    Args:
        scope: The calls.
    """
    if scope.totals.peak < _LEAST_WIDTH:
        return
    for calls in calls_by_tool(scope.calls, _LEAST_CALLS):
        widths = widths_at_start(calls)
        if len(calls) > _MOST_CALLS or not _narrower_later(widths):
            continue
        failures = failures_of(scope, calls)
        limited = [at for at, failure in enumerate(failures) if failure == "rate_limited"]
        if len(limited) < _LEAST_LIMITED:
            continue
        width = min(widths[at] for at in limited)
        if width >= _LEAST_WIDTH and _depends_on_width(calls, widths, failures, limited, width):
            yield _burst(scope, calls, widths, limited, width)


def _narrower_later(widths: Sequence[int]) -> bool:
    """Return whether a call began at a smaller width than a wide one before it."""
    widest = 0
    for width in widths:
        if _LEAST_WIDTH <= widest > width:
            return True
        widest = max(widest, width)
    return False


def _depends_on_width(
    calls: Sequence[Call], widths: Sequence[int], failures: Sequence[str], limited: Sequence[int], width: int
) -> bool:
    """Return whether only calls that began at *width* or wider were *limited*, and most of these were."""
    first = limited[0]
    began = first
    while began > 0 and widths[began] > 1:
        began -= 1
    narrow = [at for at, one in enumerate(widths) if one < width and not failures[at]]
    wide = sum(1 for one in widths if one >= width)
    last_ns = max(calls[at].end_ns for at in limited)
    before = sum(1 for call in calls[:began] if call.start_ns >= calls[began].start_ns - _WINDOW_NS)
    return (
        sum(1 for at in narrow if began <= at < first) >= _LEAST_LIMITED
        and any(calls[at].start_ns >= last_ns for at in narrow)
        and 2 * len(limited) > wide
        and before < limited[-1] - began + 1
    )


def _burst(scope: Scope, calls: Sequence[Call], widths: Sequence[int], limited: Sequence[int], width: int) -> Excess:
    tool = listing([calls[0].tool])
    wide = sum(1 for one in widths if one >= width)
    return Excess(
        calls=tuple(calls[at] for at in limited),
        evidence=f"a rate limit refused {len(limited)} of the {wide} calls of {calls[0].tool} that began while "
        f"{width - 1} or more others ran, and none of the rest",
        advice=f"Run no more than {counted_calls(width - 1)} of {tool} at once: otel_parallelism.parallel_map or "
        f"run_tools with limit={width - 1}, or with rate= if the service counts calls per second.",
        scope_id=scope.scope_id,
        lost_ns=sum(calls[at].duration_ns for at in limited),
        limit=width - 1,
    )
