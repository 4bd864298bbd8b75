"""Whether the package around a file runs under another event loop than asyncio's, where a rewrite would not work."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

_OTHER: Final = re.compile(rb"^[ \t]*(?:import|from)[ \t]+(twisted|trio|curio)\b", re.MULTILINE)
_MOST_FILES: Final = 20_000


def other_event_loop(path: str) -> str:
    """
    Return the library with an event loop of its own that the package of the file at *path* imports anywhere.

    A file of a package seldom says under which loop its functions run: Synapse's handlers run under Twisted, and few of
    them import it. The result is empty if there is none, or if the file is in no package.
    """
    folder = Path(path).absolute().parent
    root = None
    while os.path.isfile(folder / "__init__.py"):  # noqa: PTH113 - Path.is_file raises where a folder may not be read
        root, folder = folder, folder.parent
    return "" if root is None else _imported(root)


@lru_cache(maxsize=256)
def _imported(root: Path) -> str:
    for number, file in enumerate(sorted(file for file in root.rglob("*.py") if os.path.isfile(file))):  # noqa: PTH113 - as above
        if number >= _MOST_FILES:
            break
        try:
            found = _OTHER.search(file.read_bytes())
        except OSError:
            continue
        if found is not None:
            return found[1].decode()
    return ""
