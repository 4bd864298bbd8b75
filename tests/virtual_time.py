"""
A clock that jumps: delays take no time and last exactly as long as they say.

While `CLOCK.running()` is active, ``time.sleep``, the timers of a `VirtualLoop`, ``otel_parallelism.clock`` and the
timestamps of OpenTelemetry's SDK share one clock. The clock jumps to the next deadline as soon as no thread can run:
each one sleeps or is an idle event loop. It counts the main thread, threads that are started meanwhile and the work
given to thread pools. A thread that waits for something else, such as a lock or another thread's end, cannot be told
from one that computes, so the clock jumps after `GRACE_S` in which no thread began to run or to wait. Where no deadline
is left to jump to, a loop fails after `HANG_S` without an event.

Each reading of the time of day is 1 ns after the one before, so that the order of events shows in their timestamps.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import thread as pools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import opentelemetry.sdk.trace
import pytest

from otel_parallelism import clock
from otel_parallelism.tracing.spans import machine_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

START_NS = 1_900_000_000 * 10**9
GRACE_S = 0.25
HANG_S = 60
_REAL_SLEEP = time.sleep


def exactly(seconds: float) -> Any:
    """Return what equals *seconds* up to the nanoseconds that readings of the clock add."""
    return pytest.approx(seconds, abs=2e-6)


class VirtualClock:
    """The clock, and which threads could run."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._reset()

    def _reset(self) -> None:
        self._jumped_ns = START_NS
        self._readings = itertools.count()
        self._changes = 0
        self._counted: set[int] = set()
        self._started: set[threading.Thread] = set()
        self._work: WeakKeyDictionary[ThreadPoolExecutor, set[Future[Any]]] = WeakKeyDictionary()
        self._waiting: dict[int, float] = {}
        self._loops: dict[int, VirtualLoop] = {}

    def now_ns(self) -> int:
        """Return the time of day in nanoseconds, 1 ns later at each call."""
        return self._jumped_ns + next(self._readings)

    def monotonic_s(self) -> float:
        """Return the seconds that the clock has jumped since it was started."""
        return (self._jumped_ns - START_NS) / 1e9

    @contextmanager
    def running(self) -> Iterator[VirtualClock]:
        """Let this process take its time from here; the calling thread counts as the main thread."""
        self._reset()
        self._counted.add(threading.get_ident())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clock, "passed_ns", lambda: self.now_ns() - clock.BEGAN_NS)
            patch.setattr(clock, "wall_ns", self.now_ns)
            patch.setattr(clock, "monotonic_s", self.monotonic_s)
            patch.setattr(opentelemetry.sdk.trace, "time_ns", self.now_ns)
            # What the machine takes away is real, and does not fit to times that are not.
            patch.setattr(machine_time, "read", lambda: machine_time.Reading(clock.now_ns(), waits=None))
            patch.setattr(machine_time, "due_ns", 0)
            patch.setattr(time, "sleep", self.sleep)
            patch.setattr(threading.Thread, "start", self._count_start(threading.Thread.start))
            patch.setattr(threading.Thread, "_bootstrap_inner", self._count_end(threading.Thread._bootstrap_inner))
            patch.setattr(ThreadPoolExecutor, "submit", self._count_submit(ThreadPoolExecutor.submit))
            patch.setattr(pools._WorkItem, "run", self._count_run(pools._WorkItem.run))
            yield self

    def sleep(self, seconds: float) -> None:
        """Block the calling thread until the clock has jumped over *seconds*; a thread not counted sleeps for real."""
        me = threading.get_ident()
        if me not in self._counted or seconds <= 0:
            _REAL_SLEEP(seconds)
            return
        with self._changed:
            self._begin_to_wait(me, self._jumped_ns + _ns(seconds))
            while me in self._waiting:
                changes = self._changes
                if not self._changed.wait(GRACE_S) and changes == self._changes:
                    self._jump()

    def idle(self, loop: VirtualLoop, timeout_s: float | None, poll: Callable[[float | None], list[Any]]) -> list[Any]:
        """
        Wait for a loop's next timer or for an event.

        Args:
            loop: The loop that has nothing to do.
            timeout_s: Seconds until its next timer; None without one.
            poll: Waits for events at most that many real seconds and returns them.

        Returns:
            The events; none at a timer.
        """
        me = threading.get_ident()
        with self._changed:
            # A thread that gave the loop something to do since it last looked did not find it idle.
            events = poll(0)
            if events:
                return events
            self._loops[me] = loop
            self._begin_to_wait(me, math.inf if timeout_s is None else self._jumped_ns + _ns(timeout_s))
        while not events and me in self._waiting:
            changes = self._changes
            can_jump = min(self._waiting.values(), default=math.inf) < math.inf
            events = poll(GRACE_S if can_jump else HANG_S)
            with self._changed:
                if not events and changes == self._changes:
                    if not can_jump:
                        message = f"no event and no timer in {HANG_S} s: the test hangs"
                        raise RuntimeError(message)
                    self._jump()
        with self._changed:
            self._end_waiting(me)
            del self._loops[me]
        return events or poll(0)

    def wake(self, loop: VirtualLoop) -> None:
        """Count the thread of an idle *loop* that was given something to do by another thread."""
        with self._changed:
            for thread, idle in self._loops.items():
                if idle is loop:
                    self._end_waiting(thread)

    def _begin_to_wait(self, thread: int, deadline_ns: float) -> None:
        self._waiting[thread] = deadline_ns
        self._jump_if_due()

    def _end_waiting(self, thread: int) -> None:
        self._waiting.pop(thread, None)
        self._changes += 1

    def _jump_if_due(self) -> None:
        """Note that a thread began to wait or ended; jump if that was the last one that could run."""
        self._changes += 1
        # A pool runs no more of its work than it has threads; 1 is the main thread.
        work = sum(min(len(futures), pool._max_workers) for pool, futures in self._work.items())
        if 1 + len(self._started) + work <= sum(thread in self._counted for thread in self._waiting):
            self._jump()

    def _jump(self) -> None:
        """Jump to the next deadline, if there is one, and wake the threads that wait for it."""
        next_ns = min(self._waiting.values(), default=math.inf)
        if next_ns == math.inf:
            return
        self._jumped_ns = max(self._jumped_ns, int(next_ns))
        for thread in [thread for thread, deadline_ns in self._waiting.items() if deadline_ns <= self._jumped_ns]:
            self._end_waiting(thread)
            if thread in self._loops and thread != threading.get_ident():
                self._loops[thread].interrupt()
        self._changed.notify_all()

    def _count_start(self, start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
        def counted(thread: threading.Thread) -> None:
            if getattr(thread, "_target", None) is not pools._worker:
                with self._changed:
                    self._started.add(thread)
                    self._changes += 1
            start(thread)

        return counted

    def _count_end(self, live: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
        def counted(thread: threading.Thread) -> None:
            me = threading.get_ident()
            if thread in self._started:
                self._counted.add(me)
            try:
                live(thread)
            finally:
                with self._changed:
                    self._counted.discard(me)
                    self._started.discard(thread)
                    self._jump_if_due()

        return counted

    def _count_submit(self, submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
        def counted(pool: ThreadPoolExecutor, /, *args: Any, **kwargs: Any) -> Future[Any]:
            # Submitting may start the work at once, so the lock is held until the work is counted.
            with self._changed:
                future = submit(pool, *args, **kwargs)
                self._work.setdefault(pool, set()).add(future)
                self._changes += 1
            future.add_done_callback(lambda done: self._end_work(done) if done.cancelled() else None)
            return future

        return counted

    def _count_run(self, run: Callable[..., None]) -> Callable[..., None]:
        def counted(item: Any, *args: Any) -> None:
            me, future = threading.get_ident(), item.future
            self._counted.add(me)
            try:
                run(item, *args)
            finally:
                self._counted.discard(me)
                self._end_work(future)

        return counted

    def _end_work(self, future: Future[Any]) -> None:
        with self._changed:
            for futures in self._work.values():
                futures.discard(future)
            self._jump_if_due()


CLOCK = VirtualClock()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers follow `CLOCK`; its own time begins at 0."""

    def __init__(self) -> None:
        self._began_s = CLOCK.monotonic_s()
        super().__init__()
        self._poll = self._selector.select
        self._selector.select = self._select

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return CLOCK.monotonic_s() - self._began_s

    def _select(self, timeout: float | None = None) -> list[Any]:
        events: list[Any] = self._poll(0)
        return events if events or timeout == 0 else CLOCK.idle(self, timeout, self._poll)

    def _write_to_self(self) -> None:
        super()._write_to_self()
        CLOCK.wake(self)

    def interrupt(self) -> None:
        """Let the selector return."""
        super()._write_to_self()


def run(main: Awaitable[Any]) -> Any:
    """Return what *main* returns, in a new virtual loop."""

    async def awaited() -> Any:
        return await main

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(awaited())


def _ns(seconds: float) -> int:
    """Return a delay in nanoseconds, 1 at least."""
    return max(1, round(seconds * 1e9))
