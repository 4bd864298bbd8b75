"""
Keeps calls through wrappers from overflowing the C stack, which ends the process without an exception.

A call through a wrapper takes C stack, where a plain call takes none. On Linux, the stack of the main thread grows as
it is used, up to a limit of the process that can be raised.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from threading import local
from typing import Any, Final

from otel_parallelism.interruptions import is_interruption

WATCHES_STACK: Final = sys.version_info < (3, 14)
"""Whether the interpreter does not measure the C stack that calls take."""

_LEVEL_BYTES = 1_500  # 1,300 as measured; the functions themselves may call C code
_USUAL_BYTES = 8_000_000 if sys.platform != "win32" else 2_000_000
_SPARE_BYTES = 2 << 20  # the kernel keeps 1 MB free below a stack
_GROWTH_BYTES = 16 << 20

_measured = local()
"""The ``size`` of each thread's stack in bytes: finding it takes 0.3 ms in the main thread."""


def make_stack_room(depth: int, levels: int) -> tuple[int, int] | None:
    """
    Make sure that *levels* more calls through wrappers have enough C stack, inside of *depth* such calls.

    Returns:
        The limit on the stack before it was raised and now, for `restore_stack_limit`; None if it is unchanged.

    Raises:
        RecursionError: There is not enough stack.
    """
    needed = (depth + levels) * _LEVEL_BYTES
    if needed <= getattr(_measured, "size", 0):
        return None
    try:
        size, top = _stack_of_thread()
        if needed <= size:
            _measured.size = size
            return None
        raised = _raise_stack_limit(needed, top)
    except Exception as error:
        if is_interruption(error):
            raise
        raised = None
    if raised is None:
        raise RecursionError(f"maximum recursion depth exceeded: {depth} recorded calls inside one another")
    return raised


def restore_stack_limit(raised: tuple[int, int]) -> None:
    """Restore the limit that `make_stack_room` raised, unless the program has set another one since."""
    import resource  # noqa: PLC0415 - as below

    _measured.size = 0
    before, now = raised
    with suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        if soft == now:
            resource.setrlimit(resource.RLIMIT_STACK, (before, hard))


def _raise_stack_limit(needed: int, top: int) -> tuple[int, int] | None:
    """Let the stack whose upper end is *top* grow to *needed* bytes; None if it cannot."""
    import resource  # noqa: PLC0415 - Windows has no such module, and it is needed only for deep recursion

    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = needed + _GROWTH_BYTES
    if soft == resource.RLIM_INFINITY or (hard != resource.RLIM_INFINITY and wanted > hard) or wanted > _room(top):
        return None
    resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
    return soft, wanted


def _room(top: int) -> int:
    """Return how large the main thread's stack can become; 0 if the stack whose upper end is *top* is not that one."""
    below = 0
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        start, _, rest = line.partition("-")
        end = int(rest.partition(" ")[0], 16)
        if rest.endswith("[stack]"):
            return end - below - _SPARE_BYTES if int(start, 16) < top <= end else 0
        below = end
    return 0


def _stack_of_thread() -> tuple[int, int]:
    """
    Return the size of the calling thread's stack, and the address of its upper end, 0 if unknown.

    The size of the main thread's stack is the one up to which it may grow. ``threading.stack_size()`` says only what
    later threads get, and resets it.
    """
    try:
        import ctypes  # noqa: PLC0415 - it takes time to import, and is needed only for deep recursion

        library: Any = ctypes.CDLL(None)
        library.pthread_self.restype = thread = ctypes.c_void_p
        lower, size = ctypes.c_void_p(), ctypes.c_size_t()
        attributes = (ctypes.c_uint64 * 32)()
        if library.pthread_getattr_np(thread(library.pthread_self()), attributes):
            return _USUAL_BYTES, 0
        library.pthread_attr_getstack(attributes, ctypes.byref(lower), ctypes.byref(size))
        library.pthread_attr_destroy(attributes)
    except Exception as error:
        if is_interruption(error):
            raise
        return _USUAL_BYTES, 0
    return (size.value, (lower.value or 0) + size.value) if size.value else (_USUAL_BYTES, 0)
