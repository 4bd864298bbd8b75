"""Finds where a call was made: the nearest frame outside this package. File and line are looked up only if needed."""

from __future__ import annotations

import asyncio
import concurrent.futures._base
import concurrent.futures.thread
import contextvars
import functools
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

import wrapt

from otel_parallelism.model import Caller

if TYPE_CHECKING:
    from types import CodeType, FrameType

running_loop: Any = asyncio._get_running_loop  # noqa: SLF001 - documented; it does not raise, and runs for every call
# In Python 3.11, current_task() is not written in C and takes four times as long as the lookup inside it. From 3.14 on,
# the running task is stored elsewhere.
current_task: Any = asyncio.current_task if sys.version_info >= (3, 12) else vars(asyncio.tasks)["_current_tasks"].get

_MAX_CALLERS = 10_000
_MAX_FRAMES = 16
_MAX_FILES = 10_000


_OURS, LOOP = 1, 2


PLACES: dict[str, int] = {
    functools.__file__: _OURS,
    contextvars.__file__: _OURS,
    concurrent.futures.thread.__file__: LOOP,
    concurrent.futures._base.__file__: LOOP,  # noqa: SLF001 - it calls callbacks, and what is given to `map`
    threading.__file__: LOOP,
}
"""
The files known to `place_of`, and where they belong.

Every call reads it, so it is a plain dict, which Python reads faster than an object of a subclass.
"""

PROGRAM_FILES: set[str] = set()
"""The program's own files among them."""

_OUR_FOLDERS = tuple(f"{folder}{os.sep}" for folder in (Path(wrapt.__file__).parent, Path(__file__).parents[2]))
_LOOP_FOLDER = f"{Path(asyncio.__file__).parent}{os.sep}"
_OTHER_LOOPS = tuple(
    f"{os.sep}{folder}{os.sep}" for folder in (f"anyio{os.sep}_backends", f"trio{os.sep}_core", "_pytest", "pluggy")
)
"""Folders of other event loops, and of pytest, which calls the functions of a program's tests as a loop does."""


def place_of(file: str) -> int:
    """
    Return where a *file*, by its name, belongs: 0 for the program, 1 for this package, 2 for event loops and the like.

    The frames of the latter two are skipped when the caller is looked up: a call made from an event loop or a thread
    pool has no useful location.
    """
    found = PLACES.get(file)
    if found is None:
        found = LOOP if _is_loop(file) else _OURS if file.startswith(_OUR_FOLDERS) else 0
        # A notebook has a file for each run of a cell. To list the folders would make importing slower.
        if len(PLACES) < _MAX_FILES:
            PLACES[file] = found
            if not found:
                PROGRAM_FILES.add(file)
    return found


def _is_loop(file: str) -> bool:
    return file.startswith(_LOOP_FOLDER) or any(folder in file for folder in _OTHER_LOOPS)


_MAX_RECORDED = 4
PER_FRAME = 3
_LAST_RECORDED = PER_FRAME * (_MAX_RECORDED - 1)

_callers: dict[tuple[int, int], tuple[CodeType, Caller | None]] = {}


def frame_above(depth: int) -> FrameType | None:
    """Return the frame *depth* frames above the calling function; None where C code calls what stands there."""
    try:
        return sys._getframe(depth + 1)  # noqa: SLF001 - cheaper than inspect
    except ValueError:
        return None


def calling_frame(frame: FrameType | None) -> FrameType | None:
    """Return the nearest frame from *frame* outwards of the program; None where an event loop or pool comes first."""
    for _ in range(_MAX_FRAMES):
        place = LOOP if frame is None else place_of(frame.f_code.co_filename)
        if frame is None or place == LOOP:
            return None
        if not place:
            return frame
        frame = frame.f_back
    return None


