"""Shows the open turns of a running program in the last lines of the terminal."""

from __future__ import annotations

import _thread
import contextlib
import os
from typing import TYPE_CHECKING, Final

from otel_parallelism import clock
from otel_parallelism.reports.parts.wording import counted
from otel_parallelism.shown_names import shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_parallelism import LiveTurn

LINES: Final = 6
"""The number of lines that are used, of a terminal with at least twice as many."""
INTERVAL_S: Final = 0.25

_NAME: Final = 24
_SAVE, _RESTORE, _ERASE, _WHOLE = "\x1b7", "\x1b8", "\x1b[2K", "\x1b[r"


class LiveView:
    """
    Draws in a thread of its own until `stop`.

    The lines above stay the program's: the terminal scrolls only these. Nothing is drawn in forked processes.

    Args:
        terminal: The descriptor of the terminal.
        open_turns: Returns the open turns of this process.
        elsewhere: Returns the number of open turns of child processes.
    """

    def __init__(
        self, terminal: int, open_turns: Callable[[], Sequence[LiveTurn]], elsewhere: Callable[[], int]
    ) -> None:
        """Start to draw."""
        self._terminal = terminal
        self._open_turns = open_turns
        self._elsewhere = elsewhere
        self._process = os.getpid()
        self._height = 0
        self._stopping = _thread.allocate_lock()
        self._stopped = _thread.allocate_lock()
        self._stopping.acquire()
        self._stopped.acquire()
        # A `threading.Thread` would be among the threads that the program sees.
        _thread.start_new_thread(self._run, ())

    def stop(self) -> None:
        """Erase what is drawn and give the terminal all its lines; nothing happens in a forked process."""
        if self._process != os.getpid() or not self._stopping.locked():
            return
        self._stopping.release()
        self._stopped.acquire(timeout=10 * INTERVAL_S)

    def _run(self) -> None:
        with contextlib.suppress(Exception):  # no terminal any more
            while not self._stopping.acquire(timeout=INTERVAL_S):
                self._draw()
        self._stopping.acquire(blocking=False)
        self._stopping.release()
        with contextlib.suppress(Exception):
            if self._height:
                rows = range(self._height - LINES + 1, self._height + 1)
                erased = "".join(f"\x1b[{row};1H{_ERASE}" for row in rows)
                self._write(f"{_SAVE}{_WHOLE}{erased}{_RESTORE}")
        self._stopped.release()

    def _draw(self) -> None:
        width, height = os.get_terminal_size(self._terminal)
        if height < 2 * LINES:
            return
        if height != self._height:
            # Scroll up what stands in the last lines, and let the terminal scroll only the lines above.
            self._write("\n" * LINES + f"\x1b[{LINES}A{_SAVE}\x1b[1;{height - LINES}r{_RESTORE}")
            self._height = height
        lines = live_lines(self._open_turns(), self._elsewhere(), clock.now_ns(), width)
        drawn = "".join(
            f"\x1b[{height - LINES + 1 + at};1H{_ERASE}{lines[at] if at < len(lines) else ''}" for at in range(LINES)
        )
        self._write(f"{_SAVE}{drawn}{_RESTORE}")

    def _write(self, text: str) -> None:
        os.write(self._terminal, text.encode("ascii", "replace"))


def live_lines(turns: Sequence[LiveTurn], elsewhere: int, now_ns: int, width: int) -> list[str]:
    """
    Return at most `LINES` lines of *width* cells: how many turns are open, and the oldest of them.

    Args:
        turns: The open turns of this process, in order of start.
        elsewhere: The number of open turns of child processes.
        now_ns: The time up to which they have lasted.
        width: The width of the terminal.
    """
    head = f"{counted(len(turns) + elsewhere, 'turn')} open"
    head += f", {elsewhere:,} of them in child processes" if elsewhere else ""
    shown = turns if len(turns) < LINES else turns[: LINES - 2]
    lines = [head, *(_line(turn, now_ns) for turn in shown)]
    if len(shown) < len(turns):
        lines.append(f"and {len(turns) - len(shown):,} more")
    return [line[: width - 1] for line in lines]


def _line(turn: LiveTurn, now_ns: int) -> str:
    name = shown_name(turn.agent or turn.name)[:_NAME]
    ratio = "" if turn.ratio is None else f", ratio {turn.ratio:.2f}"
    lasted_s = max(0, now_ns - turn.start_ns) / 1e9
    return f"{name:{_NAME}} {lasted_s:8.1f} s  {counted(turn.calls, 'call')}, {turn.open_calls:,} running{ratio}"
