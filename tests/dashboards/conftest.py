from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

HERE = Path(__file__).parent
NEEDED = ("grafana_foundation_sdk", "opentelemetry.exporter.prometheus", "promql_parser", "yaml")


class Unprepared(pytest.Module):
    """A module of tests that cannot be imported, because what they need is not installed."""

    def collect(self) -> NoReturn:
        pytest.skip("the group dashboards is not installed: tox -e dashboards", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Skip the modules of this folder, and say so, where a package is missing."""
    if HERE in module_path.parents and not all(map(available, NEEDED)):
        made: pytest.Module = Unprepared.from_parent(parent, path=module_path)
        return made
    return None


def available(package: str) -> bool:
    try:
        importlib.import_module(package)
    except ModuleNotFoundError:
        return False
    return True


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
