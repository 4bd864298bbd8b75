"""Reads what was recorded of the functions that made a call: the program's frames, each with the place of its call."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any

from otel_parallelism.model import Caller, CallFrame, CallStack
from otel_parallelism.tracing.state.callers import LOOP, PER_FRAME, place_of

if TYPE_CHECKING:
    from types import CodeType

    from otel_parallelism.tracing.state.nodes import CallNode

_IN_EXPRESSION = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})
_MODULE, _RUNNER = "<module>", "runpy"
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
    return CallStack((node.calling_task, node.code, node.instruction, *(node.around or ())), _read_stack)


def _read_stack(recorded: object) -> tuple[CallFrame | None, ...]:
    """
    Return the program's frames of what was *recorded*, as `read_frames` does after its first item: the calling task.

    The id of a frame may be used again once its function has ended, and an event loop or a pool may run a function any
    number of times. So the outermost frame says which run it was only together with its task, which follows it as a
    frame without a file.

    Returns:
        The frames; None at the end if there may be more, or if an unknown task or a thread ran them.
    """
    calling_task, *rest = recorded if isinstance(recorded, tuple) else (None,)
    frames = read_frames(tuple(rest))
    outermost = frames[-1] if frames else None
    if outermost is None or outermost.function == _MODULE or _RUNNER in outermost.file_path or _is_test(rest):
        return frames
    return (*frames, None if calling_task is None else CallFrame("", 0, identity=id(calling_task)))


def _is_test(recorded: list[object]) -> bool:
    """Return whether pytest called the outermost of the program's functions that were *recorded*."""
    files = [getattr(one, "co_filename", "") for one in recorded]
    ends = [file for file in files if file and place_of(file) == LOOP]
    return bool(ends) and any(folder in ends[0] for folder in _TEST_FOLDERS)


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
