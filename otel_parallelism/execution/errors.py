"""The errors that execution raises itself; everything else it raises is the caller's own."""

from __future__ import annotations

import asyncio


class CancelledCallError(Exception):
    """
    A call was cancelled from within, though nobody had asked for that.

    ``asyncio.CancelledError`` itself would look as if the program around had been cancelled, and a TaskGroup would
    drop it silently.
    """


def is_cancelled() -> bool:
    """Whether somebody wants the running task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class GraphError(ValueError):
    """A task graph that cannot be run: a cycle, an unknown or a duplicate name, a parameter nobody gives."""


class SkippedTaskError(Exception):
    """A task was not run, because one that it needs failed; that one's error is the cause of this."""
