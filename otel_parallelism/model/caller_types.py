"""The types of where a call was made: its place, and the functions that made it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Caller(msgspec.Struct, frozen=True, gc=False):
    """The file and the line, counted from 1, where a call was made."""

    file_path: str
    line_number: int


class CallFrame(msgspec.Struct, frozen=True, gc=False):
    """
    One function on the stack when a call was made.

    ``function`` is its name, empty if unknown. ``end_line`` and ``end_column`` (in bytes) say where the text of the
    call that it was making ends; ``end_column`` is -1 if that is unknown. ``identity`` is the ``id()`` of the frame:
    two frames that exist at once have different ones, 0 is unknown. ``code`` is the code object, None in stored spans.
    ``line_number`` 0 stands for the whole file. A frame without a file stands for what ran the functions before it:
    the task of an event loop, or a thread inside a turn.
    """

    file_path: str
    line_number: int
    function: str = ""
    end_line: int = 0
    end_column: int = -1
    identity: int = 0
    code: object = None


class CallStack(msgspec.Struct, frozen=True, gc=False):
    """
    The functions that made a call, innermost first; read only if calls may form a chain.

    ``parse`` converts ``value`` to frames; they end with None if there are further functions that were not recorded,
    or if what ran them may have run the outermost one more than once.
    """

    value: object
    parse: Callable[[object], tuple[CallFrame | None, ...]]

    def frames(self) -> tuple[CallFrame | None, ...]:
        """Return the frames."""
        return self.parse(self.value)
