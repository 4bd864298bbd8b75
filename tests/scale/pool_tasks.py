"""What worker processes do in the tests: they import this module."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def prepare(number: int, unready: int) -> Callable[[str], tuple[int, str]]:
    """Return a function that does what its text says; the worker *unready* cannot be prepared."""
    if number == unready:
        message = "no room"
        raise ValueError(message)

    def run(text: str) -> tuple[int, str]:
        if text == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if text == "raise":
            raise LookupError(text)
        return number, text * 2

    return run
