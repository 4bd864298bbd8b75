"""
Keeps which traces the messages of one partition have spans of, and writes down for a commit which of them are done.

The committed offset is that of the oldest message that is still needed. After a restart, the messages from there on are
read again. The text that is committed with the offset says which of their traces are done, so that none is analysed
twice: a bit for each trace, in the order in which the traces first occur from that offset on. Reading the messages
again gives the same order. Most bits are equal to their neighbours, and are compressed well.
"""

from __future__ import annotations

import base64
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FORM: Final = "1:"
"""How the text begins; another form, or another way to read messages, would begin with another number."""
_TRIM: Final = 4_096


@dataclass(slots=True, eq=False)
class TraceState:
    """
    What is known of a trace in all partitions.

    Attributes:
        trace_id: Its id.
        is_done: Whether it was analysed, or left out.
        is_needed: Whether messages with spans of it have to be read again after a restart.
        entries: How often it occurs in the messages that are remembered.
    """

    trace_id: str
    is_done: bool = False
    is_needed: bool = True
    entries: int = 0


class Resumption(msgspec.Struct, frozen=True):
    """
    Where reading a partition goes on, and what is known of the messages from there on.

    Attributes:
        offset: The next message to read.
        end: The offset after the last message about which something is known.
        done: A digit for each trace in the messages before *end*: 1 if it is done.
        began_ms: When the first message was written that was ever read, if there are older ones that were not; else 0.
            None if that message is still to be read.
    """

    offset: int
    end: int = 0
    done: str = ""
    began_ms: int | None = 0


class _Text(msgspec.Struct, array_like=True):
    """What the text consists of. Bits are in whole bytes, with zeros in front."""

    began_ms: int
    messages: int
    traces: int
    done: bytes


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
    except (ValueError, zlib.error, msgspec.DecodeError) as error:
        raise ValueError("the text is damaged") from error
    digits = f"{int.from_bytes(known.done, 'big'):0{known.traces}b}" if known.traces else ""
    return Resumption(offset, offset + known.messages, digits, known.began_ms)


class PartitionProgress:
    """
    The messages of one partition, from the oldest one that is still needed.

    Args:
        start: Where reading begins.
    """

    def __init__(self, start: Resumption) -> None:
        self.next_offset: int = start.offset
        self.began_ms: int | None = start.began_ms
        self._end = start.end
        self._digits = iter(start.done)
        self._repeated: dict[str, bool] = {}
        self._entries: list[TraceState] = []
        self._offsets = array("q")
        self._oldest = 0

    @property
    def is_repeating(self) -> bool:
        """Whether messages are being read that were read before the restart."""
        return self.next_offset < self._end

    def end_repetition(self) -> None:
        """Forget what is known of messages that no longer exist."""
        self._end = 0

    def was_done(self, trace_id: str) -> bool:
        """Return whether a trace was done before the restart. To be asked for each trace of a repeated message."""
        done = self._repeated.get(trace_id)
        if done is None:
            done = self._repeated[trace_id] = next(self._digits, "0") == "1"
        return done

    def add(self, offset: int, traces: Sequence[TraceState]) -> None:
        """Add the next message, which has spans of *traces*. Offsets in between have no message."""
        for trace in traces:
            trace.entries += 1
        self._entries += traces
        self._offsets.extend([offset] * len(traces))
        self.next_offset = offset + 1
        if not self.is_repeating:
            self._repeated.clear()

    def oldest_needed(self) -> TraceState | None:
        """Return a trace that makes the oldest message needed, if that is needed."""
        return next((trace for trace in self._entries[self._oldest : self._next_message()] if trace.is_needed), None)

    def forget_messages(self) -> Iterator[TraceState]:
        """Forget the messages before the oldest one that is needed, and yield the traces that no message has now."""
        while self._oldest < len(self._entries) and self.oldest_needed() is None:
            after = self._next_message()
            for trace in self._entries[self._oldest : after]:
                trace.entries -= 1
                if not trace.entries:
                    yield trace
            self._oldest = after
        if self._oldest >= _TRIM and self._oldest >= len(self._entries) // 2:
            del self._entries[: self._oldest], self._offsets[: self._oldest]
            self._oldest = 0

    def position(self) -> tuple[int, str]:
        """Return the offset to commit, and the text to commit with it."""
        offset = self._offsets[self._oldest] if self._oldest < len(self._offsets) else self.next_offset
        traces = dict.fromkeys(self._entries[self._oldest :])
        digits = "".join(["1" if trace.is_done else "0" for trace in traces])
        bits = int(digits, 2).to_bytes((len(digits) + 7) // 8, "big") if digits else b""
        text = _Text(self.began_ms or 0, self.next_offset - offset, len(digits), bits)
        return offset, _FORM + base64.b64encode(zlib.compress(msgspec.msgpack.encode(text), 9)).decode()

    def _next_message(self) -> int:
        """Return the place after the entries of the oldest message."""
        at = self._oldest
        while at < len(self._offsets) and self._offsets[at] == self._offsets[self._oldest]:
            at += 1
        return at
