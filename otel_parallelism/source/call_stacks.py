"""Finds the function in which two calls are to be judged: the innermost one whose one run made both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from otel_parallelism.model import CallFrame

from .functions import Site, SourceFile

if TYPE_CHECKING:
    from collections.abc import Sequence

Sources: TypeAlias = Callable[[CallFrame], SourceFile | None]
"""Returns the parsed file of a frame, or None."""


class Level(msgspec.Struct, frozen=True):
    """
    A function that may have made both calls in one run: its frame at each call.

    ``direct`` is true if it made both calls itself, and not through other functions.
    """

    earlier: CallFrame
    later: CallFrame
    direct: bool

    @property
    def same_site(self) -> bool:
        """Whether both calls were made at one place."""
        return site_of(self.earlier) == site_of(self.later)


class Levels(msgspec.Struct, frozen=True):
    """
    The functions in which two calls may have been made in one run, innermost first.

    A frame's identity may be used again once the function has ended, so the innermost function may have run twice. It
    ran once if each function around it called it outside of a loop. ``complete`` is false if some functions around it
    are not known.
    """

    levels: tuple[Level, ...]
    complete: bool


def shared_levels(earlier: Sequence[CallFrame | None], later: Sequence[CallFrame | None]) -> Levels | None:
    """Return the functions that both calls have in common; None if there are none, or other tasks made the calls."""
    first = [frame for frame in earlier if frame is not None]
    second = [frame for frame in later if frame is not None]
    complete = len(first) == len(earlier) and len(second) == len(later) and bool(first) and bool(second)
    tasks = [stack.pop() if stack and not stack[-1].file_path else None for stack in (first, second)]
    if None not in tasks and tasks[0] != tasks[1]:
        return None
    complete = complete and tasks[0] == tasks[1]
    if complete:
        shift = len(second) - len(first)
    else:
        met = [(i, j) for i, one in enumerate(first) for j, other in enumerate(second) if _same_frame(one, other)]
        if not met:
            return None
        shift = met[0][1] - met[0][0]
    found: list[Level] = []
    for at in range(len(first) - 1, -1, -1):
        if not 0 <= at + shift < len(second):
            continue
        one, other = first[at], second[at + shift]
        if not _same_frame(one, other):
            break
        found.insert(0, Level(one, other, direct=at == 0 and at + shift == 0))
        if site_of(one) != site_of(other):
            break
    return Levels(tuple(found), complete) if found else None


def site_of(frame: CallFrame) -> Site:
    """Return where *frame* made its call."""
    return Site(frame.function, frame.line_number, frame.end_line, frame.end_column)


def loop_line(level: Level, sources: Sources) -> int | None:
    """Return the line of the innermost loop that makes the later call of *level*; None if it is in no known loop."""
    file = sources(level.later)
    if file is None:
        return None
    site = site_of(level.later)
    function = file.function(site.function, site.line)
    call = None if function is None else file.call(function, site)
    loop = None if function is None or call is None else file.loop(function, call)
    return None if loop is None else loop.lineno


def is_called_once(level: Level, sources: Sources) -> bool:
    """Return whether one run of the function of *level* can make its call only once."""
    file = sources(level.later)
    if file is None:
        return False
    site = site_of(level.later)
    function = file.function(site.function, site.line)
    call = None if function is None else file.call(function, site)
    return function is not None and call is not None and file.loop(function, call) is None


def runs_before(level: Level, sources: Sources) -> bool:
    """Return whether each run of the function of *level* that makes the later call has made the earlier one."""
    file = sources(level.later)
    if file is None or level.same_site:
        return False
    function = file.function(level.later.function, level.later.line_number)
    if function is None:
        return False
    first, second = (file.call(function, site_of(frame)) for frame in (level.earlier, level.later))
    return first is not None and second is not None and file.always_before(function, first, second)


def _same_frame(one: CallFrame, other: CallFrame) -> bool:
    """Return whether both may be one frame; of stored calls, only the file is known."""
    return (
        one.identity == other.identity
        and one.code is other.code
        and (one.file_path, one.function) == (other.file_path, other.function)
    )
