"""
Compares the lint's ``await_in_loop`` with wemake-python-styleguide's rule WPS476, over ten well-known packages.

    python -m tests.bench.await_in_loop [--packages DIR] [--draw 20 --seed N]

WPS476 reports each ``await`` in a ``for`` loop or a comprehension. The lint reports a loop only if the source shows
that no iteration needs another. The packages are those of ``source_proof_packages.txt``; they and
wemake-python-styleguide are installed into DIR, a temporary folder by default, and nothing of the packages is imported.

It prints the number of loops that each finds, that both find, and that only one finds. ``--draw`` puts the loops that
only one finds in a random order that follows from the seed, takes at most three of one file, and prints each with its
lines, for reading. ``await_in_loop.json`` has what a reader judged of each drawn loop:

- *needed*: an iteration needs an earlier one, or the order, the pace or the first failure matters; the awaits are to
  stay as they are.
- *together*: the calls could be awaited together in every realistic run, and the lint has missed it.
- *unsure*: that cannot be told from the file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, TypeAlias

from tests.bench.lint_packages import findings_in
from tests.bench.source_proof import MOST_PER_FILE, install, packages

JUDGEMENTS = Path(__file__).with_suffix(".json")
OTHER = "wemake-python-styleguide==1.8.1"
AROUND = 4
"""The lines that are shown before and after a loop."""
LONGEST = 60
"""The lines of a loop that are shown."""

Loop: TypeAlias = tuple[str, str, int, int]
"""The package, the file inside the folder, the first and the last line."""


def of_wemake(folder: Path) -> set[Loop]:
    """Return the loops in which WPS476 finds an ``await``."""
    beside = folder / "wemake"
    if not beside.is_dir():
        subprocess.run(["uv", "pip", "install", "--quiet", "--target", beside, OTHER], check=True)  # noqa: S603, S607
    script = Path(__file__).with_name("wemake_awaits.py")
    found: set[Loop] = set()
    for requirement, name in packages().items():
        done = subprocess.run(  # noqa: S603 - a script of this folder
            [sys.executable, script, folder / name],
            env={**os.environ, "PYTHONPATH": str(beside)},
            check=True,
            capture_output=True,
            text=True,
        )
        for file, line, end_line in json.loads(done.stdout):
            found.add((requirement, Path(file).relative_to(folder).as_posix(), line, end_line))
    return found


def of_lint(folder: Path) -> set[Loop]:
    """Return the loops that the lint reports."""
    return {
        (requirement, Path(one.path).relative_to(folder).as_posix(), one.line, one.end_line)
        for requirement, findings in findings_in(folder).items()
        for one in findings
        if one.kind == "await_in_loop"
    }


def drawn(loops: set[Loop], seed: int, number: int) -> list[Loop]:
    """Return *number* of *loops* at random, at most three of one file."""
    order = sorted(loops)
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample
    per_file: Counter[str] = Counter()
    found = []
    for loop in order:
        per_file[loop[1]] += 1
        if per_file[loop[1]] <= MOST_PER_FILE and len(found) < number:
            found.append(loop)
    return found


def row(loop: Loop) -> dict[str, Any]:
    """Return *loop* as the judgements have it."""
    return dict(zip(("package", "file", "line", "end_line"), loop, strict=True))


def show(loop: Loop, folder: Path) -> None:
    """Print *loop* with its lines."""
    _, file, line, end_line = loop
    print(f"\n--- {json.dumps(row(loop))}")
    lines = (folder / file).read_text(encoding="utf-8", errors="replace").split("\n")
    head = next((at for at in range(line - 1, -1, -1) if "async def " in lines[at]), line - 1)
    last = min(len(lines), end_line + AROUND, line + LONGEST)
    for at in sorted({head, *range(max(head, line - 1 - AROUND), last)}):
        print(f"{'>' if line <= at + 1 <= end_line else ' '} {at + 1:5} {lines[at]}")


def main() -> None:
    """Print the loops that only one of both finds, as far as they are drawn, the numbers, and what was judged."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--packages", type=Path, help="where the packages are, or are to be installed")
    parser.add_argument("--seed", type=int, help="of the draw; that of the recorded one by default")
    parser.add_argument("--draw", type=int, default=0, help="how many loops to show that only one of both finds")
    arguments = parser.parse_args()
    recorded = json.loads(JUDGEMENTS.read_text(encoding="utf-8"))
    seed = recorded["seed"] if arguments.seed is None else arguments.seed
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.packages or Path(temporary)
        install(folder)
        ours, theirs = of_lint(folder), of_wemake(folder)
        for name, loops in (("only WPS476", theirs - ours), ("only await_in_loop", ours - theirs)):
            for loop in drawn(loops, seed, arguments.draw):
                print(f"\n{name}")
                show(loop, folder)
    print()
    for requirement in packages():
        counts = [sum(loop[0] == requirement for loop in loops) for loops in (theirs, ours)]
        print(f"{requirement}: {counts[0]} loops of WPS476, {counts[1]} of await_in_loop")
    print(f"WPS476 {len(theirs)}, await_in_loop {len(ours)}, both {len(ours & theirs)}", end=", ")
    print(f"only WPS476 {len(theirs - ours)}, only await_in_loop {len(ours - theirs)}")
    for name, judged in recorded["read"].items():
        kinds = Counter(one["judgement"] for one in judged)
        counted = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
        print(f"read, {name}, drawn with seed {recorded['seed']}: {counted or 'there are none'}")


if __name__ == "__main__":
    sys.exit(main())
