"""Jobs of thread pools, and greenlets."""

from __future__ import annotations

import concurrent.futures.thread
import sys
from typing import TYPE_CHECKING, Any

from otel_parallelism.model import Dispatch

if TYPE_CHECKING:
    from types import FrameType

_POOLS = concurrent.futures.thread.__file__


def pool_job(frame: FrameType | None) -> Any:
    """Return the job of a thread pool that *frame* belongs to; None if it belongs to none."""
    while frame is not None:
        if frame.f_code.co_name == "run" and frame.f_code.co_filename == _POOLS:
            job = frame.f_locals.get("self")
            # From Python 3.14 on, the pool's worker context, which is no job, has a method `run`, too.
            if hasattr(job, "future"):
                return job
        frame = frame.f_back
    return None


def submitted_by(job: Any) -> Dispatch | None:
    """Return what submitted *job*, if that does nothing else until it ends; else None."""
    # Python 3.14 keeps function and arguments in one tuple.
    function = getattr(job, "fn", None) or next(iter(getattr(job, "task", ())), None)
    found = getattr(function, "dispatch", None)
    return found if isinstance(found, Dispatch) else None


def greenlet() -> Any:
    """Return the running greenlet; None in a thread without greenlets, and in a thread's first one."""
    module: Any = sys.modules.get("greenlet")
    current = None if module is None else module.getcurrent()
    return None if current is None or current.parent is None else current
