"""
A call in a context of its own, without a task of its own.

Several calls run in one worker's task, one after another. What one sets in a context variable (a logger's bound
values, the current span) must not reach the next, so each is driven step by step within its own copy of the context.
That costs a third of what a task a call costs, and does the same.
"""

from __future__ import annotations

import asyncio
import types
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from contextvars import Context

R = TypeVar("R")


def steps(coroutine: Coroutine[Any, Any, R], context: Context) -> Generator[Any, Any, R]:
    """Run *coroutine* within *context*, for whoever is a coroutine itself: ``yield from`` it."""
    run = context.run
    send = coroutine.send
    try:
        waits_for = run(send, None)
        while True:
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - a cancellation, say: the coroutine's to handle
                waits_for = run(coroutine.throw, error)
            else:
                waits_for = run(send, None)
    except StopIteration as stop:
        result: R = stop.value
        return result


@types.coroutine
def isolated(coroutine: Coroutine[Any, Any, R], context: Context) -> Generator[Any, Any, R]:
    """Run *coroutine* within *context*; await it as you would *coroutine*."""
    return (yield from steps(coroutine, context))


def is_cancelled() -> bool:
    """Whether somebody wants the running task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
