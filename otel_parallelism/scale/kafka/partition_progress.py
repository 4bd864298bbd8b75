"""
Keeps which traces of the messages of one partition are done, and writes that down for the commit of an offset.

The committed offset is that of the oldest message that is still needed. After a restart, the messages from there on are
read again. The text that is committed with the offset says which of their traces are done, so that none is analysed
twice. One bit for each message is enough, and for a message that has spans of several traces one for each of them. Most
bits are equal to their neighbours, and are compressed well.
"""

from __future__ import annotations

import base64
import zlib
from array import array
from typing import Final

import msgspec

_FORM: Final = "1:"
"""How the text begins; another form would begin with another number."""
_TRIM: Final = 4_096
_DONE: Final = ord("1")
_OPEN: Final = ord("0")


class Resumption(msgspec.Struct, frozen=True):
    """
    Where reading a partition goes on, and what is known of the messages from there on.

    Attributes:
        offset: The next message to read.
        done: A digit for each message from there on: 1 if all of its traces are done.
        parts: By offset, the digits of the single traces, for messages with traces that are done and others that are
            not.
        began_ms: When the first message was written that was ever read, if there are older ones that were not; else 0.
            None if that message is still to be read.
    """

    offset: int
    done: str = ""
    parts: dict[int, str] = {}
    began_ms: int | None = 0

    @property
    def end(self) -> int:
        """The offset after the last message about which something is known."""
        return self.offset + len(self.done)


class _Text(msgspec.Struct, array_like=True):
    """What the text consists of. Bits are in whole bytes, with zeros in front."""

    began_ms: int
    number: int
    done: bytes
    parts: list[tuple[int, int, bytes]]


def resumption(offset: int, text: str) -> Resumption:
    """
    Return where reading goes on after a commit of *offset* with *text*.

    Raises:
        ValueError: Another program wrote the text.
    """
    if not text.startswith(_FORM):
        raise ValueError(f"expected a text that begins with {_FORM}")
    try:
        packed = zlib.decompress(base64.b64decode(text[len(_FORM) :], validate=True))
        known = msgspec.msgpack.decode(packed, type=_Text)
    except (ValueError, zlib.error) as error:
        raise ValueError("the text is damaged") from error
    parts = {offset + after: _digits(bits, number) for after, number, bits in known.parts}
    return Resumption(offset, _digits(known.done, known.number), parts, known.began_ms)


class PartitionProgress:
    """
    The state of the messages of one partition, from the oldest one that is still needed.

    Each message has a number of traces, which are counted from 0. A trace of a message is open, then done, then
    forgotten. A message is needed until all of its traces are forgotten.
    """

    def __init__(self, start: Resumption) -> None:
        self.next_offset = start.offset
        self.began_ms = start.began_ms
        self._known = start
        self._first = start.offset
        self._oldest = start.offset
        self._traces = array("i")
        self._open = array("i")
        self._kept = array("i")
        self._done = bytearray()
        self._parts: dict[int, bytearray] = {}

    @property
    def is_repeating(self) -> bool:
        """Whether messages are being read that were read before the restart."""
        return self.next_offset < self._known.end

    def end_repetition(self) -> None:
        """Forget what is known of messages that no longer exist."""
        self._known = Resumption(self.next_offset)

    def add(self, offset: int, traces: int) -> list[bool]:
        """
        Add the next message, which has spans of so many *traces*.

        Returns:
            Whether each of the traces is already done.
        """
        for _ in range(self.next_offset, offset):
            self._append(0, 0)  # no message has this offset: compaction, or the mark of a transaction
        done = self._known_traces(offset, traces)
        still_open = traces - sum(done)
        self._append(traces, still_open)
        if 0 < still_open < traces:
            self._parts[offset] = bytearray(_DONE if one else _OPEN for one in done)
        self._advance()
        return done

    def finish(self, offset: int, trace: int) -> None:
        """Mark a trace of the message at *offset* as done."""
        at = offset - self._first
        self._open[at] -= 1
        if not self._open[at]:
            self._done[at] = _DONE
            self._parts.pop(offset, None)
            return
        digits = self._parts.get(offset)
        if digits is None:
            digits = self._parts[offset] = bytearray([_OPEN]) * self._traces[at]
        digits[trace] = _DONE

    def reopen(self, offset: int, trace: int) -> None:
        """Take back `finish`."""
        at = offset - self._first
        if not self._open[at]:
            self._done[at] = _OPEN
            self._parts[offset] = bytearray([_DONE]) * self._traces[at]
        self._open[at] += 1
        if self._open[at] == self._traces[at]:
            del self._parts[offset]
        else:
            self._parts[offset][trace] = _OPEN

    def forget(self, offset: int, trace: int) -> None:  # noqa: ARG002 - only the number of traces matters
        """Mark a trace that is done as no longer needed."""
        self._kept[offset - self._first] -= 1
        self._advance()

    def position(self) -> tuple[int, str]:
        """Return the offset to commit, and the text to commit with it."""
        digits = bytes(self._done[self._oldest - self._first :])
        text = _Text(
            self.began_ms or 0,
            len(digits),
            _bits(digits),
            [(offset - self._oldest, len(part), _bits(part)) for offset, part in sorted(self._parts.items())],
        )
        packed = zlib.compress(msgspec.msgpack.encode(text), 9)
        return self._oldest, _FORM + base64.b64encode(packed).decode()

    def _known_traces(self, offset: int, traces: int) -> list[bool]:
        at = offset - self._known.offset
        if 0 <= at < len(self._known.done):
            if self._known.done[at] == "1":
                return [True] * traces
            digits = self._known.parts.get(offset, "")
            if len(digits) == traces:
                return [digit == "1" for digit in digits]
        return [False] * traces

    def _append(self, traces: int, still_open: int) -> None:
        self._traces.append(traces)
        self._open.append(still_open)
        self._kept.append(traces)
        self._done.append(_OPEN if still_open else _DONE)
        self.next_offset += 1

    def _advance(self) -> None:
        """Go on to the oldest message that is needed, and free the memory of those before it from time to time."""
        while self._oldest < self.next_offset and not self._kept[self._oldest - self._first]:
            self._oldest += 1
        free = self._oldest - self._first
        if free >= _TRIM and free >= len(self._done) // 2:
            for column in (self._traces, self._open, self._kept, self._done):
                del column[:free]
            self._first = self._oldest


def _bits(digits: bytes | bytearray) -> bytes:
    return int(bytes(digits), 2).to_bytes((len(digits) + 7) // 8, "big") if digits else b""


def _digits(bits: bytes, number: int) -> str:
    return f"{int.from_bytes(bits, 'big'):0{number}b}" if number else ""
