"""Every exception that users of this package may catch; all derive from `ParallelismError`."""

from __future__ import annotations


class ParallelismError(Exception):
    """The base class of this package's exceptions. Exceptions of your own functions pass through unchanged."""


class SettingError(ParallelismError, TypeError, ValueError):
    """A setting, an environment variable or a key of ``pyproject.toml`` has a wrong type or value."""


class CancelledCallError(ParallelismError):
    """
    A call raised ``asyncio.CancelledError`` although its task was not cancelled.

    The original error would look like a cancellation of the surrounding program, and a ``TaskGroup`` would drop it.
    """


class GraphError(ParallelismError, ValueError):
    """A task graph cannot run: a cycle, an unknown or duplicate name, or a parameter without a value."""


class SkippedTaskError(ParallelismError):
    """A task did not run because a task that it depends on failed; the failure is this error's cause."""


class UnreadableError(ParallelismError, ValueError):
    """
    A file cannot be read. The message names the file, the line if there is one, and what was expected.

    Attributes:
        path: The file, as it was given.
        line: The line, from 1; None for the whole file.
        problem: What is wrong, in one clause.
        expected: What should be there.
    """

    def __init__(self, path: str, line: int | None, problem: str, expected: str) -> None:
        """Build the message from its parts."""
        self.path = path
        self.line = line
        self.problem = problem
        self.expected = expected
        place = path if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {problem}; expected {expected}")
