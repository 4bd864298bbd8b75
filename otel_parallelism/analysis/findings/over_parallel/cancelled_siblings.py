"""One failure that cancelled the calls beside it, whose work was then done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.findings.advice import counted_calls, listing

from .excess import Excess, overlap
from .needed_values import given_alike

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope
    from otel_parallelism.model import Call

_AT_ONCE_NS = 50_000_000
_MOST_FAILURES = 32


def cancelled_siblings(scope: Scope) -> Iterator[Excess]:
    """
    Yield each failed call with the calls that ended, cancelled, within 50 ms of it and were made again later.

    Nothing is claimed where the failure is itself a cancellation or a timeout, or where another call beside them had
    success just before: then the program may have meant to stop the rest.

    Args:
        scope: The calls. Their arguments are compared, since only a call that was made again lost its work.
    """
    calls = scope.calls
    stopped = [call for call in calls if call.failure == "cancelled"]
    if not stopped:
        return
    failed = [call for call in calls if call.failure in {"failed", "missing", "rate_limited"}]
    for failure in failed[:_MOST_FAILURES]:
        lost = [
            (call, again)
            for call in stopped
            if 0 <= call.end_ns - failure.end_ns <= _AT_ONCE_NS
            and overlap(call, failure)
            and (again := _made_again(calls, call)) is not None
        ]
        if lost and not _something_else_ended(calls, failure, max(call.end_ns for call, _ in lost)):
            yield _excess(scope, failure, [call for call, _ in lost], [again for _, again in lost])


def _made_again(calls: Sequence[Call], call: Call) -> Call | None:
    """Return the first later call that repeats *call*, which was cancelled, with success; None if none does."""
    for later in calls:
        if later.tool == call.tool and later.start_ns >= call.end_ns and not later.error and given_alike(call, later):
            return later
    return None


def _something_else_ended(calls: Sequence[Call], failure: Call, until_ns: int) -> bool:
    """Return whether another call beside *failure* had success, timed out or failed at about the same time."""
    since_ns = failure.end_ns - _AT_ONCE_NS
    return any(
        call is not failure
        and call.failure != "cancelled"
        and since_ns <= call.end_ns <= until_ns
        and overlap(call, failure)
        for call in calls
    )


def _excess(scope: Scope, failure: Call, stopped: Sequence[Call], repeats: Sequence[Call]) -> Excess:
    tools = listing([call.tool for call in stopped])
    first_ns, last_ns = min(one.start_ns for one in repeats), max(one.end_ns for one in repeats)
    ids = {one.span_id for one in repeats}
    others_ns = [
        call.end_ns
        for call in scope.calls
        if call.span_id not in ids and call.start_ns < last_ns and call.end_ns > first_ns
    ]
    waited_ns = max(0, last_ns - max([first_ns, *others_ns]))
    longer_ns = max(
        max(0, call.start_ns + again.duration_ns - failure.end_ns) for call, again in zip(stopped, repeats, strict=True)
    )
    return Excess(
        calls=tuple(sorted((failure, *stopped), key=lambda one: (one.start_ns, one.end_ns, one.span_id))),
        evidence=f"{failure.tool} failed and cancelled {counted_calls(len(stopped))} beside it, which ran again later",
        advice=f"Let {tools} finish when {listing([failure.tool])} fails: asyncio.gather with return_exceptions=True, "
        'otel_parallelism.run_tools, or parallel_map with on_error="return".',
        scope_id=scope.scope_id,
        lost_ns=sum(call.duration_ns for call in stopped),
        avoidable_ns=max(0, waited_ns - longer_ns),
    )
