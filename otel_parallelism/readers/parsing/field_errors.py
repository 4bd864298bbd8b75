"""The error of a field with a wrong value, whose message may be shown: it never has the value, which can be private."""

from __future__ import annotations


class WrongFieldError(ValueError):
    """
    A field has a wrong value; the message says what is wrong, without the value.

    Attributes:
        expected: What was expected; empty if that is what the reader expects of any value.
    """

    def __init__(self, message: str, expected: str = "") -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.expected = expected
