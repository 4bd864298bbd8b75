"""
Counts how the package breaks its rules of structure: ``python tests/structure.py [FOLDER ...]``.

The rules: each module, class and public function has a name of its own; modules do not import one another in a
circle; a file has at most 300 lines; a folder has at most 14 modules. Only violations in the folders that are given are
printed, all of them by default; the exit status is 1 if there are any.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "otel_parallelism"
MAX_LINES = 300
MAX_MODULES = 14
REASON = "# long: "
"""A longer file has a comment that starts with this, and continues with the reason, in its first lines."""
FIRST_LINES = 10
OPEN_FOLDERS = frozenset({"frameworks", "dialects"})
"""Folders with one module for each thing supported, in any number."""
UNNAMED = frozenset({"__init__", "__main__"})


@dataclass(frozen=True)
class Violation:
    """One broken rule, and the files in which it shows."""

    rule: str
    paths: tuple[Path, ...]
    text: str

    def within(self, folders: Iterable[Path]) -> bool:
        """Return whether one of the files is in one of the *folders*."""
        return any(path.is_relative_to(folder) for path in self.paths for folder in folders)

    def __str__(self) -> str:
        """Return the line that is printed."""
        return f"{self.rule}: {self.text} ({', '.join(_shown(path) for path in self.paths)})"


def violations(package: Path = PACKAGE) -> list[Violation]:
    """Return all violations in the *package*, rule by rule."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py"))}
    return [*_duplicate_names(trees), *_cycles(package, trees), *_long_files(trees), *_full_folders(trees)]


def _duplicate_names(trees: Mapping[Path, ast.Module]) -> Iterator[Violation]:
    """Yield names that several modules, several classes or several public functions share."""
    places: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path, tree in trees.items():
        if path.stem not in UNNAMED:
            places["module", path.stem].append(path)
        for kind, name in _definitions(tree):
            places[kind, name].append(path)
    for (kind, name), paths in sorted(places.items()):
        if len(paths) > 1:
            yield Violation(f"duplicate {kind}", tuple(paths), name)


def _definitions(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the kind and the name of each class and public function of a module, overloads once."""
    seen: set[tuple[str, str]] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            seen.add(("class", node.name))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            seen.add(("function", node.name))
    yield from sorted(one for one in seen if not one[1].startswith("_"))


def _cycles(package: Path, trees: Mapping[Path, ast.Module]) -> Iterator[Violation]:
    """Yield each group of modules that import one another in a circle, imports under TYPE_CHECKING included."""
    names = {_module_name(package, path): path for path in trees}
    graph = {name: _imports(name, path, names, trees[path]) for name, path in names.items()}
    for group in _strong_components(graph):
        if len(group) > 1:
            yield Violation("cycle", tuple(names[name] for name in group), " <-> ".join(group))


def _module_name(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(name: str, path: Path, names: Mapping[str, Path], tree: ast.Module) -> set[str]:
    """Return the modules of the package that a module imports by name, anywhere in its text."""
    here = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) + 1 - node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            submodules = {f"{source}.{alias.name}" for alias in node.names} & set(names)
            found |= submodules
            if len(submodules) < len(node.names):
                found.add(source)
    return (found & set(names)) - {name}


def _strong_components(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of a *graph*, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for successor in sorted(graph[node]):
            if successor not in order:
                visit(successor)
                lowest[node] = min(lowest[node], lowest[successor])
            elif successor in stack:
                lowest[node] = min(lowest[node], order[successor])
        if lowest[node] == order[node]:
            start = stack.index(node)
            components.append(sorted(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return components


def _long_files(trees: Mapping[Path, ast.Module]) -> Iterator[Violation]:
    """Yield files over the limit of lines whose first lines give no reason."""
    for path in trees:
        lines = path.read_text(encoding="utf-8").splitlines()
        reasons = [line.removeprefix(REASON).strip() for line in lines[:FIRST_LINES] if line.startswith(REASON)]
        if len(lines) > MAX_LINES and not any(reasons):
            yield Violation("long file", (path,), f"{len(lines)} lines")


def _full_folders(trees: Mapping[Path, ast.Module]) -> Iterator[Violation]:
    """Yield folders over the limit of modules; ``__init__`` and ``__main__`` do not count."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in trees:
        if path.stem not in UNNAMED:
            folders[path.parent].append(path)
    for folder, modules in folders.items():
        if len(modules) > MAX_MODULES and folder.name not in OPEN_FOLDERS:
            yield Violation("full folder", (folder,), f"{len(modules)} modules")


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def main(arguments: list[str]) -> int:
    """Print the violations and how many there are of each rule; return the exit status."""
    folders = [Path(argument).resolve() for argument in arguments] or [PACKAGE]
    found = [violation for violation in violations() if violation.within(folders)]
    for violation in found:
        print(violation)
    counts: dict[str, int] = defaultdict(int)
    for violation in found:
        counts[violation.rule] += 1
    print(f"{len(found)} violations" + "".join(f", {rule}: {count}" for rule, count in sorted(counts.items())))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
