"""Finds the source of stored calls in a folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from otel_parallelism.source.functions import SourceFile, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.model import CallFrame

_MOST_BYTES = 2_000_000


def sources_in(folder: str) -> Callable[[CallFrame], SourceFile | None]:
    """
    Return a function that returns the parsed file of a frame of a stored call.

    The path in the span may be of another machine. It stands for the file in *folder* that has the most of its last
    parts. Nothing outside of *folder* is read, also where a link or ``..`` leads there.
    """
    root = Path(folder).resolve()
    known: dict[str, SourceFile | None] = {}

    def source_of(frame: CallFrame) -> SourceFile | None:
        path = frame.file_path
        if path not in known:
            known[path] = _found(root, path)
        return known[path]

    return source_of


def _found(root: Path, path: str) -> SourceFile | None:
    """Return the file that *path* stands for in *root*, parsed; None if there is none."""
    found = path_inside(root, path)
    try:
        return None if found is None else parse(found.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def path_inside(root: Path, path: str) -> Path | None:
    """
    Return the file that *path*, which may be of another machine, stands for in *root*; None if there is none.

    It is the file that has the most of the last parts of *path*. *root* has no links; what a link or ``..`` leads out
    of it is no file of it, and neither is a very large one.
    """
    pure = PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
    parts = [part for part in pure.parts if part != pure.anchor]
    if ".." in parts:
        return None
    for first in range(len(parts)):
        try:
            resolved = root.joinpath(*parts[first:]).resolve()
            if resolved.is_relative_to(root) and resolved.is_file() and resolved.stat().st_size <= _MOST_BYTES:
                return resolved
        except (OSError, RuntimeError, ValueError):  # before Python 3.13, links in a circle are a RuntimeError
            continue
    return None
