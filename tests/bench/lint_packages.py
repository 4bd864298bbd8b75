"""
Lints the asynchronous code of ten well-known packages, and tells how many of the findings are right.

    python tests/bench/lint_packages.py [--packages DIR] [--draw 60 --seed N]

The packages are those of ``source_proof_packages.txt``. They are installed into DIR, a temporary folder by default,
without their requirements: nothing is imported.

It prints the number of findings by kind and package. ``--draw`` puts all findings in a random order that follows from
the seed, takes at most three of one file, and prints each with its lines, for reading.

A finding of awaits is *right* if running the calls with ``asyncio.gather`` gives the results and the effects of running
one after the other, in every realistic run. The order of log lines, and which of two reads fills a cache, are no
effects. A blocking call is right if other tasks of the event loop wait while it runs. ``lint_packages.json`` has the
seed of the last draw, and what a reader judged of each of its findings. Whenever the lint is changed because a finding
was wrong, the next seed is drawn and all its findings are read.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_parallelism.lint.linting import lint_source
from tests.bench.source_proof import MOST_PER_FILE, install, packages

if TYPE_CHECKING:
    from otel_parallelism.lint.lint_findings import LintFinding

JUDGEMENTS = Path(__file__).with_suffix(".json")
AROUND = 6
"""The lines that are shown before and after a finding."""


def linted(path: Path) -> tuple[LintFinding, ...]:
    """Return what is found in the file at *path*; nothing if it is not Python."""
    try:
        return lint_source(path.read_text(encoding="utf-8", errors="replace"), str(path)).findings
    except (SyntaxError, ValueError):
        return ()


def findings_in(folder: Path) -> dict[str, list[LintFinding]]:
    """Return the findings in *folder* by package as it is installed, with paths inside the folder."""
    found: dict[str, list[LintFinding]] = {}
    with ProcessPoolExecutor() as pool:
        for requirement, name in sorted(packages().items()):
            paths = [path for path in sorted((folder / name).rglob("*.py")) if b"async def" in path.read_bytes()]
            found[requirement] = [one for result in pool.map(linted, paths, chunksize=16) for one in result]
    return found


def row(package: str, finding: LintFinding, folder: Path) -> dict[str, Any]:
    """Return a finding as the judgements have it."""
    file = Path(finding.path).relative_to(folder).as_posix()
    return {
        "package": package,
        "file": file,
        "line": finding.line,
        "end_line": finding.end_line,
        "kind": finding.kind,
    }


def draw(found: dict[str, list[LintFinding]], seed: int, number: int) -> list[tuple[str, LintFinding]]:
    """Return *number* findings at random, each with its package."""
    order = [(package, finding) for package, findings in found.items() for finding in findings]
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample
    per_file: Counter[str] = Counter()
    drawn = []
    for package, finding in order:
        per_file[finding.path] += 1
        if per_file[finding.path] <= MOST_PER_FILE and len(drawn) < number:
            drawn.append((package, finding))
    return drawn


def show(package: str, finding: LintFinding, folder: Path) -> None:
    """Print *finding* with its lines."""
    print(f"\n--- {json.dumps(row(package, finding, folder))}\n{finding.message}")
    lines = Path(finding.path).read_text(encoding="utf-8", errors="replace").split("\n")
    first = finding.line - 1
    head = next((at for at in range(first, -1, -1) if "async def " in lines[at]), first)
    for at in sorted({head, *range(max(head, first - AROUND), min(len(lines), finding.end_line + AROUND))}):
        print(f"{'>' if first <= at < finding.end_line else ' '} {at + 1:5} {lines[at]}")


def main() -> None:
    """Print the number of findings, a draw for reading, and how many of the recorded ones are right."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--packages", type=Path, help="where the packages are, or are to be installed")
    parser.add_argument("--seed", type=int, help="of the draw; that of the recorded one by default")
    parser.add_argument("--draw", type=int, default=60, help="how many findings to draw")
    arguments = parser.parse_args()
    recorded = json.loads(JUDGEMENTS.read_text(encoding="utf-8"))
    seed = recorded["seed"] if arguments.seed is None else arguments.seed
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.packages or Path(temporary)
        install(folder)
        found = findings_in(folder)
        drawn = draw(found, seed, arguments.draw)
        for package, finding in drawn:
            show(package, finding, folder)
    print()
    for package, findings in found.items():
        kinds = Counter(finding.kind for finding in findings)
        print(f"{package}: " + (", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "nothing"))
    kinds = Counter(finding.kind for findings in found.values() for finding in findings)
    fixable = sum(finding.fixable for findings in found.values() for finding in findings)
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    print(f"{sum(kinds.values())} findings: {counted}; {fixable} fixable")
    rows = recorded["findings"]
    known = [{key: value for key, value in one.items() if key not in {"judgement", "reason"}} for one in rows]
    right = sum(one["judgement"] == "right" for one in rows)
    print(f"recorded, drawn with seed {recorded['seed']}: {len(rows)} findings read, {right} right")
    again = sum(row(package, finding, folder) in known for package, finding in drawn)
    print(f"in this draw: {again} of {len(drawn)}")


if __name__ == "__main__":
    sys.exit(main())
