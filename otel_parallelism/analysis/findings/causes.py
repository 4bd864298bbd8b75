"""Why the calls of a chain ran one after another: what their rounds, their wrappers and their callers tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from otel_parallelism.model import Call, Cause

_NOT_THE_USERS_OWN = ("/site-packages/", "/dist-packages/", "\\site-packages\\", "\\dist-packages\\")


def cause(calls: Sequence[Call], *, inner: bool, unasked: Collection[str]) -> Cause:
    """
    The cause of a chain.

    Args:
        calls: The chain's, in order of start.
        inner: Whether they run inside another call.
        unasked: Span ids of calls that no visible model request asked for.
    """
    # They were let go together already: no advice about when to call them would help.
    if _blocks_the_loop(calls):
        return "blocking"
    if inner or all(call.span_id in unasked for call in calls):
        return "code"
    rounds = {call.round for call in calls}
    if None in rounds:
        return "code" if _called_from_own_code(calls) else "unknown"
    if len(rounds) > 1:
        return "model"
    if all(call.proved for call in calls) or not _called_from_own_code(calls):
        return "dispatch"
    return "code"


def _called_from_own_code(calls: Sequence[Call]) -> bool:
    return all(
        call.caller is not None and not any(part in call.caller.file_path for part in _NOT_THE_USERS_OWN)
        for call in calls
    )


def _blocks_the_loop(calls: Sequence[Call]) -> bool:
    """
    Each in a task of its own, let go together, yet one by one in the event loop's thread.

    Wrappers of coroutines are called when they are let go: before the first had ended. A plain function is called
    only when its task gets to run, so there the tasks alone tell, unless the calls were asked for at different times.
    """
    tasks = {call.task for call in calls}
    if 0 in tasks or len(tasks) < len(calls):
        return False
    first_end_ns = min(call.end_ns for call in calls)
    together = len({call.round for call in calls}) == 1
    return all(call.in_loop and ((call.blocking and together) or 0 < call.called_ns <= first_end_ns) for call in calls)
