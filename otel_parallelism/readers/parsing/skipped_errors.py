"""The errors of lines and rows, skipped if something else in the file can be read, and of files, skipped likewise."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from otel_parallelism.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KEPT: Final = 1_000
"""The errors that are kept whole until something is found."""


class SkippedErrors:
    """
    Keeps the errors of one file until a span is found, and passes them on then.

    Args:
        name: What messages call the file.
        expected: What messages say was expected.
        skip: Called with each error that is skipped; None if the first one is raised.
        some_found: Whether a span has been found already.
    """

    def __init__(
        self, name: str, expected: str, skip: Callable[[UnreadableError], None] | None, *, some_found: bool = False
    ) -> None:
        """Begin without errors."""
        self._name = name
        self._expected = expected
        self._skip = skip
        self._first: list[UnreadableError] = []
        self._lines = array("Q")  # of further errors: a file can have millions
        self.some_found: bool = some_found

    def found(self) -> None:
        """Note that a span was found, so that errors may be skipped."""
        self.some_found = True
        if self._first:
            self._tell()

    def add(self, error: UnreadableError) -> None:
        """
        Skip *error*, or keep it until something is found.

        Raises:
            UnreadableError: Errors are not skipped.
        """
        if self._skip is None:
            try:
                raise error from None
            finally:
                del error  # breaks the reference cycle through its traceback
        if self.some_found:
            self._skip(error)
        elif len(self._first) < MOST_KEPT:
            self._first.append(error)
        else:
            self._lines.append(error.line or 0)

    def close(self) -> None:
        """
        End the file.

        Raises:
            UnreadableError: Nothing was found in it: the first error.
        """
        if self._first:
            raise self._first[0]

    def _tell(self) -> None:
        if self._skip is not None:
            for error in self._first:
                self._skip(error)
            for line in self._lines:
                self._skip(UnreadableError(self._name, line, "it cannot be read", self._expected))
        self._first.clear()
        del self._lines[:]


class SkippedFiles:
    """
    The errors of the files of one input; each file is skipped if another one can be read.

    Args:
        skip: Called with the error of each file that is skipped; None if the first one is raised.
    """

    def __init__(self, skip: Callable[[UnreadableError], None] | None) -> None:
        """Begin without errors."""
        self._skip = skip
        self._latest: UnreadableError | None = None
        self._some_read = False

    def add(self, error: UnreadableError) -> None:
        """
        Skip a file.

        Raises:
            UnreadableError: Files are not skipped.
        """
        if self._skip is None:
            raise error
        if self._latest is not None:
            self._skip(self._latest)
        self._latest = error

    def read(self) -> None:
        """Note that a file was read to its end."""
        self._some_read = True

    def close(self) -> None:
        """
        End the input.

        Raises:
            UnreadableError: No file could be read: the error of the last one, which has not been passed to *skip*.
        """
        latest, self._latest = self._latest, None
        if latest is None:
            return
        if not self._some_read or self._skip is None:
            raise latest
        self._skip(latest)
