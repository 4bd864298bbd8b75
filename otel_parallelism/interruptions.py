"""Tells an exception that interrupted our code from an error of our code, by its traceback."""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_RAISING = frozenset(dis.opmap[name] for name in ("RAISE_VARARGS", "RERAISE"))
_TAKES_ANY = 0x04
"""The flag of code with a parameter for any number of positional arguments."""

_MOST_PARAMETERS = 4
"""A handler has two or three parameters, and its object before them if it is a method."""

_UNDER_WATCH = sys.stdlib_module_names | {"otel_parallelism", "opentelemetry", "wrapt"}
_WITHOUT_ARGUMENTS = (MemoryError, RecursionError, StopIteration, StopAsyncIteration, AssertionError, LookupError)


def is_interruption(error: BaseException) -> bool:
    """
    Return whether *error* was raised by the program while our code ran, and not by our code or what it calls.

    Such errors are a time limit that a signal handler raises, the end of a debugger's session, or an exception that
    another thread sets. They belong to the program. Every error that is not an `Exception` does, too.
    """
    if not issubclass(type(error), Exception):
        return True
    trace = error.__traceback__
    last = trace
    while trace is not None:
        last, trace = trace, trace.tb_next
        if trace is not None and _is_handler(trace.tb_frame, last.tb_frame):
            return True
    return last is not None and _is_set_from_outside(error, last)


def _is_handler(frame: FrameType, around: FrameType) -> bool:
    """Return whether *frame* runs a signal handler or a trace function: an argument is the interrupted frame."""
    code = frame.f_code
    takes_any = bool(code.co_flags & _TAKES_ANY)
    if not 0 < code.co_argcount + takes_any <= _MOST_PARAMETERS:
        return False
    values = frame.f_locals
    given = [values.get(name) for name in code.co_varnames[: code.co_argcount]]
    if takes_any:
        rest = values.get(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
        given += rest if type(rest) is tuple else ()
    return any(value is around for value in given)


def _is_set_from_outside(error: BaseException, trace: TracebackType) -> bool:
    """
    Return whether *error*, raised in the frame of *trace*, was set there by ``PyThreadState_SetAsyncExc``.

    It has no arguments, and no ``raise`` statement raised it. The frame may be one of the standard library, which
    OpenTelemetry calls.
    """
    package = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    if package not in _UNDER_WATCH or error.args or issubclass(type(error), _WITHOUT_ARGUMENTS):
        return False
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] not in _RAISING
