from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

for package in ("yaml", "promql_parser", "grafana_foundation_sdk"):
    pytest.importorskip(package, reason=f"{package} is not installed: uv pip install --group dashboards")

HERE = Path(__file__).parent


class Node:
    """The packages of ``package.json``, installed in a folder of their own; runs programs there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("package.json", "package-lock.json", "traceql.mjs"):
            shutil.copy(HERE / name, folder)
        self.run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")

    def run(self, *command: str, text: str = "", status: int | None = 0) -> str:
        """Return what *command* prints, given *text*; its exit status must be *status* unless that is None."""
        done = subprocess.run(  # noqa: S603 - what the tests themselves wrote
            command, cwd=self.folder, input=text, capture_output=True, text=True, check=False, timeout=300
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Return what npm installs; skip where there is no npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    return Node(tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="session")
def promtool() -> Any:
    """Return a function that runs promtool; skip where it is not installed."""
    command = shutil.which("promtool")
    if command is None:
        pytest.skip("promtool is not installed: it comes with Prometheus (Debian: apt-get install prometheus)")

    def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - a tool of Prometheus
            [command, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=120
        )

    return run
