"""
Keeps nested calls from overflowing the C stack, which ends the process without an exception.

A call through a wrapper takes C stack, where a plain call takes none. Under the default recursion limit the stack
suffices. A program that raises the limit gets a `RecursionError` before the stack ends. Python 3.12 and 3.13 bound such
calls by their number, which does not suit each stack; from Python 3.14 on, the interpreter measures the stack itself.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from otel_parallelism.interruptions import is_interruption

WATCHES_STACK: Final = sys.version_info < (3, 14)
"""Whether the interpreter does not measure the C stack that calls take."""

STRIDE: Final = 256
"""The depth is compared with the stack at multiples of this."""

_LEVEL_BYTES = 1_500  # 1,300 as measured; the functions themselves may call C code
_USUAL_BYTES = 8_000_000 if sys.platform != "win32" else 2_000_000


def check_depth(depth: int) -> None:
    """
    Check that a call that *depth* calls of plain functions enclose has enough C stack, until the next check.

    Raises:
        RecursionError: It has not.
    """
    if (depth + STRIDE) * _LEVEL_BYTES > _stack_bytes():
        raise RecursionError(f"maximum recursion depth exceeded: {depth} recorded calls inside one another")


def _stack_bytes() -> float:
    """
    Return the size of the calling thread's stack.

    ``threading.stack_size()`` says only what later threads get, and resets it.
    """
    try:
        import ctypes  # noqa: PLC0415 - it takes time to import, and is needed only for deep recursion

        library: Any = ctypes.CDLL(None)
        library.pthread_self.restype = thread = ctypes.c_void_p
        size = ctypes.c_size_t()
        attributes = (ctypes.c_uint64 * 32)()
        if library.pthread_getattr_np(thread(library.pthread_self()), attributes):
            return _USUAL_BYTES
        library.pthread_attr_getstacksize(attributes, ctypes.byref(size))
        library.pthread_attr_destroy(attributes)
    except Exception as error:
        if is_interruption(error):
            raise
        return _USUAL_BYTES
    return size.value or _USUAL_BYTES
