"""Reads the lines of a file that start between two bytes, so that several processes can read a file."""

from __future__ import annotations

from typing import IO, Final

from .parsing.opening import BYTE_ORDER_MARK

_READ_BYTES: Final = 1 << 20


class LinesBetween:
    """The lines of *file* that start at bytes from *start* up to *stop*; ``count`` is how many were read."""

    def __init__(self, file: IO[bytes], start: int, stop: int) -> None:
        """Go to the first of these lines."""
        self._file = file
        self._stop = stop
        self.count: int = 0
        self._at = start
        if start:
            file.seek(start - 1)
            self._at -= 1
            while True:  # the end of the line before
                skipped = file.readline(_READ_BYTES)
                self._at += len(skipped)
                if skipped.endswith(b"\n") or not skipped:
                    break
        elif file.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK:
            self._at = len(BYTE_ORDER_MARK)
        else:
            file.seek(0)

    def readline(self, most: int) -> bytes:
        """Return the next line, at most *most* bytes of it; empty at the end."""
        if self._at >= self._stop:
            return b""
        line = self._file.readline(most)
        self._at += len(line)
        self.count += 1
        return line
