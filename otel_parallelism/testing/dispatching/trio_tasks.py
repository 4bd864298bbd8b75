"""What the tasks of the running trio loop do, if the program uses trio."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from otel_parallelism.model import Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def trio_task() -> Any:
    """Return the running task of trio; None if there is none."""
    trio: Any = sys.modules.get("trio")
    if trio is None:
        return None
    try:
        return trio.lowlevel.current_task()
    except RuntimeError:
        return None


def trio_dispatch(task: Any, number: Callable[[Any], int], *, opener: int) -> Dispatch:
    """Return how something that begins now in *task* was dispatched; see `task_dispatch`."""
    unit = number(task)
    trio: Any = sys.modules["trio"]
    others = [one for one in _below(trio.lowlevel.current_root_task()) if one is not task]
    code = getattr(task.coro, "cr_code", None)
    alone = unit == opener or all(getattr(one.coro, "cr_code", None) is not code for one in others)
    pending = {one for one in others if inspect.getcoroutinestate(one.coro) == inspect.CORO_CREATED}
    # A task waits for those in its nursery once it leaves the nursery's block; when that is cannot be seen.
    return Dispatch(
        unit,
        alone,
        frozenset(map(number, pending)),
        frozenset(number(one) for one in others if one not in pending),
    )


def _below(task: Any) -> Iterator[Any]:
    if task is None:
        return
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from _below(child)
