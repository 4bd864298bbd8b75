"""Where the reading of a broken text is: the numbers of its lines, and how much has been spent on what is broken."""

from __future__ import annotations

from typing import Final

LONGEST_SHOWN: Final = 10_000_000
"""The longest object, in bytes, that is tried as Node.js prints it."""
_MOST_UNFINISHED: Final = 20
"""How many times the length of a text may be read for values that do not end, in all."""
_DEEPEST: Final = 20_000  # about what a value that is nested too deeply costs, in bytes
_MOST_BROKEN: Final = 10_000
"""After so many broken values, one after another, the rest of a text is not read: it would take too long."""


class Effort:
    """What is spent on broken values of a text of *length* bytes, so that reading it takes no quadratic time."""

    def __init__(self, length: int) -> None:
        self._most = max(LONGEST_SHOWN, _MOST_UNFINISHED * length)
        self._read = 0
        self.broken: int = 0

    def is_spent(self, error: Exception, read: int) -> bool:
        """Add a value that raised *error* after *read* bytes; return whether to leave the rest of the text unread."""
        self._read += _DEEPEST if isinstance(error, RecursionError) else read
        self.broken += 1
        return self._read > self._most or self.broken > _MOST_BROKEN


class LineNumbers:
    """The numbers of lines in *text*, whose first line has the number *first*; positions are asked in order."""

    def __init__(self, first: int, text: bytes) -> None:
        self._number = first
        self._text = text
        self._known = 0

    def at(self, position: int, later: int | None = None) -> int:
        """Return the line of *position*; *later* is where the next question may begin, if not there."""
        settled = position if later is None else later
        self._number += self._text.count(b"\n", self._known, settled)
        self._known = settled
        return self._number + self._text.count(b"\n", settled, position)
