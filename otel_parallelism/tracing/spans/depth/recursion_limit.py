"""
Raises the recursion limit by the frames that wrappers add, while calls are deep inside one another.

The limit holds for all threads. What a program sets meanwhile is kept: it is raised from there, and back to there.
"""

from __future__ import annotations

import sys
from threading import RLock

LIMIT_LOCK = RLock()

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
    global _added  # noqa: PLW0603 - there is one limit
    with LIMIT_LOCK:
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
