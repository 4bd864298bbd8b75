"""How the tests run the command: in this process, or as real processes where the process is what is tested."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, TypeAlias

import pytest

from otel_parallelism.cli import commands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Completed: TypeAlias = "subprocess.CompletedProcess[bytes]"
TIMEOUT_S = 60


_UNSET = ("OTEL_", "NO_COLOR", "FORCE_COLOR", "GRAFANA_")


class Folder:
    """A working folder for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path


class Invoke(Folder):
    """Runs ``otel-parallelism ARGUMENTS`` in this process: no terminal, plain settings, captured streams."""

    def __call__(self, *arguments: str | Path, **environment: str) -> Completed:
        command = list(map(str, arguments))
        stdout, stderr = io.BytesIO(), io.BytesIO()
        encoding = environment.get("PYTHONIOENCODING", "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith(_UNSET)]:
                patch.delenv(name)
            for name, value in {"COLUMNS": "100", **environment}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdout", io.TextIOWrapper(stdout, encoding=encoding, write_through=True))
            patch.setattr(sys, "stderr", io.TextIOWrapper(stderr, encoding=encoding, write_through=True))
            with pytest.raises(SystemExit) as ending:
                commands.main(command, prog_name="otel-parallelism")
            written = stdout.getvalue(), stderr.getvalue()
        assert isinstance(ending.value.code, int)
        return subprocess.CompletedProcess(command, ending.value.code, *written)


class Shell(Folder):
    """Starts real processes in a folder of their own, with no terminal and plain settings."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNSET)}
        self.environment = {**kept, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "otel_parallelism", *map(str, arguments)]

    def start(
        self, command: list[str], stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE, **environment: str
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - what the tests themselves wrote
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )

    def finish(self, process: subprocess.Popen[bytes]) -> Completed:
        try:
            stdout, stderr = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def python(self, *arguments: str | Path, **environment: str) -> Completed:
        """Run ``python ARGUMENTS``."""
        return self.finish(self.start([sys.executable, *map(str, arguments)], **environment))

    def __call__(self, *arguments: str | Path, **environment: str) -> Completed:
        """Run ``otel-parallelism ARGUMENTS``."""
        return self.finish(self.start(self.command(*arguments), **environment))


@pytest.fixture
def invoke(tmp_path: Path) -> Invoke:
    """Run the command in this process."""
    return Invoke(tmp_path)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Run the command as a process; tests with it are marked ``process``."""
    return Shell(tmp_path)


@pytest.fixture
def agent(tmp_path: Path) -> Callable[[str], Path]:
    """Write ``agent.py`` with three decorated reads of 0.1 s and the given ending."""

    def write(ending: str) -> Path:
        start = """
            import asyncio, sys
            from otel_parallelism import agent_turn, profiled

            @profiled(effect="read")
            async def look_up(place):
                await asyncio.sleep(0.1)
                return f"all about {place}"

            async def one_by_one():
                with agent_turn("planner"):
                    return [await look_up(place) for place in ("Lisbon", "Porto", "Faro")]

            async def together():
                with agent_turn("planner"):
                    return await asyncio.gather(*map(look_up, ("Lisbon", "Porto", "Faro")))

        """
        return Folder(tmp_path).write("agent.py", dedent(start) + dedent(ending))

    return write
