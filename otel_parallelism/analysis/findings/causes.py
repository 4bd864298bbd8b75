"""Why the calls of a chain ran one after another, inferred from their rounds, tasks and callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from otel_parallelism.model import Call, Cause

_INSTALLED = ("/site-packages/", "/dist-packages/", "\\site-packages\\", "\\dist-packages\\")


def chain_cause(calls: Sequence[Call], *, inner: bool, unrequested: Collection[str]) -> Cause:
    """
    Return the cause of a chain.

    Args:
        calls: The calls of the chain, in order of start.
        inner: Whether they run inside another call.
        unrequested: Span ids of calls that no recorded model request requested.
    """
    # The calls were started together already, so advice about when to start them would not help.
    if _blocks_the_loop(calls):
        return "blocking"
    if inner or all(call.span_id in unrequested for call in calls):
        return "code"
    rounds = {call.round for call in calls}
    if None in rounds:
        return "code" if _called_from_own_code(calls) else "unknown"
    if len(rounds) > 1:
        return "model"
    if all(call.proved for call in calls) or not _called_from_own_code(calls):
        return "dispatch"
    return "code"


def largest_cause(shares: Mapping[Cause, float], default: Cause) -> Cause:
    """Return the cause with the largest share, or *default* if there are no *shares*."""
    return max(shares, key=lambda cause: shares[cause]) if shares else default


def _called_from_own_code(calls: Sequence[Call]) -> bool:
    """Return whether the place of every call is known and in no installed package."""
    return all(
        call.caller is not None and not any(part in call.caller.file_path for part in _INSTALLED) for call in calls
    )


def _blocks_the_loop(calls: Sequence[Call]) -> bool:
    """
    Return whether the calls were started together, each in a task of its own, but blocked the event loop in turn.

    The wrapper of a coroutine function is called when the task is made, which is before the first call has ended. A
    plain function is called only when its task runs: there, different tasks are the only sign, and the calls must be of
    one round.
    """
    tasks = {call.task for call in calls}
    if 0 in tasks or len(tasks) < len(calls):
        return False
    first_end_ns = min(call.end_ns for call in calls)
    one_round = len({call.round for call in calls}) == 1
    return all(call.in_loop and ((call.blocking and one_round) or 0 < call.called_ns <= first_end_ns) for call in calls)
