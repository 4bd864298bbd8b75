"""
Runs tests at two commits and compares the agent turns that they measured.

    python compare_commits.py --base REF [--tests ARGUMENTS] [--install COMMAND] [--repeat N] [--comment FILE]

The tests run with the plugin of otel-parallelism, in the working tree and in a checkout of the base. FILE gets Markdown
for a comment: the comparison, and the turns of the first run on either side. The exit status is 0 if the working tree
is no worse, 1 if an agent is surely worse or has a new recommended finding, and 2 if nothing could be compared.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

LONGEST_COMMENT = 60_000
"""GitHub takes 65,536 characters."""
_LINES = 60


def main() -> int:
    """Compare as the command line says, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="the commit to compare with")
    parser.add_argument("--tests", default="", help="arguments of pytest, such as the tests of the agents")
    parser.add_argument("--install", default="", help="a command to run in each checkout before its tests")
    parser.add_argument("--repeat", type=int, default=5, help="how often the tests run: more turns, surer differences")
    parser.add_argument("--comment", type=Path, help="the file for the comment")
    options = parser.parse_args()
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "base")
        added = git("worktree", "add", "--detach", str(base), options.base)
        if added.returncode:
            print(added.stderr, file=sys.stderr)
            return 2
        try:
            for name, checkout in (("before", base), ("after", here)):
                Path(folder, name).mkdir()
                if not run_tests(checkout, Path(folder, name), options):
                    print(f"{name}: the command {options.install} failed", file=sys.stderr)
                    return 2
        finally:
            git("worktree", "remove", "--force", str(base))
        compared = ours("compare", "before", "after", folder=folder)
        print(compared.stdout, compared.stderr, sep="", end="")
        if compared.returncode in {0, 1} and options.comment is not None:
            options.comment.write_text(comment(compared.stdout, folder), encoding="utf-8")
        return compared.returncode


def run_tests(checkout: Path, into: Path, options: argparse.Namespace) -> bool:
    """
    Run the tests of *checkout*, and write the spans of each run to a file in the folder *into*.

    Failing tests are left to the workflow's own step. Returns False if the command that installs fails.
    """
    paths = [str(checkout), str(checkout / "src"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    if options.install:
        installed = subprocess.run(options.install, shell=True, cwd=checkout, check=False)  # noqa: S602 - the workflow's
        if installed.returncode:
            return False
    for number in range(options.repeat):
        spans = into / f"{number}.jsonl"
        command = [sys.executable, "-m", "pytest", *shlex.split(options.tests), "--parallelism-spans", str(spans)]
        subprocess.run(command, cwd=checkout, env=environment, check=False)  # noqa: S603 - the workflow's own tests
    return True


def comment(table: str, folder: str) -> str:
    """Return Markdown: the comparison, and the turns of the first run before and after the change."""
    headline = table.partition("\n")[0]
    parts = [f"### Parallel tool calls: {plain(headline)}", fenced(table)]
    for name in ("before", "after"):
        shown = "\n".join(ours("analyze", f"{name}/0.jsonl", folder=folder).stdout.splitlines()[:_LINES])
        parts.append(f"<details><summary>The turns {name}</summary>\n\n{fenced(shown)}\n\n</details>")
    return "\n\n".join(parts)[:LONGEST_COMMENT] + "\n"


def fenced(text: str) -> str:
    """Return *text* as a block of code; a name in it cannot end the block."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def plain(text: str) -> str:
    """Return *text* with what Markdown and HTML would read taken for text."""
    return re.sub(r"([\\`*_{}\[\]<>()#!|@~&])", r"\\\1", text)


def ours(command: str, *arguments: str, folder: str) -> subprocess.CompletedProcess[str]:
    """Run a command of otel-parallelism in *folder*."""
    line = [sys.executable, "-m", "otel_parallelism", command, *arguments, "--color", "never"]
    environment = os.environ | {"PYTHONUTF8": "1"}
    return subprocess.run(  # noqa: S603 - ours
        line, cwd=folder, check=False, capture_output=True, encoding="utf-8", env=environment
    )


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in the current folder."""
    return subprocess.run(["git", *arguments], check=False, capture_output=True, text=True)  # noqa: S603, S607 - as found


if __name__ == "__main__":
    sys.exit(main())
