"""``run --live``: what the last lines of the terminal show, and that the terminal is as before at the end."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

import pytest

from otel_parallelism import LiveTurn
from otel_parallelism.cli.running.live_view import LINES, live_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Shell

S = 1_000_000_000


def opened(name: str, start_s: float, calls: int = 0, running: int = 0, ratio: float | None = None) -> LiveTurn:
    return LiveTurn(name, "", "1" * 32, "2" * 16, int(start_s * S), calls, running, 0.0, 0.0, ratio)


def test_lines_show_the_oldest_turns() -> None:
    turns = [opened("first", 1, 4, 2, 1.756), opened("second\x1b[2J", 2.5, 1, 1)]
    assert live_lines(turns, 0, 5 * S, 100) == [
        "2 turns open",
        "first                         4.0 s  4 calls, 2 running, ratio 1.76",
        "second?[2J                    2.5 s  1 call, 1 running",
    ]
    assert live_lines(turns, 3, 5 * S, 21) == ["5 turns open, 3 of t", "first               ", "second?[2J          "]


def test_lines_are_few() -> None:
    lines = live_lines([opened(f"turn {number}", 0) for number in range(40)], 0, S, 80)
    assert len(lines) == LINES
    assert (lines[0], lines[-1]) == ("40 turns open", "and 36 more")


@pytest.mark.process
def test_open_turns_are_drawn_while_the_program_runs(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(
        """
        with agent_turn("waiting"):
            sys.stdin.read(1)
        """
    )
    terminal, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    reading, writing = os.pipe()
    process = subprocess.Popen(  # noqa: S603 - what the test itself wrote
        shell.command("run", "--live", "-o", "report.txt", "agent.py"),
        cwd=shell.folder,
        env=shell.environment,
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=side,
    )
    os.close(side)
    os.close(reading)
    drawn = b""
    while b"0 calls, 0 running" not in drawn:
        drawn += os.read(terminal, 4096)
    assert b"\x1b[1;18r" in drawn
    assert b"\x1b[19;1H\x1b[2K1 turn open" in drawn
    os.close(writing)
    while b"text report written to report.txt" not in drawn:
        drawn += os.read(terminal, 4096)
    assert process.wait(60) == 0
    os.close(terminal)
    assert drawn.rindex(b"\x1b[r") > drawn.rindex(b"turn open")


@pytest.mark.process
def test_without_a_terminal_nothing_is_drawn(shell: Shell) -> None:
    shell.write("agent.py", "")
    done = shell("run", "--live", "-o", "report.txt", "agent.py")
    assert done.stderr == b"--live shows nothing: standard error is no terminal\ntext report written to report.txt\n"
