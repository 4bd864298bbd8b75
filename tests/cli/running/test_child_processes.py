"""``run`` follows child processes: one report of all turns, and nothing else about the program changes."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Completed, Shell

pytestmark = pytest.mark.process


@pytest.fixture
def temporary(shell: Shell) -> Path:
    """A folder for temporary files of the program and of ours."""
    folder = shell.folder / "temporary"
    folder.mkdir()
    shell.environment["TMPDIR"] = str(folder)
    return folder


def agents(done: Completed) -> list[str]:
    return [turn["agent"] for turn in report(done)["turns"]]


def report(done: Completed) -> Any:
    return json.loads(done.stdout[done.stdout.index(b"{") :])


POOL = """
    import multiprocessing, os

    async def turn(name):
        with agent_turn(name):
            await asyncio.gather(*map(look_up, ("Lisbon", "Porto")))

    def work(number):
        asyncio.run(turn(f"worker {number}"))

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        with context.Pool(2) as pool:
            pool.map(work, range(3), chunksize=1)
        asyncio.run(turn("parent"))
        context.Process(target=work, args=(3,)).start()
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pool_and_process_that_is_not_joined_are_in_the_report(
    shell: Shell, agent: Callable[[str], Path], temporary: Path, method: str
) -> None:
    agent(POOL)
    done = shell("run", "--format", "json", "agent.py", method)
    assert (done.stderr, done.returncode) == (b"", 0)
    assert sorted(agents(done)) == ["parent", *(f"worker {number}" for number in range(4))]
    assert report(done)["coverage"] == {"calls": 10, "calls_without_turn": 0, "spans": 15, "anomalies": 0}
    starts = [turn["start"] for turn in report(done)["turns"]]
    assert starts == sorted(starts)
    assert list(temporary.iterdir()) == []


def test_killed_process_loses_only_its_open_turns(shell: Shell, agent: Callable[[str], Path], temporary: Path) -> None:
    agent(
        """
        import os, signal, subprocess, time

        if sys.argv[1:] == ["child"]:
            with agent_turn("wrapper"):
                asyncio.run(together())
            with agent_turn("lost"):
                os.kill(os.getpid(), signal.SIGKILL)
        ended = subprocess.run([sys.executable, "agent.py", "child"])
        print(ended.returncode)
        """
    )
    done = shell("run", "--format", "json", "agent.py")
    assert done.stdout.startswith(f"{-signal.SIGKILL}\n".encode())
    assert agents(done) == ["planner"]
    assert (done.stderr, done.returncode) == (b"1 turn of 1 child process not ended and not in the report\n", 0)
    assert list(temporary.iterdir()) == []


def test_asking_where_a_module_is_starts_nothing(shell: Shell) -> None:
    """Coverage does so at the start of a process, and drops what is imported meanwhile."""
    shell.write(
        "child.py",
        """
        import importlib.util, sys
        before = set(sys.modules)
        assert importlib.util.find_spec("otel_parallelism").name == "otel_parallelism"
        assert not [name for name in set(sys.modules) - before if name.startswith("otel_parallelism")]
        from otel_parallelism import agent_turn, profiled
        with agent_turn("asked"):
            profiled(len)("ab")
        """,
    )
    shell.write("agent.py", "import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], check=True)\n")
    done = shell("run", "--format", "json", "agent.py")
    assert (done.stderr, agents(done)) == (b"", ["asked"])


def test_processes_without_the_instrumentation_are_counted(shell: Shell) -> None:
    shell.write(
        "agent.py",
        """
        import os, subprocess, sys
        subprocess.run([sys.executable, "-I", "-c", ""])
        subprocess.run([sys.executable, "-c", ""], env={})
        subprocess.run([sys.executable, "-c", "", "-I"])
        subprocess.run(["env", "python3", "-E", "-V"])
        subprocess.run(["echo", "python", "-I"])
        subprocess.run("true; X=1 nice python3 -S -V | cat", shell=True)
        os.system("python3 -V")
        os.waitpid(os.fork() or os._exit(0), 0)
        """,
    )
    done = shell("run", "--output", "report.txt", "agent.py")
    told = b"4 child processes of Python not followed: started without our PYTHONPATH, or with -I, -E or -S\n"
    assert (done.stderr, done.returncode) == (told + b"text report written to report.txt\n", 0)


def test_processes_start_as_they_would(shell: Shell, temporary: Path) -> None:
    shell.write("customized/sitecustomize.py", "print('customized', flush=True)\n")
    shell.write(
        "child.py",
        """
        import sys
        print(sys.path, sorted(name for name in sys.modules if "opentelemetry" in name), sys.meta_path[-1].__name__)
        import opentelemetry.trace, otel_parallelism
        print(otel_parallelism.__spec__.loader.name, type(opentelemetry.trace.get_tracer_provider()).__name__)
        print(type(opentelemetry.__spec__.loader).__name__, otel_parallelism.settings.__name__)
        sys.exit(3)
        """,
    )
    shell.write(
        "agent.py", "import subprocess, sys\nsys.exit(subprocess.run([sys.executable, 'child.py']).returncode)\n"
    )
    path = str(shell.folder / "customized")
    alone = shell.python("agent.py", PYTHONPATH=path)
    done = shell("run", "-o", "report.txt", "agent.py", PYTHONPATH=path)
    assert alone.stdout.startswith(b"customized\ncustomized\n")
    assert (done.stdout, done.returncode) == (alone.stdout, 3)
    assert list(temporary.iterdir()) == []


def test_order_of_functions_at_exit_is_kept(shell: Shell) -> None:
    """A process that ends only by a function of ``atexit`` does not keep the program from its end."""
    shell.write(
        "agent.py",
        """
        import atexit, multiprocessing, sys
        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            stop = context.Event()
            process = context.Process(target=stop.wait)
            process.start()
            atexit.register(stop.set)
            print("started", flush=True)
        """,
    )
    done = shell("run", "agent.py")
    assert done.stdout.startswith(b"started\nNo turn found")
    assert (done.stderr, done.returncode) == (b"", 0)


def test_only_the_user_can_enter_the_folder(shell: Shell, agent: Callable[[str], Path], temporary: Path) -> None:
    agent(
        """
        import os, tempfile
        os.waitpid(os.fork() or (asyncio.run(together()), os._exit(0)), 0)
        [folder] = os.listdir(tempfile.gettempdir())
        path = os.path.join(tempfile.gettempdir(), folder)
        print(oct(os.stat(path).st_mode & 0o777), os.listdir(path))
        """
    )
    done = shell("run", "--format", "json", "agent.py")
    assert done.stdout.startswith(b"0o700 ['turns']\n")
    assert agents(done) == ["planner"]
    assert list(temporary.iterdir()) == []


def test_program_without_children_makes_no_folder(shell: Shell, agent: Callable[[str], Path], temporary: Path) -> None:
    agent("import os, tempfile\nasyncio.run(together())\nprint(os.listdir(tempfile.gettempdir()))")
    assert shell("run", "agent.py").stdout.startswith(b"[]\n1 turn")
    assert list(temporary.iterdir()) == []
