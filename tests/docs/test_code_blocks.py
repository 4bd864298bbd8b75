"""
Runs every code block of README.md and of the documentation, page by page, as a reader would.

The blocks of one page run in one folder, in order:

- ``python`` runs as a script; after ``<!-- file: NAME -->`` it is saved as a file instead.
- ``console`` runs the commands after ``$``. Output in the block must be what the command prints, but for times.
- ``toml`` and ``json`` are parsed; a ``toml`` table of ours must hold valid settings.
- ``<!-- not run: REASON -->`` before a block says why it cannot run here.
- ``text`` is prose.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

from otel_parallelism.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
FIXTURES = ROOT / "tests" / "fixtures" / "spans"
BLOCK = re.compile(
    r"(?P<marks>(?:<!-- [^\n]* -->\n+)*)```(?P<language>[\w-]+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
MARK = re.compile(r"<!-- (file|fixture|not run): (.*?) -->")
TIMEOUT_S = 120


@dataclass
class Block:
    """A code block: its language, its text, and the marks before it."""

    language: str
    text: str
    marks: dict[str, str]


def blocks(page: Path) -> list[Block]:
    """Return the code blocks of *page* in order; directives of the site generator are none."""
    return [
        Block(found["language"], found["text"], dict(MARK.findall(found["marks"])))
        for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def timeless(text: str) -> list[str]:
    """Return the words of *text* without times and bars."""
    return re.sub(r"[█▌▐░]+|\d+\.\d+", "~", text).split()


class Reader:
    """Follows one page in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OTEL_", "COV_CORE", "COVERAGE_PROCESS"))
        }
        path = os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", "")))
        # Unbuffered, as on a terminal, where outputs and messages are printed in their order.
        shown = {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
        self.environment = {**kept, "PATH": path, **shown}

    def run(self, command: str | list[str], folder: Path | None = None) -> str:
        """Run *command*; return what it prints, and fail where it does."""
        done = subprocess.run(  # noqa: S603 - the documentation's own commands
            command if isinstance(command, list) else ["bash", "-c", command],
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def follow(self, block: Block) -> None:
        """Do what *block* says."""
        if source := block.marks.get("fixture"):
            name, _, target = source.partition(" as ")
            (self.folder / target).write_bytes((FIXTURES / name).read_bytes())
        if "not run" in block.marks:
            assert len(block.marks["not run"]) > 20  # a reason
        elif name := block.marks.get("file"):
            (self.folder / name).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self.run([sys.executable, "-c", block.text])
        elif block.language == "console":
            self.console(block.text)
        elif block.language == "toml":
            (self.folder / "pyproject.toml").write_text(block.text, encoding="utf-8")
            assert "otel-parallelism" in tomllib.loads(block.text)["tool"]
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                Settings.from_environment({}, self.folder)
            (self.folder / "pyproject.toml").unlink()
        elif block.language == "json":
            json.loads(block.text)
        else:
            pytest.fail(f"no way to run a block of {block.language}")

    def console(self, text: str) -> None:
        """Run the commands of *text*, and compare what each prints with the lines below it."""
        for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            line, _, expected = command.partition("\n")
            printed = self.run(line)
            if expected.strip():
                assert timeless(printed) == timeless(expected), printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_code_block_runs(page: Path, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(page):
        if block.language != "text":
            reader.follow(block)


def test_blocks_of_every_kind_are_found() -> None:
    languages = {block.language for page in PAGES for block in blocks(page)}
    assert {"python", "console", "toml", "bash", "text"} <= languages
