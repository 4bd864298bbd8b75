"""Standard output that is full, closed, or no longer read ends every command with status 2 and at most one line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke, Shell

SPANS = Path(__file__).parents[1] / "fixtures" / "spans" / "mastra-native.jsonl"
COMMANDS = ("analyze", "compare", "fix", "fleet", "lint", "sessions", "doctor", "clickhouse-sql")


def arguments(command: str, shell: Shell) -> list[str | Path]:
    shell.write("app.py", "x = 1\n")
    inputs: dict[str, list[str | Path]] = {"lint": ["app.py"], "sessions": [], "doctor": [], "clickhouse-sql": []}
    return [command, *inputs.get(command, [SPANS])]


@pytest.mark.process
@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no device here is full")
@pytest.mark.parametrize("command", COMMANDS)
def test_full_output_is_an_error_of_one_line(shell: Shell, command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = shell.finish(shell.start(shell.command(*arguments(command, shell)), stdout=full.fileno()))
    assert done.returncode == 2, done.stderr
    assert done.stderr.count(b"No space left on device\n") == 1
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.process
@pytest.mark.parametrize("command", ["analyze", "fleet", "sessions", "clickhouse-sql"])
def test_closed_output_is_an_error(shell: Shell, command: str) -> None:
    closing = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    done = shell.python("-c", closing, "-m", "otel_parallelism", *arguments(command, shell))
    assert done.returncode == 2, done.stderr
    assert done.stderr.count(b"Bad file descriptor\n") == 1
    assert b"Traceback" not in done.stderr


@pytest.mark.process
@pytest.mark.parametrize("command", ["analyze", "fleet", "fix", "sessions", "clickhouse-sql"])
def test_a_pipe_that_nothing_reads_needs_no_message(shell: Shell, command: str) -> None:
    expected = shell(*arguments(command, shell)).stderr
    read, written = os.pipe()
    os.close(read)
    try:
        done = shell.finish(shell.start(shell.command(*arguments(command, shell)), stdout=written))
    finally:
        os.close(written)
    assert (done.returncode, done.stderr) == (2, expected)


@pytest.mark.process
def test_output_of_a_program_is_its_own_affair(shell: Shell) -> None:
    shell.write("app.py", "import sys; sys.stdout = None\n")
    done = shell("run", "-o", "report.txt", "app.py")
    assert done.returncode == 0, done.stderr


def test_what_programs_read_is_utf_8_where_the_encoding_lacks_a_letter(invoke: Invoke) -> None:
    expected = invoke("clickhouse-sql")
    done = invoke("clickhouse-sql", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stdout) == (0, expected.stdout)
