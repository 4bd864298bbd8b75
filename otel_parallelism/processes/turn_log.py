"""
The file in which child processes put the reports of their turns for the process that ``run`` started.

It lies in a folder that only the user can enter. Each note is written as a whole by one call that appends, so processes
need no lock, and a process that is killed loses at most the note it was writing.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import tempfile
import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.model import Coverage, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES: Final = 128_000_000
"""The largest size of the file with reports. A report that would exceed it is not written."""
ROOM_FOR_NUMBERS: Final = 16_000_000
"""How much larger the file may become by notes without a report, which count what is not written."""

_HEAD: Final = struct.Struct(">4sII")
_MARK: Final = b"\x93opT"
_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Note(msgspec.Struct, frozen=True):
    """
    What a child process has to tell when a turn starts or ends, or at its end.

    Attributes:
        process: The name of the process, different for any two of them.
        still_open: The number of its turns that are open.
        omitted: The number of its turns that were not written, so far.
        coverage: The totals of the process so far.
        report: The report of the turn that has just ended, if one has.
    """

    process: str
    still_open: int
    omitted: int
    coverage: Coverage
    report: Report | None = None


class TurnLog:
    """
    The notes of all child processes.

    Args:
        folder: The folder for the file; by default one with an unpredictable name, which `create` makes.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder: str = folder or os.path.join(tempfile.gettempdir(), f"otel-parallelism-{secrets.token_hex(16)}")  # noqa: PTH118 - read at the start of processes, which pathlib would slow down
        self._path = os.path.join(self.folder, "turns")  # noqa: PTH118 - as above
        self._encoder = msgspec.msgpack.Encoder()

    def create(self) -> None:
        """Make the folder, which only the user can enter, unless it exists."""
        with contextlib.suppress(OSError):
            os.mkdir(self.folder, 0o700)  # noqa: PTH102 - as above

    def remove(self) -> None:
        """Delete the file and the folder; processes that are still running write nothing from now on."""
        for delete, path in ((os.unlink, self._path), (os.rmdir, self.folder)):
            with contextlib.suppress(OSError):
                delete(path)

    def append(self, note: Note) -> bool:
        """Write *note*; return whether that was possible. The folder is never made here: its maker may have ended."""
        try:
            body = self._encoder.encode(note)
            frame = _HEAD.pack(_MARK, len(body), zlib.crc32(body)) + body
            file = os.open(self._path, _APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
        except (OSError, ValueError, TypeError, OverflowError, struct.error):  # also of what the encoder cannot write
            return False
        try:
            most = MOST_BYTES if note.report is not None else MOST_BYTES + ROOM_FOR_NUMBERS
            return os.fstat(file).st_size + len(frame) <= most and os.write(file, frame) == len(frame)
        except OSError:
            return False
        finally:
            os.close(file)

    def notes(self) -> Iterator[Note]:
        """Yield the notes in the order in which they were written, without any that is incomplete."""
        for body, _ in self._bodies(0):
            with contextlib.suppress(msgspec.DecodeError):  # written by another version of this package
                yield _NOTES.decode(body)

    def open_turns(self, since: int, into: dict[str, int]) -> int:
        """
        Update the numbers of open turns, by process, from the notes after a position in the file.

        Args:
            since: The position; 0 for the start of the file.
            into: Gets the last known number of each process that has written since.

        Returns:
            The position after the last whole note.
        """
        for body, end in self._bodies(since):
            since = end
            with contextlib.suppress(msgspec.DecodeError):
                note = _COUNTS.decode(body)
                into[note.process] = note.still_open
        return since

    def _bodies(self, since: int) -> Iterator[tuple[bytes, int]]:
        """Yield each whole note from the position *since* on, and the position after it."""
        try:
            with open(self._path, "rb") as file:  # noqa: PTH123 - as above
                file.seek(since)
                data = file.read()
        except OSError:
            return
        at = data.find(_MARK)
        while 0 <= at <= len(data) - _HEAD.size:
            _, size, check = _HEAD.unpack_from(data, at)
            begin = at + _HEAD.size
            body = data[begin : begin + size]
            whole = len(body) == size and zlib.crc32(body) == check
            if whole:
                yield body, since + begin + size
            at = data.find(_MARK, begin + size if whole else at + 1)


class _OpenTurns(msgspec.Struct, frozen=True):
    """The part of a note that is read while the program runs."""

    process: str
    still_open: int


_NOTES: Final = msgspec.msgpack.Decoder(Note)
_COUNTS: Final = msgspec.msgpack.Decoder(_OpenTurns)
