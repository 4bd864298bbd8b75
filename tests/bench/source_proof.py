"""
Measures how often the source of ten well-known packages shows that two awaited calls may run together, and is right.

    python tests/bench/source_proof.py [--packages DIR] [--draw 60 --seed N]

The packages are those of ``source_proof_packages.txt``. They are installed into DIR, a temporary folder by default,
without their requirements: nothing is imported.

A pair is two awaited calls of one function, or one awaited call in a loop with itself. It is *proved* where a
recommendation would follow as far as a file can tell:

- The source shows that the calls are independent.
- The result of the first call is used, and nothing that the second one is given was read from what the first one was
  given.
- Both calls read, judging by their names, and what their functions do does not speak against it, where they stand in
  the same file or are imported from a file beside it.
- The calls share no object that serves one call at a time, such as a session of a database, judging by its name, its
  annotation, or the ``with`` statement that opens it. While a program runs, the types of shared objects tell this.

``--draw`` puts all functions with such calls in a random order that follows from the seed, and takes one proved pair
at random from each until it has enough, at most three of one file. It prints each pair with its function, for reading.
Two bounds keep it short: the first twelve reading calls of a function are judged, and the proof itself ends in a long
function. Both are counted and printed.

A pair is *right* if running both calls with ``asyncio.gather`` gives the results and the effects of running one after
the other, in every realistic run. The order of log lines, and which of two reads fills a cache, are no effects.
``source_proof.json`` has the seed of the last draw, and what a reader judged of each of its pairs. Seeds are taken in
order: whenever the proof or the bench has changed, the next seed is drawn and all its pairs are read. Of 60 pairs each,
58, 58, 59, 59, 57 and 60 were right with seeds 1 to 6.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.effects.shell_commands import shell_effect
from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect, words_in_name
from otel_parallelism.source.changes.program_modules import program_module
from otel_parallelism.source.changes.tool_changes import may_change_something
from otel_parallelism.source.functions import Site, SourceFile, callee_name, own_nodes, parse
from otel_parallelism.source.proof import prove

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import CallFrame

JUDGEMENTS = Path(__file__).with_suffix(".json")
REQUIREMENTS = Path(__file__).with_name("source_proof_packages.txt")
MOST_CALLS = 12
"""The reading calls of one function that are judged."""
MOST_PER_FILE = 3
"""The pairs of one file that are drawn."""
ONE_AT_A_TIME = frozenset(
    {"session", "sessions", "connection", "conn", "cursor", "transaction", "txn", "page", "browser", "reader", "stream"}
    | {"socket", "websocket", "ws", "pipe"}
)
"""Words in the name of an object that serves one call at a time."""


@dataclass(frozen=True, order=True)
class Place:
    """An asynchronous function: the package as it is installed, the file in its folder, and the line."""

    package: str
    file: str
    line: int


@dataclass(frozen=True)
class Pair:
    """Two awaited calls of one function, each by the line and the column at which it ends."""

    place: Place
    function: str
    first: tuple[int, int]
    second: tuple[int, int]
    calls: tuple[str, str]
    shared: tuple[str, ...]

    def row(self) -> dict[str, object]:
        """Return the pair as the judgements have it."""
        return {
            "package": self.place.package,
            "file": self.place.file,
            "line": self.place.line,
            "function": self.function,
            "first": list(self.first),
            "second": list(self.second),
            "calls": list(self.calls),
        }


@dataclass(frozen=True)
class Judged:
    """What was found in one function: its proved pairs, all verdicts, and what the bounds left out."""

    pairs: tuple[Pair, ...]
    verdicts: Counter[str]
    too_long: int
    left_out: int


def packages() -> dict[str, str]:
    """Return the folder that is imported, by what is installed."""
    lines = [line.partition(" # ") for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()]
    return {requirement: folder for requirement, _, folder in lines if folder}


def install(folder: Path) -> None:
    """Install the packages into *folder*, unless they are there."""
    missing = [requirement for requirement, name in packages().items() if not (folder / name).is_dir()]
    if missing:
        subprocess.run(["uv", "pip", "install", "--quiet", "--no-deps", "--target", folder, *missing], check=True)  # noqa: S603, S607


def places(folder: Path) -> list[Place]:
    """Return the functions that make two reading calls, or one in a loop, in order."""
    paths = [
        (folder, requirement, path)
        for requirement, name in packages().items()
        for path in sorted((folder / name).rglob("*.py"))
        if b"await" in path.read_bytes()
    ]
    with ProcessPoolExecutor() as pool:
        return sorted(place for found in pool.map(_places_in, paths, chunksize=16) for place in found)


def _places_in(at: tuple[Path, str, Path]) -> list[Place]:
    folder, requirement, path = at
    file = parsed(path)
    if file is None:
        return []
    name = path.relative_to(folder).as_posix()
    return [Place(requirement, name, one.lineno) for one in functions(file) if next(both(file, one), None)]


@lru_cache(maxsize=16)
def parsed(path: Path) -> SourceFile | None:
    """Return the parsed file at *path*; None if it is not Python."""
    return parse(path.read_text(encoding="utf-8", errors="replace"))


def functions(file: SourceFile) -> Iterator[ast.AsyncFunctionDef]:
    """Yield the asynchronous functions of *file*."""
    return (node for node in ast.walk(file.tree) if isinstance(node, ast.AsyncFunctionDef))


def reads(function: ast.AsyncFunctionDef) -> list[ast.Call]:
    """Return the calls that *function* awaits where it makes them, and whose names say that they read."""
    awaited = [node.value for node in own_nodes(function) if isinstance(node, ast.Await)]
    calls = [call for call in awaited if isinstance(call, ast.Call) and assumed_effect(callee_name(call)) == "read"]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def both(file: SourceFile, function: ast.AsyncFunctionDef) -> Iterator[tuple[ast.Call, ast.Call]]:
    """Yield the pairs of reading calls of *function*; a call in a loop is a pair with itself."""
    for first, second in itertools.combinations_with_replacement(reads(function)[:MOST_CALLS], 2):
        if first is not second or file.loop(function, first) is not None:
            yield first, second


def judged(at: tuple[Path, Place]) -> Judged:
    """Judge all pairs of the function at a place in a folder."""
    folder, place = at
    file = parsed(folder / place.file)
    function = next((one for one in functions(file) if one.lineno == place.line), None) if file else None
    if file is None or function is None:
        return Judged((), Counter(), 0, 0)
    verdicts: Counter[str] = Counter()
    found = []
    too_long = 0
    for first, second in both(file, function):
        proof = prove(file, *(Site(function.name, call.lineno, *end(call)) for call in (first, second)))
        verdicts[proof.verdict] += 1
        too_long += "too long" in proof.reason
        tied = proof.discarded or proof.derived or one_at_a_time(function, proof.shared)
        calls = callee_name(first), callee_name(second)
        if proof.verdict == "independent" and not tied and not any(changes(name, file, at) for name in calls):
            found.append(Pair(place, function.name, end(first), end(second), calls, proof.shared))
    return Judged(tuple(found), verdicts, too_long, max(0, len(reads(function)) - MOST_CALLS))


def changes(tool: str, file: SourceFile, at: tuple[Path, Place]) -> bool:
    """Return whether the function called *tool*, if it can be found from *file*, changes or asks for something."""
    folder, place = at

    def source(frame: CallFrame) -> SourceFile | None:
        path = Path(frame.file_path)
        return parsed(path) if path.is_file() else None

    module = program_module(file, str(folder / place.file), source)
    return may_change_something(tool, module, lambda command: shell_effect(command) == "read")


def end(call: ast.Call) -> tuple[int, int]:
    """Return the line and the column at which *call* ends."""
    return call.end_lineno or 0, call.end_col_offset or 0


def one_at_a_time(function: ast.AsyncFunctionDef, names: tuple[str, ...]) -> bool:
    """
    Return whether any of *names* is an object that serves one call at a time, as far as *function* tells.

    >>> one, other = ast.parse("async def f(db: AsyncSession, client: Client): ..."), ("client.pages",)
    >>> one_at_a_time(one.body[0], ("db",)), one_at_a_time(one.body[0], other)
    (True, False)
    """
    told: dict[str, str] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.arg) and node.annotation is not None:
            told[node.arg] = ast.unparse(node.annotation)
        elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            told[node.optional_vars.id] = ast.unparse(node.context_expr)
    texts = [text for name in names for text in (name, told.get(name.partition(".")[0], ""))]
    return any(not ONE_AT_A_TIME.isdisjoint(words_in_name(text)) for text in texts)


def draw(folder: Path, seed: int, number: int) -> tuple[list[Pair], list[Judged]]:
    """Return *number* proved pairs at random, and what was found in the functions that were judged for them."""
    order = places(folder)
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample
    per_file: Counter[str] = Counter()
    drawn: list[Pair] = []
    met: list[Judged] = []
    with ProcessPoolExecutor() as pool:
        for place, found in zip(order, pool.map(judged, [(folder, place) for place in order]), strict=True):
            met.append(found)
            if found.pairs and per_file[place.file] < MOST_PER_FILE:
                per_file[place.file] += 1
                drawn.append(random.Random(f"{seed} {place}").choice(found.pairs))  # noqa: S311 - a sample
            if len(drawn) == number:
                break
        pool.shutdown(cancel_futures=True)
    return drawn, met


def show(pair: Pair, folder: Path) -> None:
    """Print *pair* with the text of its function."""
    file = parsed(folder / pair.place.file)
    function = next(one for one in functions(file) if one.lineno == pair.place.line) if file else None
    print(f"\n--- {json.dumps(pair.row())} both share: {', '.join(pair.shared) or 'nothing'}")
    lines = (folder / pair.place.file).read_text(encoding="utf-8", errors="replace").splitlines()
    for number in range(pair.place.line, (function.end_lineno if function else None) or pair.place.line):
        print(f"{'>' if number + 1 in {pair.first[0], pair.second[0]} else ' '} {number + 1:5} {lines[number]}")


def report(met: list[Judged]) -> None:
    """Print what the source shows of the pairs in the functions that were judged, and what the bounds left out."""
    verdicts = sum((one.verdicts for one in met), Counter[str]())
    told = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in ("independent", "dependent", "unknown"))
    print(f"\n{len(met)} functions judged, {sum(verdicts.values())} pairs: {told}")
    print(f"proved: {sum(len(one.pairs) for one in met)}, in {sum(bool(one.pairs) for one in met)} functions")
    print(f"pairs left unknown because a function is too long: {sum(one.too_long for one in met)}")
    print(f"calls past the first {MOST_CALLS} of a function: {sum(one.left_out for one in met)}")


def main() -> None:
    """Draw pairs for reading, and print how many of the recorded ones are right."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--packages", type=Path, help="where the packages are, or are to be installed")
    parser.add_argument("--seed", type=int, help="of the draw; that of the recorded one by default")
    parser.add_argument("--draw", type=int, default=60, help="how many pairs to draw")
    arguments = parser.parse_args()
    recorded = json.loads(JUDGEMENTS.read_text(encoding="utf-8"))
    seed = recorded["seed"] if arguments.seed is None else arguments.seed
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.packages or Path(temporary)
        install(folder)
        drawn, met = draw(folder, seed, arguments.draw)
        for pair in drawn:
            show(pair, folder)
    report(met)
    rows = recorded["pairs"]
    known = [{key: value for key, value in row.items() if key not in {"judgement", "reason"}} for row in rows]
    right = sum(row["judgement"] == "right" for row in rows)
    print(f"recorded, drawn with seed {recorded['seed']}: {len(rows)} pairs read, {right} right")
    print(f"in this draw: {sum(pair.row() in known for pair in drawn)} of {len(drawn)}")


if __name__ == "__main__":
    sys.exit(main())
