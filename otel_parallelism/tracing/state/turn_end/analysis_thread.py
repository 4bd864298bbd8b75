"""
Runs the analyses of turns that cost too much for the program to wait for: one after another, in one thread.

The thread holds the interpreter's lock for about `STRETCH_S` and then sleeps for a moment: a thread that computes
without a pause would make an event loop wait for 5 ms each time. Meanwhile only the youngest objects are searched for
garbage: what an analysis makes does not outlive it, and to search everything would stop the program for longer than
the analysis does. The thread ends when it has had nothing to do for a while. At the interpreter's exit, the analyses
that are left run to their end first.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import sys
import threading
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from otel_parallelism import clock
from otel_parallelism.pace import set_pace
from otel_parallelism.tracing.shield import swallow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

STRETCH_S: Final = 0.000_2
"""How long the thread computes without a pause, in seconds."""

_PAUSE_S = 0.001
_PAUSES_A_COLLECTION = 5
"""After so many pauses, the youngest objects are searched for garbage."""

_IDLE_S = 60.0
_EXIT_S = 10.0
_NEVER = (1 << 31) - 1


class AnalysisThread:
    """
    The thread, and the analyses that wait for it.

    Attributes:
        available: Whether a thread can be started. It cannot where the platform has none, and once the interpreter
            shuts down.
        waiting: The analyses that are not done yet, the oldest first.
    """

    def __init__(self) -> None:
        self.available: bool = True
        self._thresholds: tuple[int, int, int] | None = None
        self.forget()

    def forget(self) -> None:
        """Forget all analyses and the thread, which do not exist in a forked process."""
        # An RLock: a garbage collection may end a turn while this very thread holds it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self.waiting: deque[Callable[[], None]] = deque()
        self._ident = 0
        self._waiting_threads = 0
        self._due_s = 0.0
        self._pauses = 0
        self._resume_collections()
        set_pace(None)

    def submit(self, analysis: Callable[[], None]) -> None:
        """Run *analysis* after those submitted before; it must raise nothing. Without a thread, run it here."""
        with self._lock:
            if self._ident or self._start():
                self.waiting.append(analysis)
                self._changed.notify_all()
                return
        analysis()

    def wait(self, is_done: Callable[[], bool], timeout_s: float) -> bool:
        """
        Wait until *is_done* returns True, for at most *timeout_s* seconds; return what it returned last.

        Meanwhile the analyses make no pauses.
        """
        with self._lock:
            if get_ident() == self._ident or timeout_s <= 0:  # or a subscriber that asks for what it is itself told
                return is_done()
            self._waiting_threads += 1
            try:
                return self._changed.wait_for(is_done, timeout_s)
            finally:
                self._waiting_threads -= 1

    def wait_for_all(self, timeout_s: float) -> bool:
        """Wait until no analysis is left, for at most *timeout_s* seconds; return whether none is."""
        return self.wait(lambda: not self.waiting, timeout_s)

    def _start(self) -> bool:
        """Start the thread; return False where that is impossible. The caller holds the lock."""
        if not self.available:
            return False
        thread = threading.Thread(target=self._work, name="otel-parallelism", daemon=True)
        self._ident = -1
        try:
            thread.start()
        except RuntimeError:
            # There are no threads here, or there will be no further ones in this process.
            self._ident = 0
            self.available = False
            return False
        # Again at each start: functions registered later run earlier, so ours comes before those of the providers.
        atexit.unregister(self._finish)
        atexit.register(self._finish)
        return True

    def _finish(self) -> None:
        """Let the thread finish before the interpreter exits."""
        self.wait_for_all(_EXIT_S)

    def _work(self) -> None:
        """Run the analyses until none has come for `_IDLE_S`."""
        lock, changed = self._lock, self._changed
        with lock:
            self._ident = get_ident()
        set_pace(self._paced)
        while True:
            with lock:
                if not changed.wait_for(lambda: self.waiting, _IDLE_S):
                    self._ident = 0
                    set_pace(None)
                    return
                analysis = self.waiting[0]
            try:
                self._due_s = clock.monotonic_s() + STRETCH_S
                self._postpone_collections()
                analysis()
            except BaseException as error:  # noqa: BLE001 - the next one must run
                swallow("analysing a turn", error)
            # Its last objects are freed before it counts as done.
            del analysis
            self._resume_collections()
            with lock:
                self.waiting.popleft()
                changed.notify_all()

    def _postpone_collections(self) -> None:
        """
        Let only the youngest objects be searched for garbage.

        Where older ones are due, as after another analysis, they come first: what the program drops must not pile up.
        """
        before = gc.get_threshold()
        if before[0] and gc.get_count()[1] <= before[1]:
            self._thresholds = before
            gc.set_threshold(before[0], _NEVER, _NEVER)

    def _resume_collections(self) -> None:
        """Undo `_postpone_collections`, unless the program has changed what it set."""
        before, self._thresholds = self._thresholds, None
        if before is not None and gc.get_threshold() == (before[0], _NEVER, _NEVER):
            gc.set_threshold(*before)

    def _paced(self, items: Iterable[Any]) -> Iterable[Any]:
        """Return *items* with pauses between them in this thread; unchanged in others."""
        return self._with_pauses(items) if get_ident() == self._ident else items

    def _with_pauses(self, items: Iterable[Any]) -> Iterator[Any]:
        now_s = clock.monotonic_s
        for item in items:
            if now_s() >= self._due_s and not self._waiting_threads:
                self._pause()
            yield item

    def _pause(self) -> None:
        """Let other threads run for a moment."""
        self._pauses += 1
        if self._thresholds is None:
            # A collection that was due as the analysis began may be done by now.
            self._postpone_collections()
        if not self._pauses % _PAUSES_A_COLLECTION and self._thresholds is not None and gc.isenabled():
            # A collection searches what is new since the one before. A set that has grown to many thousands of values
            # would take long, perhaps in the program's thread. Searched while it is small, it is not new afterwards.
            gc.collect(0)
        # Long enough for another thread to take the lock that this one gives up, on a busy machine too.
        clock.sleep_s(_PAUSE_S)
        self._due_s = clock.monotonic_s() + STRETCH_S


def is_in_event_loop() -> bool:
    """Return whether an event loop runs in this thread: asyncio's, or another that sniffio knows, such as Trio's."""
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented; it does not raise
        return True
    sniffio: Any = sys.modules.get("sniffio")
    if sniffio is None:
        return False
    try:
        return bool(sniffio.current_async_library())
    except sniffio.AsyncLibraryNotFoundError:
        return False


ANALYSIS_THREAD = AnalysisThread()
"""The thread of this process."""
