"""Reports on a program that is ended by SIGTERM, and on one that runs on after SIGUSR1."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class SignalReports:
    """
    Handles SIGTERM and SIGUSR1 where they have their default effect, until `stop`.

    A handler of the program replaces ours. After SIGTERM, *ended* is called, and the process dies by the signal as it
    would have. After SIGUSR1, *requested* is called in a thread of its own, and the program goes on. A process that is
    forked from this one has the default effects again.
    """

    def __init__(self, ended: Callable[[], object], requested: Callable[[], object]) -> None:
        """Handle the signals from now on. Call it in the main thread."""
        self._ended = ended
        self._requested = requested
        self._process = os.getpid()
        self._handlers: dict[int, Callable[[int, Any], None]] = {}
        self._handle("SIGTERM", self._report_and_die)
        self._handle("SIGUSR1", self._report)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.stop)

    def stop(self) -> None:
        """Give the signals their default effects again, unless the program has handlers for them."""
        for number, handler in self._handlers.items():
            with contextlib.suppress(ValueError):  # not in the main thread
                if signal.getsignal(number) == handler:
                    signal.signal(number, signal.SIG_DFL)

    def _handle(self, name: str, handler: Callable[[int, Any], None]) -> None:
        number = getattr(signal, name, None)  # Windows has no SIGUSR1
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            self._handlers[number] = handler
            signal.signal(number, handler)

    def _report_and_die(self, number: int, _: object) -> None:
        if os.getpid() == self._process:
            signal.signal(number, signal.SIG_IGN)
            with contextlib.suppress(Exception):  # the process ends by the signal in any case
                self._ended()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _report(self, _: int, __: object) -> None:
        # A `threading.Thread` takes locks, which the program can hold where the signal interrupts it.
        with contextlib.suppress(RuntimeError):  # no thread can be started
            _thread.start_new_thread(self._report_apart, ())

    def _report_apart(self) -> None:
        with contextlib.suppress(Exception):  # the program goes on in any case
            self._requested()
