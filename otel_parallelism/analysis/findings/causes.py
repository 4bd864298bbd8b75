"""Why the calls of a chain ran one after another: who held the event loop, and their rounds, tasks and callers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.kept_order import limit_of
from otel_parallelism.analysis.schedule.loop_waits import FILLED, share_blocked
from otel_parallelism.pace import paced, pause

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
    pause()
    # Advice about when to start the calls would not help.
    if _limited_to_one(calls) or _blocked_in_turn(calls):
        return "limit" if _limited_to_one(calls) else "blocking"
    # Whatever the model asked for first, code decides when to make the calls that it makes on its own.
    if inner or all(call.span_id in unrequested for call in paced(calls[1:])):
        return "code"
    rounds = {call.round for call in paced(calls)}
    # Of calls of the model and calls of the code, no one cause is true.
    mixed = any(call.span_id in unrequested for call in paced(calls))
    if mixed or None in rounds:
        return "code" if not mixed and called_from_own_code(calls) else "unknown"
    if len(rounds) > 1:
        return "model"
    if all(call.proved for call in paced(calls)) or not called_from_own_code(calls):
        return "dispatch"
    return "code"


def largest_cause(shares: Mapping[Cause, float], default: Cause) -> Cause:
    """Return the cause with the largest share, or *default* if there are no *shares*."""
    return max(shares, key=lambda cause: shares[cause]) if shares else default


def called_from_own_code(calls: Sequence[Call]) -> bool:
    """Return whether the place of every call is known and in no installed package."""
    return all(
        call.caller is not None and not any(part in call.caller.file_path for part in _INSTALLED)
        for call in paced(calls)
    )


def _blocked_in_turn(calls: Sequence[Call]) -> bool:
    """
    Return whether *calls* of one round held the event loop one after another, and so could not run at once.

    If it is known that one task made each call after the previous one had ended, the code of that task is the reason,
    whatever the calls do.
    """
    if len({call.round for call in paced(calls)}) > 1 or _made_one_by_one(calls):
        return False
    # The last one may have waited for the loop without holding it.
    return holds_the_loop(calls) or (_made_in_tasks(calls) and holds_the_loop(calls[:-1]))


def _limited_to_one(calls: Sequence[Call]) -> bool:
    """Return whether a limit of the framework lets one call run at once, and *calls* are of one round."""
    return len({call.round for call in paced(calls)}) == 1 and all(limit_of(call.switch) == 1 for call in paced(calls))


def holds_the_loop(calls: Sequence[Call]) -> bool:
    """Return whether *calls* held the event loop for most of their time."""
    return share_blocked(calls, sum(call.duration_ns for call in paced(calls))) >= FILLED


def _made_in_tasks(calls: Sequence[Call]) -> bool:
    """Return whether it is known that each of *calls* was made before the previous one had ended, in its own task."""
    made = all(0 < later.called_ns < earlier.end_ns for earlier, later in paced(pairwise(calls)))
    return made and len({call.task for call in calls} - {0}) == len(calls)


def _made_one_by_one(calls: Sequence[Call]) -> bool:
    """Return whether it is known that each of *calls* was made, in one task, after the previous one had ended."""
    if len({call.task for call in paced(calls)}) > 1 or not calls[0].task:
        return False
    return all(later.called_ns >= earlier.end_ns for earlier, later in paced(pairwise(calls)))
