"""Runs the programs in ``examples/`` as a reader would."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[2] / "examples"

# The environment `tox -e examples` has the clients; elsewhere their tests are not collected.
collect_ignore = (
    []
    if all(map(importlib.util.find_spec, ("anthropic", "openai")))
    else ["test_clients.py", "test_replayed_clients.py"]
)


@pytest.fixture
def output() -> Callable[..., list[str]]:
    """Runs an example and returns the lines that it prints."""

    def run(example: str, *, server: bool = False) -> list[str]:
        command = [sys.executable, str(EXAMPLES / example)]
        if server:
            command = [sys.executable, str(EXAMPLES / "server.py"), *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return run
