"""The Python files that the lint reads: those of folders and patterns, without what is excluded; and their text."""

from __future__ import annotations

import fnmatch
import glob
import io
import os
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_parallelism.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STANDARD_INPUT: Final = "-"
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages"})


def python_files(names: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
    """
    Return the files that *names* stand for, each once: a folder's ``.py`` files at any depth, and those of a pattern.

    In a folder, hidden folders, virtual environments and ``node_modules`` are skipped.

    Args:
        names: Files, folders, patterns, or ``-`` for standard input.
        exclude: Globs over paths, or over the names of files and folders, that are left out. A file that is named
            itself is always read.
    """
    found: dict[str, None] = {}
    for name in names:
        # The methods of Path raise where a folder may not be read, or a name is too long.
        if name != _STANDARD_INPUT and os.path.isdir(name):  # noqa: PTH112
            found.update(dict.fromkeys(_inside(name, exclude)))
        elif name != _STANDARD_INPUT and not os.path.exists(name) and any(character in name for character in "*?["):  # noqa: PTH110
            matching = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - also absolute patterns
            files = [one for one in matching if one.endswith(".py") and not _is_excluded(one, exclude)]
            found.update(dict.fromkeys(files if matching else [name]))
        else:
            found[name] = None
    return list(found)


def read_python(name: str) -> tuple[str, str]:
    """
    Return the text and the encoding of the Python file called *name*, or of standard input for ``-``.

    Raises:
        UnreadableError: The file cannot be read, or is not in the encoding that it declares.
    """
    if not name:
        raise UnreadableError("''", None, "the name is empty", "a file that can be read")
    try:
        content = sys.stdin.buffer.read() if name == _STANDARD_INPUT else Path(name).read_bytes()
    except OSError as error:
        raise UnreadableError(name, None, error.strerror or str(error), "a file that can be read") from None
    encoding = "utf-8"
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0]
        # Line ends stay as they are: the text may be written back.
        return content.decode(encoding), encoding
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(name, line, f"it is not valid {encoding}", "Python source in UTF-8") from None
    except SyntaxError as error:
        raise UnreadableError(name, 1, str(error), "an encoding that Python knows") from None


def _inside(folder: str, exclude: Sequence[str]) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        kept = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        folders[:] = [name for name in kept if not _is_left_out(parent, name, exclude)]
        for name in sorted(files):
            path = os.path.join(parent, name)  # noqa: PTH118 - names are given as text
            # Editors leave links without a target, and reading a named pipe would wait for ever.
            if name.endswith(".py") and os.path.isfile(path) and not _is_excluded(path, exclude):  # noqa: PTH113 - as above
                yield path


def _is_left_out(parent: str, name: str, exclude: Sequence[str]) -> bool:
    path = os.path.join(parent, name)  # noqa: PTH118 - as above
    return os.path.exists(os.path.join(path, "pyvenv.cfg")) or _is_excluded(path, exclude)  # noqa: PTH110, PTH118


def _is_excluded(path: str, exclude: Sequence[str]) -> bool:
    shown = Path(path).as_posix()
    return any(fnmatch.fnmatch(text, pattern) for pattern in exclude for text in (shown, shown.rpartition("/")[2]))
