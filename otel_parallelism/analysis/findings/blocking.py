"""Words about calls that hold the event loop: which they are, for how long they hold it, and how to mend them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.schedule.loop_waits import blocked_ns, share_blocked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Cause

_S = 1e9
_MOST = 0.5
_COMPUTING = "Python code that computes rather than waits needs processes, not threads"


def blocking_calls(calls: Sequence[Call], cause: Cause) -> list[Call]:
    """
    Return those of *calls* that hold their caller's thread: plain functions, and calls that held the event loop.

    Args:
        calls: The calls of a finding.
        cause: Its cause. Unless it is ``blocking``, a call must have held the loop for half of its time.
    """
    return [
        call
        for call in calls
        if (cause == "code" and call.blocking)
        or (call.blocked_ns and (cause == "blocking" or share_blocked([call], call.duration_ns) >= _MOST))
    ]


def blocking_evidence(calls: Sequence[Call]) -> str:
    """Return a sentence on how long *calls* held the event loop; empty if they did not."""
    held_ns = [blocked_ns(call) for call in calls if call.blocked_ns]
    if not held_ns:
        return ""
    least, most = f"{min(held_ns) / _S:.3g}", f"{max(held_ns) / _S:.3g}"
    each = f"{most} s" if least == most else f"{least} to {most} s"
    return f"{len(held_ns)} of {len(calls)} calls held the event loop without giving it back, each for {each}"


def unblocking(calls: Sequence[Call]) -> str:
    """
    Return how to keep *calls* from holding the event loop.

    A plain function can run in a thread as it is. An async function has to move the code that blocks out of itself.
    """
    if all(call.blocking for call in calls):
        way = "run plain functions with asyncio.to_thread"
    elif any(call.blocking or not call.task for call in calls):
        way = "run plain functions with asyncio.to_thread, and await async clients in async ones"
    else:
        way = "in async functions, await async clients, or move the code that blocks into asyncio.to_thread"
    return f"{way} ({_COMPUTING})"


def in_threads(calls: Sequence[Call]) -> str:
    """Return how code runs *calls*, which hold the event loop, at once."""
    if all(call.blocking for call in calls):
        return "asyncio.gather over asyncio.to_thread"
    return "asyncio.gather, with the code in them that blocks moved into asyncio.to_thread"
