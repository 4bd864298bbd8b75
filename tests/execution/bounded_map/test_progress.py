from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

PROGRAM = """
import asyncio, sys
from otel_parallelism.execution import parallel_map

async def load(number):
    await asyncio.sleep(0.001)

async def main():
    await parallel_map(range(7), load, limit=2, progress=True)

asyncio.run(main())
print("rich" in sys.modules)
"""


def test_a_bar_in_a_terminal() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(  # noqa: S603 - the command is ours
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        check=True,
        timeout=30,
    )
    os.close(theirs)
    drawn = os.read(ours, 1_000_000).decode()
    os.close(ours)
    assert "load" in drawn
    assert "7/7" in drawn
    assert done.stdout == b"True\n"


def test_nothing_without_one() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)  # noqa: S603 - the command is ours
    assert done.stderr == b""
    assert done.stdout == b"False\n"
