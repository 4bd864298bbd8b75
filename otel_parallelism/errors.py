"""Every exception that this package raises itself."""

from __future__ import annotations


class CancelledCallError(Exception):
    """
    A call was cancelled from within, though nobody had asked for that.

    ``asyncio.CancelledError`` itself would look as if the program around had been cancelled, and a TaskGroup would
    drop it silently.
    """


class GraphError(ValueError):
    """A task graph that cannot be run: a cycle, an unknown or a duplicate name, a parameter nobody gives."""


class SkippedTaskError(Exception):
    """A task was not run, because one that it needs failed; that one's error is the cause of this."""


class UnreadableError(ValueError):
    """
    A file cannot be read: the message names it, the line where there is one, and what was expected.

    Attributes:
        path: The file, as it was given.
        line: The line, from 1; None where the whole file is meant.
        problem: What is wrong, in one clause.
        expected: What should be there.
    """

    def __init__(self, path: str, line: int | None, problem: str, expected: str) -> None:
        """Say what is wrong, where, and what should be there."""
        self.path = path
        self.line = line
        self.problem = problem
        self.expected = expected
        place = path if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {problem}; expected {expected}")
