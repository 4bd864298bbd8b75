"""
Tells what a body took of a long stretch of a thread's time from what the machine took of it.

A thread that could run does not always run: others use the processors, or a container has used up its share. It may
also wait for pages of its memory, or for another thread to release the interpreter's lock. The operating system counts
all that for each thread since its start. So a stretch is compared with a reading from before it, and what has happened
since that reading counts as in the stretch: the body's part is never taken for larger than it was.

Readings cost microseconds. They are taken after long stretches, and before a call if the last one is old.
"""

from __future__ import annotations

import os
import sys
import threading
from array import array
from bisect import bisect_right
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism import clock

if TYPE_CHECKING:
    from collections.abc import Callable

_usage: Callable[[], Any] | None = None
"""Returns what Linux has counted for the current thread; None elsewhere."""
if sys.platform == "linux":
    from resource import RUSAGE_THREAD, getrusage

    _usage = partial(getrusage, RUSAGE_THREAD)

_DELAYS = "/proc/thread-self/schedstat"
_EVERY_NS = 100_000_000
_PAGE_NS = 10_000_000
_WHOLE = 0.95
_MOST_READINGS = 64
_UNKNOWN = -1

due_ns: int = 0
"""When a call that starts needs a new reading before."""


class Reading(msgspec.Struct, frozen=True):
    """
    What the operating system has counted for the current thread since its start.

    Attributes:
        at_ns: The time just after it was read.
        delayed_ns: How long the thread could have run and did not; None where that is unknown.
        computed_ns: How long it ran.
        others_ns: How long other threads of the process ran that need the interpreter's lock, as far as is known.
        waits: How often it gave up the processor by itself; None where that is unknown.
        faults: How often it waited for a page of its memory.
    """

    at_ns: int = 0
    delayed_ns: int | None = 0
    computed_ns: int = 0
    others_ns: int = 0
    waits: int | None = 0
    faults: int = 0


_NUMBERS = len(Reading.__struct_fields__)


class _Readings(threading.local):
    """
    The last readings in a thread, in order of time.

    ``taken`` has the numbers of one after another. An object for each would outlive what was made around it, and Python
    gives no memory back to the system while one object in a megabyte is left.
    """

    def __init__(self) -> None:
        self.process: int = os.getpid()
        self.taken: array[int] = array("q")

    def keep(self, reading: Reading) -> None:
        """Add *reading*, and drop the oldest if there are too many."""
        numbers = msgspec.structs.astuple(reading)
        self.taken.extend([_UNKNOWN if number is None else number for number in numbers])
        if len(self.taken) > _MOST_READINGS * _NUMBERS:
            del self.taken[:_NUMBERS]

    def before(self, at_ns: int) -> Reading:
        """Return the last reading up to *at_ns*; nothing was counted before the thread's start."""
        taken = self.taken
        place = (bisect_right(range(0, len(taken), _NUMBERS), at_ns, key=taken.__getitem__) - 1) * _NUMBERS
        if place < 0:
            return Reading()
        numbers: list[Any] = [None if number == _UNKNOWN else number for number in taken[place : place + _NUMBERS]]
        return Reading(*numbers)


_readings = _Readings()


def read() -> Reading:
    """Return what is counted for the current thread now; tests replace this function."""
    try:
        computed_ns = clock.thread_ns()
        others_ns = max(0, clock.process_ns() - computed_ns) if _one_at_a_time() else 0
        waits, faults = None, 0
        if _usage is not None:
            usage = _usage()
            waits, faults = usage.ru_nvcsw, usage.ru_majflt
        delayed_ns = _delayed_ns()
    except (OSError, RuntimeError, ValueError):
        return Reading(clock.now_ns(), None)
    return Reading(clock.now_ns(), delayed_ns, computed_ns, others_ns, waits, faults)


def take_reading() -> Reading:
    """Return what is counted for the current thread now, and keep it to compare later readings with."""
    global due_ns  # noqa: PLW0603 - looked at for every call
    reading = read()
    if _readings.process != os.getpid():
        # The counts of a forked process begin anew.
        _readings.process, _readings.taken = os.getpid(), array("q")
    _readings.keep(reading)
    due_ns = reading.at_ns + _EVERY_NS
    return reading


def held_and_stalled_ns(since_ns: int, until_ns: int) -> tuple[int, int]:
    """
    Return what of the time from *since_ns* until now, *until_ns*, is certainly the code's own, and what is the rest.

    The rest is 0 where delays are unknown. Nearly all of the time counts as all: no thread runs without any delay.
    """
    now = take_reading()
    before = _readings.before(since_ns)
    held_ns, length_ns = body_ns(before, now, since_ns, until_ns), until_ns - since_ns
    if held_ns >= _WHOLE * length_ns:
        return length_ns, 0
    known = now.delayed_ns is not None and before.delayed_ns is not None
    return held_ns, length_ns - held_ns if known else 0


def body_ns(before: Reading, now: Reading, since_ns: int, until_ns: int) -> int:
    """
    Return for how long a stretch was certainly the body's own.

    Args:
        before: A reading from before the stretch.
        now: A reading from just after it.
        since_ns: When the stretch began.
        until_ns: When it ended.
    """
    length_ns = until_ns - since_ns
    computed_ns = now.computed_ns - before.computed_ns
    # The rest of it ran after the stretch had begun.
    surely_ns = computed_ns - (since_ns - before.at_ns)
    if now.delayed_ns is None or before.delayed_ns is None:
        return min(length_ns, max(0, surely_ns))
    delayed_ns = now.delayed_ns - before.delayed_ns
    # Other threads wait for a processor as much as this one does.
    locked_ns = (now.others_ns - before.others_ns) * (delayed_ns + computed_ns) // max(1, computed_ns)
    own_ns = length_ns - delayed_ns - (now.faults - before.faults) * _PAGE_NS
    if now.waits is not None and before.waits is not None:
        waits = now.waits - before.waits
        # A thread that waits for the interpreter's lock wakes up as often as the lock may be passed on.
        locked_ns = min(locked_ns, waits * int(sys.getswitchinterval() * 1e9))
        if not waits:
            own_ns = min(own_ns, computed_ns)
    return min(length_ns, max(0, surely_ns, own_ns - locked_ns))


def _delayed_ns() -> int | None:
    if _usage is None:
        return None if _is_crowded() else 0
    try:
        file = os.open(_DELAYS, os.O_RDONLY)
        try:
            return int(os.read(file, 100).split()[1])
        finally:
            os.close(file)
    except (OSError, IndexError):
        return None


def _is_crowded() -> bool:
    """Return whether more threads than there are processors wanted to run during the last minute."""
    try:
        return os.getloadavg()[0] > (os.cpu_count() or 1)
    except (AttributeError, OSError):  # Windows has no such figure
        return False


def _one_at_a_time() -> bool:
    """Return whether threads need the interpreter's lock."""
    enabled = getattr(sys, "_is_gil_enabled", None)
    return enabled is None or bool(enabled())
