"""The one error that every reader raises for input it cannot read."""

from __future__ import annotations


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
