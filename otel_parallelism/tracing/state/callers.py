"""Finds where a call was made: the nearest frame outside this package. File and line are looked up only if needed."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import contextvars
import functools
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import wrapt

from otel_parallelism.model import Caller

if TYPE_CHECKING:
    from types import CodeType, FrameType

_MAX_CALLERS = 10_000
_MAX_FRAMES = 16

_LOOPS_AND_POOLS = frozenset(
    {
        *map(str, Path(asyncio.__file__).parent.glob("*.py")),
        concurrent.futures.thread.__file__,
        threading.__file__,
    }
)
"""The files of event loops and thread pools. A call made from there has no useful location."""

INSIDE = (
    _LOOPS_AND_POOLS
    | {functools.__file__, contextvars.__file__}
    | {*map(str, Path(wrapt.__file__).parent.glob("*.py"))}
    | {*map(str, Path(__file__).parents[2].rglob("*.py"))}
)
"""The files whose frames are skipped when the caller is looked up."""

_callers: dict[tuple[int, int], tuple[CodeType, Caller | None]] = {}


def frame_above(depth: int) -> FrameType | None:
    """Return the frame *depth* frames above the calling function; None where C code calls what stands there."""
    try:
        return sys._getframe(depth + 1)  # noqa: SLF001 - cheaper than inspect
    except ValueError:
        return None


def calling_frame(frame: FrameType | None) -> FrameType | None:
    """Return the nearest frame from *frame* outwards not in `INSIDE`; None where an event loop or pool comes first."""
    for _ in range(_MAX_FRAMES):
        if frame is None or frame.f_code.co_filename in _LOOPS_AND_POOLS:
            return None
        if frame.f_code.co_filename not in INSIDE:
            return frame
        frame = frame.f_back
    return None


def location(code: CodeType, instruction: int) -> Caller | None:
    """Return the file and line of the instruction at byte offset *instruction* of *code*, or None if it has no line."""
    key = (id(code), instruction)
    known = _callers.get(key)
    if known is not None and known[0] is code:
        return known[1]
    line = next((line for start, end, line in code.co_lines() if start <= instruction < end and line), None)
    found = None if line is None else Caller(code.co_filename, line)
    if len(_callers) >= _MAX_CALLERS:
        _callers.clear()
    # Holding the code object keeps its id from being reused.
    _callers[key] = (code, found)
    return found
