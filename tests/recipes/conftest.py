"""Runs the recipes of README as a reader would."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent

# Nothing is skipped by this: the environment that has the clients (`tox -e recipes`) asks for this file by name.
collect_ignore = [] if all(map(importlib.util.find_spec, ("anthropic", "openai"))) else ["test_clients.py"]


@pytest.fixture
def output() -> Callable[..., list[str]]:
    """Runs a recipe and returns the lines that it prints."""

    def run(recipe: str, *, server: bool = False) -> list[str]:
        command = [sys.executable, str(HERE / recipe)]
        if server:
            command = [sys.executable, str(HERE / "server.py"), *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return run
