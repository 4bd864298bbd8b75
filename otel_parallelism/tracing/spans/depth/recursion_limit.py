"""
Raises the recursion limit by the frames that wrappers add, while calls are deep inside one another.

The limit holds for all threads. What a program sets meanwhile is kept: it is raised from there, and back to there.
"""

from __future__ import annotations

import sys
from threading import RLock

from otel_parallelism.tracing.state.fork import follow_forks

_LOCK = RLock()
_LONGEST_WAIT_S = 0.1

follow_forks(_LOCK)

_added = 0
_raised_from: dict[int, int] = {}
"""The program's own limit, by each limit that was set here since the last one was taken back."""


def raise_limit(frames: int) -> int:
    """Allow *frames* more frames, and return how many are allowed more; `lower_limit` takes them back."""
    return frames if _add(frames) else 0


def lower_limit(frames: int) -> None:
    """Take back the *frames* that `raise_limit` returned."""
    if frames:
        _add(-frames)


def _add(frames: int) -> bool:
    # A signal handler's exception may leave the lock locked; the limit then stays as it is.
    if not _LOCK.acquire(timeout=_LONGEST_WAIT_S):
        return False
    try:
        return _add_locked(frames)
    finally:
        _LOCK.release()


def _add_locked(frames: int) -> bool:
    global _added  # noqa: PLW0603 - there is one limit
    limit = sys.getrecursionlimit()
    own = _raised_from.get(limit, limit)
    _added += frames
    try:
        sys.setrecursionlimit(own + _added)
    except (RecursionError, OverflowError):
        # The program has set a limit that this call exceeds already, or the largest one.
        if frames > 0:
            _added -= frames
        return False
    if _added:
        _raised_from[own + _added] = own
    else:
        _raised_from.clear()
    return True
