"""``run`` reports on a program that SIGTERM ends, and on one that goes on after SIGUSR1."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Shell

pytestmark = pytest.mark.process

WAITING = """
    import os, signal, time
    asyncio.run(together())
    print("waiting", flush=True)
    for line in sys.stdin:
        asyncio.run(together())
        print("again", flush=True)
    time.sleep(30)
"""


def test_sigterm_ends_the_process_after_the_report(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(WAITING)
    process = shell.start(shell.command("run", "--output", "report.json", "agent.py"))
    assert process.stdout is not None
    assert process.stdout.readline() == b"waiting\n"
    process.send_signal(signal.SIGTERM)
    done = shell.finish(process)
    assert (done.stderr, done.returncode) == (b"JSON report written to report.json\n", -signal.SIGTERM)
    [turn] = json.loads((shell.folder / "report.json").read_bytes())["turns"]
    assert (turn["agent"], turn["verdict"]) == ("planner", "parallel")


def test_sigusr1_prints_the_report_so_far(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(WAITING)
    process = shell.start(shell.command("run", "--output", "report.json", "agent.py"))
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"waiting\n"
    process.send_signal(signal.SIGUSR1)
    assert process.stderr.readline().startswith(b"1 turn \xc2\xb7 ")
    process.send_signal(signal.SIGTERM)
    done = shell.finish(process)
    assert done.stderr.endswith(b"JSON report written to report.json\n")
    assert done.returncode == -signal.SIGTERM


def test_handlers_of_the_program_stay(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(
        """
        import os, signal
        assert asyncio.run(together())
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, lambda number, _: print(number, flush=True))
            os.kill(os.getpid(), number)
        if not os.fork():
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGUSR1)
        print(os.WTERMSIG(os.wait()[1]))
        """
    )
    done = shell("run", "-o", "report.txt", "agent.py")
    numbers = [int(number) for number in done.stdout.split()]
    assert numbers == [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR1]
    assert (done.stderr, done.returncode) == (b"text report written to report.txt\n", 0)


def test_forked_process_dies_by_the_signals_at_once(shell: Shell) -> None:
    shell.write(
        "agent.py",
        """
        import os, signal
        for number in (signal.SIGTERM, signal.SIGUSR1):
            if not os.fork():
                assert signal.getsignal(number) is signal.SIG_DFL
                os.kill(os.getpid(), number)
            print(os.WTERMSIG(os.wait()[1]), flush=True)
        """,
    )
    done = shell("run", "-o", "report.txt", "agent.py")
    assert [int(number) for number in done.stdout.split()] == [signal.SIGTERM, signal.SIGUSR1]
