"""The script of the GitHub action, on a repository with two commits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

SCRIPT = Path(__file__).parents[2] / "action" / "compare_commits.py"
AGENT = """
import asyncio
from otel_parallelism import agent_turn, profiled

@profiled(effect="read")
async def get_weather(city):
    await asyncio.sleep(0.03)

@profiled(effect="read")
async def get_news(city):
    await asyncio.sleep(0.03)

async def clerk():
    with agent_turn("clerk"):
"""
SERIAL = "        await get_weather('Porto')\n        await get_news('Braga')\n"
TOGETHER = "        await asyncio.gather(get_weather('Porto'), get_news('Braga'))\n"
TESTS = """
import asyncio
import pytest
from agent import clerk

@pytest.mark.parametrize("number", range(8))
def test_clerk(number):
    asyncio.run(clerk())
"""


def repository(folder: Path, *versions: str) -> None:
    """Make a repository in *folder* with one commit for each version of the agent's turn."""
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "-q -p no:cacheprovider"\n')
    (folder / "test_agent.py").write_text(TESTS)
    git(folder, "init", "--quiet")
    for number, turn in enumerate(versions):
        (folder / "agent.py").write_text(AGENT + turn + f"# {number}\n")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", f"{number}")


def git(folder: Path, *arguments: str) -> None:
    person = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607 - as found


def compared(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--repeat", "2", "--comment", "comment.md", *arguments]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(  # noqa: S603 - ours
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_change_that_serialises_calls_fails_and_is_shown(tmp_path: Path) -> None:
    repository(tmp_path, TOGETHER, SERIAL)
    done = compared(tmp_path, "--base", "HEAD~1")
    assert done.returncode == 1, done.stderr
    told = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert told.startswith("### Parallel tool calls: 16 turns before, 16 after · worse: clerk · 1 new pattern")
    assert "get_weather → get_news · clerk · `code`" in told
    before, after = told.split("<details>")[1:]
    assert "█" in before
    assert "ran one after another: the code calls one, then the next" in " ".join(after.split())
    left = subprocess.run(["git", "worktree", "list"], cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S607 - as found
    assert left.stdout.count("\n") == 1


def test_what_was_serial_before_is_no_new_finding(tmp_path: Path) -> None:
    repository(tmp_path, SERIAL, SERIAL)
    done = compared(tmp_path, "--base", "HEAD~1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "new pattern" not in done.stdout


def test_an_unknown_base_and_a_failed_installation_are_errors(tmp_path: Path) -> None:
    repository(tmp_path, SERIAL)
    unknown = compared(tmp_path, "--base", "no-such-branch")
    assert (unknown.returncode, "no-such-branch" in unknown.stderr) == (2, True)
    failed = compared(tmp_path, "--base", "HEAD", "--install", "exit 3")
    assert (failed.returncode, "the command exit 3 failed" in failed.stderr) == (2, True)
    assert not (tmp_path / "comment.md").exists()


def test_names_in_a_comment_cannot_end_the_block_of_code() -> None:
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        import compare_commits  # type: ignore[import-not-found] # noqa: PLC0415 - a script, not a module of ours
    finally:
        sys.path.pop(0)
    assert compare_commits.fenced("a ```` b") == "`````text\na ```` b\n`````"
    assert compare_commits.plain("<img> [x](y) `z`") == r"\<img\> \[x\]\(y\) \`z\`"
