"""
Measures how often the source of well-known packages shows that two awaits need not wait for one another, and is right.

    python tests/bench/source_proof.py [--folder DIR] [--seed N] [--draw N]

The packages are installed into DIR, a temporary folder by default, without their requirements: nothing is imported.
Every pair of awaited calls of one function is judged, and every awaited call in a loop with itself. A pair counts as
proved if the source shows independence and the result of the first call is used. Objects that both calls share, and
what the calls themselves do, are for other evidence to judge; a reader takes both calls for reads.

``--draw`` prints pairs drawn at random, for reading. The judgements of a reader stand in ``source_proof.json``: the
place of each pair, and whether the calls may indeed run together. With them the share that is right is printed.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_parallelism.source.functions import Site as CallSite
from otel_parallelism.source.functions import SourceFile, own_nodes, parse
from otel_parallelism.source.proof import Proof, prove

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.source.functions import Function

JUDGEMENTS = Path(__file__).with_suffix(".json")
PACKAGES = {
    "aiobotocore": "aiobotocore==3.10.0",
    "aiohttp": "aiohttp==3.14.5",
    "discord": "discord.py==2.7.1",
    "langgraph": "langgraph==1.2.24",
    "mcp": "mcp==2.3.0",
    "openai": "openai==3.57.0",
    "pydantic_ai": "pydantic-ai-slim==2.68.0",
    "pyrogram": "pyrogram==2.0.106",
    "starlette": "starlette==1.10.0",
    "telethon": "telethon==1.45.0",
}
"""By the folder of the package: what is installed."""

MOST_CALLS = 12
"""The awaited calls of one function that are judged."""


@dataclass(frozen=True)
class Pair:
    """Two awaited calls of one function, by the lines and columns at which they end."""

    package: str
    file: str
    first: tuple[int, int]
    second: tuple[int, int]
    proof: Proof

    @property
    def proved(self) -> bool:
        """Whether the source shows that the calls may run together, if both only read."""
        return self.proof.verdict == "independent" and not self.proof.discarded

    @property
    def place(self) -> list[Any]:
        """What names the pair in the judgements."""
        return [PACKAGES[self.package], self.file, *self.first, *self.second]


def install(folder: Path) -> None:
    """Install the packages into *folder*, unless they are there."""
    missing = [what for name, what in PACKAGES.items() if not (folder / name).is_dir()]
    if missing:
        subprocess.run(["uv", "pip", "install", "--quiet", "--no-deps", "--target", folder, *missing], check=True)  # noqa: S603, S607


def pairs(folder: Path) -> list[Pair]:
    """Return all pairs of the packages in *folder*."""
    paths = [(folder, package, path) for package in PACKAGES for path in sorted((folder / package).rglob("*.py"))]
    with ProcessPoolExecutor() as pool:
        return [pair for found in pool.map(_pairs_at, paths, chunksize=8) for pair in found]


def _pairs_at(at: tuple[Path, str, Path]) -> list[Pair]:
    folder, package, path = at
    file = parse(path.read_text(encoding="utf-8", errors="replace"))
    return [] if file is None else list(pairs_of_file(package, str(path.relative_to(folder)), file))


def pairs_of_file(package: str, name: str, file: SourceFile) -> Iterator[Pair]:
    """Yield all pairs of one file."""
    for function in ast.walk(file.tree):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        calls = sorted(awaited_calls(function), key=lambda call: (call.lineno, call.col_offset))[:MOST_CALLS]
        for at, first in enumerate(calls):
            for second in calls[at:]:
                if first is second and file.loop(function, first) is None:
                    continue
                proof = prove(file, site(function, first), site(function, second))
                yield Pair(package, name, end(first), end(second), proof)


def awaited_calls(function: Function) -> list[ast.Call]:
    """Return the calls that *function* awaits where it makes them."""
    return [
        node.value for node in own_nodes(function) if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
    ]


def end(call: ast.Call) -> tuple[int, int]:
    """Return the line and the column at which *call* ends."""
    return call.end_lineno or 0, call.end_col_offset or 0


def site(function: ast.AsyncFunctionDef, call: ast.Call) -> CallSite:
    """Return the site of *call* as a frame would tell it."""
    return CallSite(function.name, call.lineno, *end(call))


def show(pair: Pair, folder: Path) -> None:
    """Print *pair* with the text of its function."""
    text = (folder / pair.file).read_text(encoding="utf-8", errors="replace")
    marks = {pair.first[0], pair.second[0]}
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.AsyncFunctionDef)
        and all(node.lineno <= mark <= (node.end_lineno or 0) for mark in marks)
    ]
    function = max(functions, key=lambda node: node.lineno)
    print(f"\n--- {json.dumps(pair.place)}")
    lines = text.splitlines()
    for number in range(function.lineno, (function.end_lineno or 0) + 1):
        print(f"{'>' if number in marks else ' '} {number:5} {lines[number - 1]}")


def main() -> None:
    """Judge all pairs, and print the counts and the share that is right, or some pairs for reading."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, help="where the packages are, or are to be installed")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--draw", type=int, default=0, help="how many pairs to print")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        install(folder)
        found = pairs(folder)
        proved = [pair for pair in found if pair.proved]
        if arguments.draw:
            for pair in random.Random(arguments.seed).sample(proved, min(arguments.draw, len(proved))):  # noqa: S311
                show(pair, folder)
            return
    report(found, proved)


def report(found: list[Pair], proved: list[Pair]) -> None:
    """Print how many pairs of each package are proved, and how many of the judged ones are right."""
    print(f"{'package':14}{'pairs':>8}{'dependent':>11}{'unknown':>9}{'discarded':>11}{'proved':>8}")
    for package in (*PACKAGES, ""):
        own = [pair for pair in found if package in {"", pair.package}]
        verdicts = Counter(pair.proof.verdict for pair in own)
        free = [pair for pair in own if pair.proof.verdict == "independent"]
        discarded = sum(pair.proof.discarded for pair in free)
        print(
            f"{package or 'all':14}{len(own):8}{verdicts['dependent']:11}{verdicts['unknown']:9}"
            f"{discarded:11}{sum(pair.proved for pair in own):8}"
        )
    if not JUDGEMENTS.exists():
        return
    recorded = json.loads(JUDGEMENTS.read_text(encoding="utf-8"))
    now = {json.dumps(pair.place) for pair in proved}
    judged = recorded["pairs"]
    right = sum(one["right"] for one in judged)
    still = sum(json.dumps(one["place"]) in now for one in judged)
    print(f"\nread, drawn with seed {recorded['seed']}: {len(judged)}, of them right: {right}, still proved: {still}")


if __name__ == "__main__":
    sys.exit(main())
