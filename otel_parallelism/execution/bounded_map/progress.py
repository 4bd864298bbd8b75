"""Reports the progress of a batch to a callback or as a bar in a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TypeAlias

Callback: TypeAlias = Callable[[int, int | None], object]
"""Called with the number of items done and the total, or None if the total is unknown."""


class Progress:
    """
    Counts items and shows the count.

    A bar is drawn only if standard error is a terminal; otherwise ``rich`` is not imported.
    """

    def __init__(self, show: bool | Callback, total: int | None, description: str) -> None:  # noqa: FBT001 - the public option
        self._done = 0
        self._total = total
        self._callback = show if callable(show) else None
        self._description = description
        self._wants_bar = show is True
        self._bar: _Bar | None = None

    def start(self) -> None:
        """Draw the bar, if it was requested and standard error is a terminal."""
        if self._wants_bar and sys.stderr is not None and sys.stderr.isatty():
            self._bar = _Bar(self._total, self._description)

    def add(self, items: int) -> None:
        """Add *items* to the count; exceptions of the callback are raised."""
        self._done += items
        if self._callback is not None:
            self._callback(self._done, self._total)
        if self._bar is not None:
            self._bar.show(self._done)

    def close(self) -> None:
        """Stop drawing; the last state of the bar stays in the terminal."""
        if self._bar is not None:
            self._bar.close()


class _Bar:
    def __init__(self, total: int | None, description: str) -> None:
        from rich.console import Console  # noqa: PLC0415 - only when a bar is drawn
        from rich.errors import LiveError  # noqa: PLC0415 - as above
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - as above

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(description, total=total)
        # Older versions of rich draw one bar at a time; a concurrent batch then has none.
        with contextlib.suppress(LiveError):
            self._bar.start()

    def show(self, done: int) -> None:
        self._bar.update(self._task, completed=done)

    def close(self) -> None:
        self._bar.stop()
