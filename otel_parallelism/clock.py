"""
The only module that asks for the time.

Live times come from one clock that never steps: the time of day at which this module was imported, plus what a
monotonic clock counted since then. The time of day may step, when it is set or when a suspended machine goes on; a
turn would then last an hour too long, or end before it began. Spans show the time of day, so the times of our own are
moved by `shift_ns`, measured once a turn.

Other modules call these functions through the module, so that a test can replace them and turn the clock itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_SHIFT_NS = 1_000_000

wall_ns: Callable[[], int] = time.time_ns
"""Nanoseconds since the epoch by the time of day, as spans of other instrumentations are timed."""

monotonic_s: Callable[[], float] = time.monotonic
"""Seconds on a clock that never goes back; only differences mean something."""

sleep_s: Callable[[float], None] = time.sleep
"""Waits so many seconds; only commands that read stored traces wait."""


passed_ns: Callable[[], int] = time.perf_counter_ns
"""Nanoseconds on the clock that never steps, since a moment in the past; see `BEGAN_NS`."""

thread_ns: Callable[[], int] = getattr(time, "thread_time_ns", time.process_time_ns)
"""Nanoseconds for which the current thread has run."""

process_ns: Callable[[], int] = time.process_time_ns
"""Nanoseconds for which the threads of the process have run, in total."""

BEGAN_NS: Final[int] = time.time_ns() - passed_ns()
"""That moment, in nanoseconds since the epoch. Code that runs for every call adds it itself, instead of `now_ns`."""


def now_ns() -> int:
    """Return nanoseconds since the epoch on the clock that never steps."""
    return BEGAN_NS + passed_ns()


def shift_ns() -> int:
    """Return by how much the time of day is ahead of `now_ns`; 0 where the two differ by less than a millisecond."""
    shift = wall_ns() - now_ns()
    return shift if abs(shift) >= _LEAST_SHIFT_NS else 0
