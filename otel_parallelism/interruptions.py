"""Tells an exception that interrupted our code from an error of our code, by its traceback."""

from __future__ import annotations

import dis
import signal
import sys
from functools import partial
from types import CodeType, FrameType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

_RAISING = frozenset(dis.opmap[name] for name in ("RAISE_VARARGS", "RERAISE"))
_TAKES_ANY = 0x04
"""The flag of code with a parameter for any number of positional arguments."""

_MOST_PARAMETERS = 4
"""A handler has two or three parameters, and its object before them if it is a method."""

traceback_of: Final[Callable[[BaseException], TracebackType | None]] = vars(BaseException)["__traceback__"].__get__
"""Returns an exception's traceback; its class may have a ``__getattribute__`` of its own."""

_handler_of: Final[Any] = getattr(signal, "_signal", signal).getsignal
"""As ``signal.getsignal``, which takes 10 us for each signal to make it a member of an enumeration."""

_SIGNALS: Final = range(1, signal.NSIG)
_MOST_WRAPPERS: Final = 10

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
    trace = last = traceback_of(error)
    frames: list[FrameType] = []
    while trace is not None:
        if frames and _is_handler(trace.tb_frame, frames):
            return True
        frames.append(trace.tb_frame)
        last, trace = trace, trace.tb_next
    if len(frames) > 1 and not _codes_of_handlers().isdisjoint(frame.f_code for frame in frames[1:]):
        return True
    return last is not None and _is_set_from_outside(error, last)


def _is_handler(frame: FrameType, around: list[FrameType]) -> bool:
    """
    Return whether *frame* runs a signal handler or a trace function: an argument is the interrupted frame.

    That is one of *around*, the frames that *frame* was called in: a decorator of the handler may be in between.
    """
    code = frame.f_code
    takes_any = bool(code.co_flags & _TAKES_ANY)
    if not 0 < code.co_argcount + takes_any <= _MOST_PARAMETERS:
        return False
    values = frame.f_locals
    given = [values.get(name) for name in code.co_varnames[: code.co_argcount]]
    if takes_any:
        rest = values.get(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
        given += rest if type(rest) is tuple else ()
    return any(value is one for value in given if type(value) is FrameType for one in around)


def _codes_of_handlers() -> set[CodeType]:
    """Return the code of the program's signal handlers. One that sets its parameters anew is known only by it."""
    codes: set[CodeType] = set()
    # Most signals have a number or None for a handler.
    for handler in [one for one in map(_handler_of, _SIGNALS) if type(one) is not int and one is not None]:
        codes.update(_codes_of(handler))
    return codes


def _codes_of(handler: Any) -> Iterator[CodeType]:
    """Yield the code of *handler*, which may be a function, a method, a partial or a callable object."""
    for _ in range(_MOST_WRAPPERS):
        kind = type(handler)
        if kind is FunctionType:
            yield handler.__code__
        if kind is MethodType:
            handler = handler.__func__
        elif kind is partial:
            handler = handler.func
        elif handler is None or kind in (int, FunctionType):
            break
        else:
            # The method of a callable object, without running code of its class.
            found = (vars(base).get("__call__") for base in type.mro(kind))
            handler = next((method for method in found if type(method) is FunctionType), None)


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
