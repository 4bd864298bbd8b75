"""
Runs the own test suites of two well-known packages before and after ``otel-parallelism lint --fix``.

    python -m tests.bench.fixed_suites [--folder DIR]

The packages are two of ``source_proof_packages.txt``, which have tests in their source distribution that run without a
network and without a server. Each is installed from PyPI into an environment of its own in DIR, a temporary folder by
default, and its tests run there three times:

- as it is,
- after ``lint --fix`` over the installed package,
- after ``fix`` has rewritten each further finding whose place it is sure of, as if a report had named it. There is no
  report, so that the calls only read is taken from the lint's judgement of their names.

It prints how many files and places were rewritten, how many of these places the tests run at all, the summary of each
run, and whether each test ended as before. The exit status is 1 if one did not.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from otel_parallelism.lint.linting import lint_source
from otel_parallelism.lint.rewriting.measured_place import rewrite_at
from otel_parallelism.source.functions import callee_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.lint.lint_findings import LintFinding

TIMEOUT_S = 600


@dataclass(frozen=True)
class Suite:
    """A package as it is installed with its tests' requirements, and the folder that is imported."""

    name: str
    version: str
    extra: str
    folder: str


SUITES = (
    Suite("red-discordbot", "3.5.24", "test", "redbot"),
    Suite("lightrag-hku", "1.5.7", "test", "lightrag"),
)
TOOLS = ("pip", "setuptools", "wheel", "coverage")


@dataclass(frozen=True)
class Prepared:
    """An environment, the folder with the tests, and the installed package."""

    python: Path
    tests: Path
    package: Path


def run(*command: str | Path, cwd: Path | None = None, check: bool = True) -> str:
    """Run *command* and return what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTEST_", "PYTHON"))}
    done = subprocess.run(  # noqa: S603 - commands of this file
        list(map(str, command)), cwd=cwd, env=kept, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if check and done.returncode:
        sys.exit(f"{command}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def prepared(suite: Suite, folder: Path) -> Prepared:
    """Install *suite* into *folder*, with its tests beside it."""
    python = folder / "venv" / "bin" / "python"
    run("uv", "venv", "--quiet", "--clear", "--python", sys.executable, folder / "venv")
    requirement = f"{suite.name}[{suite.extra}]=={suite.version}"
    # Copies: a link to uv's cache would be rewritten there too.
    run("uv", "pip", "install", "--quiet", "--link-mode", "copy", "--python", python, requirement, *TOOLS)
    download = ("download", "--quiet", "--no-deps", "--no-binary", ":all:", "--no-build-isolation")
    run(python, "-m", "pip", *download, "--dest", folder, f"{suite.name}=={suite.version}")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    tests = folder / archive.name.removesuffix(".tar.gz")
    # The installed package is tested, not the one beside the tests.
    (tests / suite.folder).rename(folder / "not-installed")
    (package,) = (folder / "venv" / "lib").glob(f"python*/site-packages/{suite.folder}")
    return Prepared(python, tests, package)


def outcomes(at: Prepared) -> tuple[Counter[tuple[str, str]], str]:
    """Run the tests; return each test's name with how it ended, and the summary."""
    report = at.tests / "report.xml"
    coverage = ("-m", "coverage", "run", "--data-file", at.tests / "coverage.data", f"--source={at.package}")
    told = run(at.python, *coverage, "-m", "pytest", "-q", "tests", f"--junitxml={report}", cwd=at.tests, check=False)
    found: Counter[tuple[str, str]] = Counter()
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        ends = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        found[f"{case.get('classname')}::{case.get('name')}", " ".join(ends) or "passed"] += 1
    return found, told.strip().rsplit("\n", 1)[-1].strip("= ")


def executed(at: Prepared) -> dict[Path, set[int]]:
    """Return the lines that the last run of the tests executed."""
    report = at.tests / "coverage.json"
    data = at.tests / "coverage.data"
    run(at.python, "-m", "coverage", "json", "--quiet", "--data-file", data, "-o", report, cwd=at.tests)
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    return {(at.tests / name).resolve(): set(told["executed_lines"]) for name, told in files.items()}


def linted(package: Path) -> Iterator[tuple[Path, str, LintFinding]]:
    """Yield the findings of awaits in *package*, each with its file and the text of that."""
    for path in sorted(package.rglob("*.py")):
        content = path.read_bytes()
        if b"async def" not in content:
            continue
        text = content.decode("utf-8", "replace")
        for finding in lint_source(text, str(path), ("serial_awaits", "await_in_loop")).findings:
            yield path, text, finding


def awaited(text: str, finding: LintFinding) -> dict[int, str]:
    """Return the names of the calls that *finding* is about, by the lines of their awaits."""
    return {
        node.lineno: callee_name(node.value)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
        if finding.line <= node.lineno <= finding.end_line
    }


def rewrite_all(package: Path) -> list[tuple[Path, int]]:
    """Rewrite each finding of which `rewrite_at` is sure; return where, by the lines before."""
    rewritten = []
    # From the last line to the first, so that earlier lines stay where they are.
    for path, _, finding in sorted(linted(package), key=lambda one: (one[0], -one[2].line)):
        text = path.read_bytes().decode()
        calls = awaited(text, finding)
        fixed = rewrite_at(text, min(calls), calls.values()).fixed if calls else None
        if fixed is not None:
            path.write_bytes(fixed.encode())
            rewritten.append((path, min(calls)))
    return rewritten


def compare(suite: Suite, folder: Path) -> bool:
    """Print what the rewrites change for the tests of *suite*; return whether that is nothing."""
    at = prepared(suite, folder)
    before, summary = outcomes(at)
    lines = executed(at)
    print(f"{suite.name} {suite.version}\n  before: {summary}")
    findings = list(linted(at.package))
    fixable = [(path, one.line) for path, _, one in findings if one.fixable]
    run(sys.executable, "-m", "otel_parallelism", "lint", "--fix", at.package, check=False)
    same = True
    for what, places in (("lint --fix", fixable), ("fix", rewrite_all)):
        found = places(at.package) if callable(places) else places
        after, summary = outcomes(at)
        same = same and after == before
        reached = sum(line in lines.get(path.resolve(), ()) for path, line in found)
        files = len({path for path, _ in found})
        print(f"  {what}: {len(found)} of {len(findings)} findings rewritten in {files} files, {reached} run by tests")
        print(f"    after: {summary}; each test as before: {'yes' if after == before else 'NO'}")
        for (name, end), number in sorted((after - before).items()):
            print(f"    {name}: {end}" + (f" ×{number}" if number > 1 else ""))
    return same


def main() -> int:
    """Compare all suites."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, help="an empty folder to install into; a temporary one by default")
    arguments = parser.parse_args()
    same = True
    with tempfile.TemporaryDirectory() as temporary:
        for suite in SUITES:
            folder = (arguments.folder or Path(temporary)) / suite.name
            folder.mkdir(parents=True)
            same = compare(suite, folder) and same
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
