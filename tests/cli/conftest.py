from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Completed: TypeAlias = "subprocess.CompletedProcess[bytes]"
TIMEOUT_S = 60


class Shell:
    """Starts real processes in a folder of their own, with no terminal and plain settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "NO_COLOR"))}
        self.environment = {**kept, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

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
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def agent(shell: Shell) -> Callable[[str], Path]:
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
        return shell.write("agent.py", dedent(start) + dedent(ending))

    return write
