"""Where a call was made: the nearest frame outside this package, taken cheaply and looked up later."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import contextvars
import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import wrapt

from otel_parallelism.model import Caller

if TYPE_CHECKING:
    from types import CodeType, FrameType

_MOST_CALLERS = 10_000
_DEEPEST = 16

_NOWHERE = frozenset(
    {
        *map(str, Path(asyncio.__file__).parent.glob("*.py")),
        concurrent.futures.thread.__file__,
        threading.__file__,
    }
)
"""Event loops and thread pools: their file and line would lead nobody anywhere."""

INSIDE = (
    _NOWHERE
    | {functools.__file__, contextvars.__file__}
    | {*map(str, Path(wrapt.__file__).parent.glob("*.py"))}
    | {*map(str, Path(__file__).parents[2].rglob("*.py"))}
)
"""The files whose code is not what made a call, however close its frame."""

_callers: dict[tuple[int, int], tuple[CodeType, Caller | None]] = {}


def calling_frame(frame: FrameType | None) -> FrameType | None:
    """Return the first frame from *frame* outwards that is somebody's code, None where a loop or a pool comes first."""
    for _ in range(_DEEPEST):
        if frame is None or frame.f_code.co_filename in _NOWHERE:
            return None
        if frame.f_code.co_filename not in INSIDE:
            return frame
        frame = frame.f_back
    return None


def location(code: CodeType, instruction: int) -> Caller | None:
    """Return the file and line of the *instruction* (its byte offset) of *code*; a bounded number is remembered."""
    key = (id(code), instruction)
    known = _callers.get(key)
    if known is not None and known[0] is code:
        return known[1]
    line = next((line for start, end, line in code.co_lines() if start <= instruction < end and line), None)
    found = None if line is None else Caller(code.co_filename, line)
    if len(_callers) >= _MOST_CALLERS:
        _callers.clear()
    # The code object is kept beside its answer: its id could else be given to another.
    _callers[key] = (code, found)
    return found
