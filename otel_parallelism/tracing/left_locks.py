"""
Releases locks that an exception of a signal handler left locked, on Python 3.14.

There, such an exception may come after ``with`` has taken a lock and before it begins its block, so that nothing
releases the lock. Locks of the program are not touched: they are left locked without this package, too.
"""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING, Any

from otel_parallelism.interruptions import traceback_of

if TYPE_CHECKING:
    from types import FrameType

_AFFECTED = sys.version_info[:2] == (3, 14)
_PACKAGES = frozenset({"otel_parallelism", "opentelemetry"})
_BEFORE_CALL = ("COPY", "LOAD_SPECIAL", "SWAP", "SWAP", "LOAD_SPECIAL")
"""The instructions of ``with``, from the context manager to the call of its ``__enter__``."""
_LONGEST_S = 0.1
"""No thread holds a span's lock for longer: one that is not free by then has no holder."""


def release_left_locks(error: BaseException) -> None:
    """Release the locks of OpenTelemetry and this package that *error* left locked on its way."""
    trace = traceback_of(error) if _AFFECTED else None
    while trace is not None:
        frame = trace.tb_frame
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in _PACKAGES:
            _release(_entered(frame, trace.tb_lasti))
        trace = trace.tb_next


def _release(lock: Any) -> None:
    is_owned = getattr(lock, "_is_owned", None)
    if is_owned is not None:
        if is_owned():
            lock.release()
    elif hasattr(lock, "locked"):
        lock.acquire(timeout=_LONGEST_S)
        lock.release()


def _entered(frame: FrameType, instruction: int) -> object:
    """Return what a ``with`` of *frame* enters at the offset *instruction*; None if none does, or if it has no name."""
    before: list[dis.Instruction] = []
    for each in dis.get_instructions(frame.f_code):
        if each.offset >= instruction:
            break
        before.append(each)
    called = len(before) - len(_BEFORE_CALL)
    if called < 1 or tuple(each.opname for each in before[called:]) != _BEFORE_CALL:
        return None
    names: list[str] = []
    while called and before[called - 1].opname == "LOAD_ATTR":
        called -= 1
        names.append(str(before[called].argval))
    base = str(before[called - 1].argval) if called else ""
    found: Any = frame.f_locals.get(base, frame.f_globals.get(base))
    for name in reversed(names):
        found = getattr(found, name, None)
    return found
