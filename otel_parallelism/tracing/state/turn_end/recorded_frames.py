"""Reads what was recorded of the functions that made a call: the program's frames, each with the place of its call."""

from __future__ import annotations

import concurrent.futures.thread
import os
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any

from otel_parallelism.model import Caller, CallFrame, CallStack
from otel_parallelism.tracing.state.callers import LOOP, PER_FRAME, place_of
from otel_parallelism.tracing.state.nodes import TurnNode

if TYPE_CHECKING:
    from types import CodeType

    from otel_parallelism.tracing.state.nodes import CallNode

_IN_EXPRESSION = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})
_MODULE = "<module>"
_RUNNERS = ("<frozen runpy>", f"{os.sep}runpy.py")
_THREADS = (threading.__file__, concurrent.futures.thread.__file__, f"{os.sep}_backends{os.sep}_asyncio.py")
"""The files that run a function in a thread, the last one of AnyIO. In greenlets and tasks of Trio none does."""
_TEST_FOLDERS = tuple(f"{os.sep}{folder}{os.sep}" for folder in ("_pytest", "pluggy"))


def read_frames(recorded: object) -> tuple[CallFrame | None, ...]:
    """
    Return the program's frames of what `frames_around` recorded, after code object and instruction of the first one.

    A comprehension has a frame of its own in some versions of Python. It is shown as part of the function around it.

    Returns:
        The frames up to the event loop or the end of the stack; None at the end if there may be more.
    """
    found: list[CallFrame | None] = []
    inner: tuple[int, int, int] | None = None
    rest: list[Any] = list(recorded) if isinstance(recorded, tuple) else []
    while rest:
        code = rest[0]
        file = getattr(code, "co_filename", None)
        place = 0 if file is None else place_of(file)
        if place == LOOP:
            rest.clear()
            break
        if code is None or len(rest) < PER_FRAME:
            break
        _, instruction, identity = rest[:PER_FRAME]
        del rest[:PER_FRAME]
        if place:
            continue
        position = _position(code, instruction) if inner is None else inner
        if position is None:
            return (*found, None)
        inner = position if code.co_name in _IN_EXPRESSION else None
        if inner is None:
            line, end_line, end_column = position
            found.append(CallFrame(code.co_filename, line, code.co_name, end_line, end_column, identity, code))
    return (*found, None) if rest or inner is not None else tuple(found)


def stack_of(node: CallNode) -> CallStack:
    """Return what was recorded of the functions that made the call *node*."""
    made_in = node.calling_task or _turn_of_thread(node)
    return CallStack((made_in, node.code, node.instruction, *(node.around or ())), _read_stack)


def _turn_of_thread(node: CallNode) -> int:
    """
    Return what stands for the turn around *node* if the call's own thread opened the turn and is still in it, else 0.

    A thread that is in the block of a turn runs nothing else before the end of that.
    """
    around = node.parent
    while around is not None and type(around) is not TurnNode:
        around = around.parent
    return id(around) if type(around) is TurnNode and around.thread == node.thread else 0


def _read_stack(recorded: object) -> tuple[CallFrame | None, ...]:
    """
    Return the program's frames of what was *recorded*, as `read_frames` does after its first item.

    The id of a frame may be used again once its function has ended, and an event loop or a pool may run a function any
    number of times. So the outermost frame says which run it was only together with its task, which follows it as a
    frame without a file. The first item recorded stands for the task, or for the turn around what a thread did.

    Returns:
        The frames; None at the end if there may be more, or if it is not known that they ran once.
    """
    made_in, *rest = recorded if isinstance(recorded, tuple) else (None,)
    frames = read_frames(tuple(rest))
    outermost = frames[-1] if frames else None
    if outermost is None or outermost.function == _MODULE or outermost.file_path.endswith(_RUNNERS):
        return frames
    files = [getattr(one, "co_filename", "") for one in rest]
    end = next((file for file in files if file and place_of(file) == LOOP), "")
    if any(folder in end for folder in _TEST_FOLDERS):
        return frames
    if isinstance(made_in, int):
        made_in = made_in if end.endswith(_THREADS) else 0
    identity = made_in if isinstance(made_in, int) else id(made_in)
    return (*frames, CallFrame("", 0, identity=identity) if made_in else None)


def _position(code: CodeType, instruction: int) -> tuple[int, int, int] | None:
    """Return the line, and the line and the column at which the text of the *instruction* ends; None if unknown."""
    line, end_line, _, end_column = next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)
    if line is None:
        return None
    return (line, 0, -1) if end_line is None or end_column is None else (line, end_line, end_column)


def definition_of(node: CallNode) -> Caller | None:
    """Return where the function of a call's tool is defined, if that is known."""
    code = node.defined
    if code is None:
        return node.tool.place()
    return Caller(code.co_filename, code.co_firstlineno)