def frames_around(frame: FrameType) -> tuple[object, ...]:
    """
    Return *frame* and the frames around it, the program's or not, as ids, code objects and instructions.

    This runs for nearly every call, so which frames are the program's is left to `recorded_frames.read_frames`. A frame
    itself would keep its variables alive.

    Returns:
        The id of *frame*, then code object, instruction and id of each of the next three frames, then the code object
        of the next one; less where the stack ends.
    """
    one = frame.f_back
    if one is None:
        return (id(frame),)
    two = one.f_back
    if two is None:
        return (id(frame), one.f_code, one.f_lasti, id(one))
    three = two.f_back
    if three is None:
        return (id(frame), one.f_code, one.f_lasti, id(one), two.f_code, two.f_lasti, id(two))
    rest = three.f_back
    if rest is None:
        return (
            id(frame), one.f_code, one.f_lasti, id(one), two.f_code, two.f_lasti, id(two),
            three.f_code, three.f_lasti, id(three),
        )  # fmt: skip
    return (
        id(frame), one.f_code, one.f_lasti, id(one), two.f_code, two.f_lasti, id(two),
        three.f_code, three.f_lasti, id(three), rest.f_code,
    )  # fmt: skip


def program_frames_around(frame: FrameType) -> tuple[object, ...]:
    """
    Return as `frames_around` *frame* and the next frames of the program around it.

    Inside a call, frames of this package lie between those of the program.
    """
    found: list[object] = [id(frame)]
    around = frame.f_back
    for _ in range(_MAX_FRAMES):
        if around is None:
            return tuple(found)
        code = around.f_code
        place = place_of(code.co_filename)
        if place == LOOP or (not place and len(found) > _LAST_RECORDED):
            found.append(code)
            return tuple(found)
        if not place:
            found += (code, around.f_lasti, id(around))
        around = around.f_back
    found.append(None)
    return tuple(found)


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


SUBMITTED: dict[int, tuple[Any, ...]] = {}
"""What submitted the function that runs in a thread of a pool, by the thread's id; see `submission`."""

_TO_POOLS = (asyncio.to_thread.__code__, asyncio.BaseEventLoop.run_in_executor.__code__)


def submission(frame: FrameType | None) -> tuple[Any, ...] | None:
    """
    Return where the program submits a function to a pool, *frame* being in the method that takes it.

    Returns:
        The calling task, code object and instruction of the program's function, and its `frames_around`; None where an
        event loop or another pool submits it.
    """
    for _ in range(_MAX_FRAMES):
        if frame is None:
            return None
        code = frame.f_code
        place = place_of(code.co_filename)
        if not place:
            return calling_task(), code, frame.f_lasti, *frames_around(frame)
        if place == LOOP and code not in _TO_POOLS:
            return None
        frame = frame.f_back
    return None


def calling_task() -> ref[Any] | None:
    """Return a weak reference to the running asyncio task; None outside of a task."""
    loop = running_loop()
    task = None if loop is None else current_task(loop)
    try:
        return None if task is None else ref(task)
    except TypeError:
        return None  # a task of another kind


def run_submitted(submitted: tuple[Any, ...], function: Any, args: Any, kwargs: Any) -> Any:
    """Call *function*, which was *submitted*, in a thread of a pool."""
    thread = threading.get_ident()
    outer = SUBMITTED.get(thread)
    SUBMITTED[thread] = submitted
    try:
        return function(*args, **kwargs)
    finally:
        if outer is None:
            SUBMITTED.pop(thread, None)
        else:
            SUBMITTED[thread] = outer


def submitted_stack(frame: FrameType | None, submitted: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """
    Return the stack of a call that a thread of a pool makes: functions of the program in it, then the submission.

    Args:
        frame: The frame that makes the call, or one inside of that.
        submitted: What submitted the function that the thread runs.

    Returns:
        As `submission`; None if another event loop or pool runs in the thread, or too many functions do.
    """
    found: list[Any] = []
    for _ in range(_MAX_FRAMES):
        if frame is None:
            return None
        code = frame.f_code
        if code is run_submitted.__code__:
            return submitted[0], *found, *submitted[1:]
        place = place_of(code.co_filename)
        if place == LOOP:
            return None
        if not place:
            found += (code, frame.f_lasti, id(frame))
        frame = frame.f_back
    return None
