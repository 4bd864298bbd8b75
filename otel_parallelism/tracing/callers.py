"""Where a call was made: the nearest frame outside this package, taken cheaply and looked up later."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import functools
import os
import threading
from pathlib import Path
from types import CodeType, FrameType

import wrapt

from otel_parallelism.model import Caller

_MOST_CALLERS = 10_000
_DEEPEST = 16
# The folders whose code stands between a call and its caller; the demo's agent, in another, is somebody's code.
_OURS = tuple(f"{Path(__file__).parent.parent / name}{os.sep}" for name in ("tracing", "instrumentation"))
_BETWEEN = (*_OURS, str(Path(wrapt.__file__).parent), functools.__file__, contextvars.__file__)
_NOWHERE = (str(Path(asyncio.__file__).parent), str(Path(concurrent.futures.__file__).parent), threading.__file__)

_OUTSIDE, _BETWEEN_KIND, _NOWHERE_KIND = 0, 1, 2
_kinds: dict[str, int] = {}
_callers: dict[tuple[int, int], tuple[CodeType, Caller | None]] = {}


def _kind(file_path: str) -> int:
    kind = _BETWEEN_KIND if file_path.startswith(_BETWEEN) else _OUTSIDE
    if file_path.startswith(_NOWHERE):
        kind = _NOWHERE_KIND
    if len(_kinds) >= _MOST_CALLERS:
        _kinds.clear()
    _kinds[file_path] = kind
    return kind


def calling_frame(frame: FrameType | None) -> FrameType | None:
    """
    Return the first frame from *frame* outwards that is somebody's code.

    None where an event loop or a thread pool made the call: its file and line would lead nobody anywhere.
    """
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        file_path = frame.f_code.co_filename
        kind = _kinds.get(file_path)
        if kind is None:
            kind = _kind(file_path)
        if kind == _OUTSIDE:
            return frame
        if kind == _NOWHERE_KIND:
            return None
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
