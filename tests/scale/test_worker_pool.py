"""Worker processes: their results, and how they end."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.scale.worker_pool import WorkerError, WorkerPool, usable_cores
from tests.cli.conftest import Shell
from tests.fleet.month import lines, month
from tests.scale.pool_tasks import prepare

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.process
LONGEST_S = 30


def test_each_task_has_its_result() -> None:
    with WorkerPool(2, prepare, -1) as pool:
        tasks = [str(number) for number in range(40)]
        found = dict(pool.results(tasks))
        assert [found[place][1] for place in range(40)] == [text * 2 for text in tasks]
        assert {number for number, _ in found.values()} <= {0, 1}
        assert list(pool.results([])) == []
    assert usable_cores() >= 1


@pytest.mark.parametrize(
    ("tasks", "unready", "message"),
    [
        (["a", "die"], -1, r"a worker process was ended \(SIGKILL\); if memory is short, take fewer with --jobs"),
        (["a", "raise", "b"], -1, r"(?s)a worker process failed: Traceback.*LookupError: raise"),
        (["a", "full"], -1, rf"^a worker process failed: \[Errno {errno.ENOSPC}\] {os.strerror(errno.ENOSPC)}$"),
        (["a"], 1, r"(?s)a worker process failed: Traceback.*ValueError: no room"),
    ],
)
def test_what_ends_a_worker_is_named(tasks: list[str], unready: int, message: str) -> None:
    with pytest.raises(WorkerError, match=message), WorkerPool(2, prepare, unready) as pool:
        list(pool.results(tasks))


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the ids of the worker processes of *process*, which are two, once both run."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        found = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        if len(found) == 2 and not list(Path(process.cwd).glob("otel-parallelism-*/spans-*")):  # type: ignore[attr-defined]
            return found
        time.sleep(0.02)
    pytest.fail("the workers did not start")


@pytest.fixture
def waiting(tmp_path: Path) -> subprocess.Popen[bytes]:
    """Return a real ``analyze --jobs 2`` whose workers run, and which reads a pipe without an end."""
    shell = Shell(tmp_path)
    shell.write("spans", "\n".join(lines(month(3))))
    os.mkfifo(tmp_path / "pipe")
    process = shell.start(shell.command("analyze", "pipe", "spans", "--jobs", "2"), TMPDIR=str(tmp_path))
    process.cwd = str(tmp_path)  # type: ignore[attr-defined]
    return process


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the workers")
def test_an_interrupt_ends_all_processes_and_leaves_nothing(waiting: subprocess.Popen[bytes], tmp_path: Path) -> None:
    workers = workers_of(waiting)
    for pid in (waiting.pid, *workers):  # as a terminal does
        with contextlib.suppress(ProcessLookupError):  # the command may have ended its workers by then
            os.kill(pid, signal.SIGINT)
    out, told = waiting.communicate(timeout=LONGEST_S)
    assert (out, told, waiting.returncode) == (b"", b"", -signal.SIGINT)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", "spans"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the workers")
def test_a_killed_worker_ends_the_command(waiting: subprocess.Popen[bytes], tmp_path: Path) -> None:
    os.kill(workers_of(waiting)[0], signal.SIGKILL)
    with (tmp_path / "pipe").open("w", encoding="utf-8") as pipe:
        pipe.write("{}\n")
    out, told = waiting.communicate(timeout=LONGEST_S)
    assert (out, waiting.returncode) == (b"", 2)
    assert told == b"a worker process was ended (SIGKILL); if memory is short, take fewer with --jobs\n"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the workers")
def test_workers_end_with_the_command(waiting: subprocess.Popen[bytes]) -> None:
    workers = workers_of(waiting)
    waiting.kill()
    waiting.communicate(timeout=LONGEST_S)
    end = time.monotonic() + LONGEST_S
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_command_prints_the_same_with_several_processes(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.write("a", "{no}\n" + "\n".join(lines(month(30))) + "\n{no}\n" * 9)
    shell.write("b", "\n".join(lines(month(20, seed=2))) + "\n{no")
    for inputs, status, skipped in ((("a", "b", "-"), 2, 6), (("a", "b"), 0, 6)):
        one, two = (
            shell("analyze", *inputs, "--jobs", jobs, "--format", "json", OTEL_PARALLELISM_MIN_AVOIDABLE="0.4")
            for jobs in ("1", "2")
        )
        assert (two.stdout, two.stderr, two.returncode) == (one.stdout, one.stderr, one.returncode)
        assert (one.returncode, one.stderr.count(b"skipped")) == (status, skipped)
    assert b'"turns": 50' in one.stdout
