"""
Appends turns to a file of JSON lines, each turn once, also if the process was killed while it wrote.

A turn that was written just before the process was killed is analysed again after the restart, because its offsets were
not committed. It is found at the end of the file, and not written a second time.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec

from otel_parallelism.errors import ParallelismError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

END_BYTES: Final = 64 << 20
"""How much of the end of the file is read at the start: more than is written between two commits."""


class TurnFileError(ParallelismError, OSError):
    """The file of turns cannot be used; the message says why."""


class TurnLine(msgspec.Struct, frozen=True):
    """A turn as JSON, without a line break, and the ids that identify it."""

    trace_id: str
    span_id: str
    json: bytes


class _Ids(msgspec.Struct):
    trace_id: str
    span_id: str


class TurnFile:
    """
    The file of turns. Only one process can write to it at a time.

    Raises:
        TurnFileError: It cannot be opened, another process writes to it, or it has other lines than turns.
    """

    def __init__(self, path: str) -> None:
        """Open the file, or make it. A last line that was not written as a whole is removed."""
        self._path = path
        try:
            self._file = Path(path).open("a+b", buffering=0)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise TurnFileError(f"{path}: {error.strerror}") from error
        try:
            self._lock()
            self._size = self._without_partial_line()
            self._written = self._last_turns()
        except TurnFileError:
            self._file.close()
            raise
        except OSError as error:
            self._file.close()
            raise TurnFileError(f"{path}: {error.strerror}") from error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def write(self, turns: Iterable[TurnLine]) -> None:
        """
        Append *turns*, except those that the end of the file had at the start, and wait until the disk has them.

        Raises:
            TurnFileError: The disk is full or broken. What was written of *turns* is removed, where that is possible.
        """
        lines = []
        for turn in turns:
            ids = (turn.trace_id, turn.span_id)
            if self._written[ids]:
                self._written[ids] -= 1
            else:
                lines.append(turn.json + b"\n")
        data = memoryview(b"".join(lines))
        if not data:
            return
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file.fileno(), self._size)
            raise TurnFileError(f"{self._path}: {error.strerror}") from error
        self._size = os.fstat(self._file.fileno()).st_size

    def expect_again(self, turns: Iterable[TurnLine]) -> None:
        """Expect *turns* to be written again, because they could not be committed; they are then left out."""
        self._written.update((turn.trace_id, turn.span_id) for turn in turns)

    def _lock(self) -> None:
        try:
            import fcntl  # noqa: PLC0415 - Windows has none, and there the file is not locked
        except ImportError:
            return
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TurnFileError(f"{self._path}: another process writes to it") from None
        except OSError:  # a file system without locks, or a device
            return

    def _without_partial_line(self) -> int:
        """Remove what follows the last line break, and return the size of the file."""
        size = self._file.seek(0, os.SEEK_END)
        start = max(0, size - END_BYTES)
        self._file.seek(start)
        end = self._file.read(size - start)
        whole = start + end.rfind(b"\n") + 1
        if whole < size:
            if b'\n{"trace_id":' not in (end if start else b"\n" + end):
                raise TurnFileError(f"{self._path}: it is not a file of turns")
            os.ftruncate(self._file.fileno(), whole)
        return whole

    def _last_turns(self) -> Counter[tuple[str, str]]:
        """Return the ids of the turns at the end of the file."""
        start = max(0, self._size - END_BYTES)
        self._file.seek(start)
        lines = self._file.read(self._size - start).split(b"\n")
        found: Counter[tuple[str, str]] = Counter()
        for line in lines[1 if start else 0 :]:
            if line:
                try:
                    ids = _IDS.decode(line)
                except msgspec.DecodeError:
                    raise TurnFileError(f"{self._path}: it is not a file of turns") from None
                found[ids.trace_id, ids.span_id] += 1
        return found


_IDS: Final = msgspec.json.Decoder(_Ids)
