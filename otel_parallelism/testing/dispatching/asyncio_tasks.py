"""What the tasks of the running asyncio loop do: which have not begun, and which wait for which."""

from __future__ import annotations

import asyncio
import inspect
from asyncio import tasks
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_parallelism import execution
from otel_parallelism.model import Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

_MOST_TASKS = 300
_MOST_FRAMES = 100
_EXITS = ("__aexit__", "_aexit")
_OUR_WORKERS = str(Path(execution.__file__).parent)


def running_task() -> asyncio.Task[Any] | None:
    """Return the running task; None outside of asyncio."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def task_dispatch(task: asyncio.Task[Any], number: Callable[[Any], int], *, opener: int) -> Dispatch:
    """
    Return how something that begins now in *task*, the running one, was dispatched.

    Args:
        task: The running task.
        number: Returns the number of a task.
        opener: The unit that began the turn or the call around.
    """
    unit = number(task)
    others = [one for one in asyncio.all_tasks() if one is not task]
    if len(others) > _MOST_TASKS:
        return Dispatch(unit, alone=unit == opener)
    code = _code(task)
    alone = unit == opener or not (_may_have_others(code) or any(_code(one) is code for one in others))
    pending = {one for one in others if _is_pending(one)}
    waiting = _waiting_for(task, others)
    return Dispatch(
        unit,
        alone,
        frozenset(map(number, pending)),
        frozenset(number(one) for one in others if one not in pending and one not in waiting),
        frozenset(map(number, waiting)),
    )


def _code(task: asyncio.Task[Any]) -> Any:
    coroutine: Any = task.get_coro()
    return getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)


def _may_have_others(code: Any) -> bool:
    """Return whether other tasks may run *code* later: our workers hire others, and eager tasks begin one by one."""
    ours = code is not None and code.co_filename.startswith(_OUR_WORKERS)
    return ours or asyncio.get_running_loop().get_task_factory() is not None


def _is_pending(task: asyncio.Task[Any]) -> bool:
    coroutine = task.get_coro()
    return inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def _waiting_for(task: asyncio.Task[Any], others: list[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Return those of *others* that wait until *task* ends, or for one that does."""
    awaited = {one: set(_awaited(one)) for one in others}
    found: set[asyncio.Task[Any]] = {task}
    while True:
        more = {one for one in others if one not in found and awaited[one] & found}
        if not more:
            return found - {task}
        found |= more


def _awaited(task: asyncio.Task[Any]) -> Iterator[asyncio.Task[Any]]:
    """Yield the tasks whose ends *task*, which is suspended, waits for: all of them, not the first."""
    yield from _members(getattr(task, "_fut_waiter", None))
    coroutine: Any = task.get_coro()
    for _ in range(_MOST_FRAMES):
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            return
        known = frame.f_locals
        if frame.f_code.co_name in _EXITS:
            yield from _tasks_in(getattr(known.get("self"), "_tasks", None))  # of asyncio's task groups and anyio's
        elif _waits_for_all(frame, known):
            yield from _tasks_in(known.get("fs"))
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


def _waits_for_all(frame: FrameType, known: Mapping[str, Any]) -> bool:
    """Return whether *frame*, with the variables *known*, is that of ``asyncio.wait`` for all of several tasks."""
    code = frame.f_code
    of_wait = code.co_name == "_wait" and code.co_filename == tasks.__file__
    return of_wait and known.get("return_when") == asyncio.ALL_COMPLETED


def _members(future: Any) -> Iterator[asyncio.Task[Any]]:
    """Yield *future* if it is a task, or the tasks that it gathers."""
    if isinstance(future, asyncio.Task):
        yield future
    for child in getattr(future, "_children", None) or ():
        yield from _members(child)


def _tasks_in(group: Any) -> Iterator[asyncio.Task[Any]]:
    if isinstance(group, (set, frozenset, list, tuple)):
        yield from (one for one in group if isinstance(one, asyncio.Task))
