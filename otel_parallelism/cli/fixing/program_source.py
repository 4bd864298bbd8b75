"""The Python files of a program: the one that a report names, and all that may hold what is looked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.cli.code.python_files import python_files, read_python
from otel_parallelism.errors import UnreadableError
from otel_parallelism.readers.source_folder import path_inside

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_TESTS: Final = ("tests", "test", "test_*.py", "*_test.py", "conftest.py")
"""Folders and files that are not the program itself."""
_MOST_BYTES: Final = 2_000_000


class ProgramFile(msgspec.Struct, frozen=True):
    """A file: its path, its name as messages show it, its text, and the encoding to write it back in."""

    path: Path
    name: str
    text: str
    encoding: str

    def write(self, text: str) -> None:
        """
        Write *text* in place of what the file has.

        Raises:
            OSError: It cannot be written.
        """
        self.path.write_bytes(text.encode(self.encoding))


class ProgramSource:
    """The Python files in one folder. What a link in it leads to outside is not read."""

    def __init__(self, root: Path) -> None:
        """Remember the folder, without its links."""
        self.root: Path = root.resolve()

    def named(self, recorded: str) -> ProgramFile | None:
        """
        Return the file that a report calls *recorded*, perhaps on another machine; None if the folder has none.

        Raises:
            UnreadableError: It cannot be read.
        """
        found = path_inside(self.root, recorded) if recorded.endswith(".py") else None
        return None if found is None else self._read(found)

    def with_words(self, words: Collection[str]) -> Iterator[ProgramFile]:
        """Yield the files, without tests, that have one of *words*; those that cannot be read are left out."""
        wanted = [word.encode() for word in words]
        for name in python_files([str(self.root)], _TESTS):
            try:
                path = Path(name).resolve()
                if not path.is_relative_to(self.root) or path.stat().st_size > _MOST_BYTES:
                    continue
                content = path.read_bytes()
                if any(word in content for word in wanted):
                    yield self._read(path)
            except (OSError, UnreadableError):
                continue

    def _read(self, path: Path) -> ProgramFile:
        text, encoding = read_python(str(path))
        return ProgramFile(path, _shown(path), text, encoding)


def _shown(path: Path) -> str:
    """Return *path* relative to the working folder if it is inside."""
    try:
        return path.relative_to(Path.cwd().resolve()).as_posix()
    except (OSError, ValueError):
        return str(path)
