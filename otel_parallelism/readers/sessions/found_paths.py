"""
Finds the calls that use a path which an earlier result named: a search finds a file, and then the file is read.

Reading on in a file counts too: whether a file goes on is known once its first part was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_parallelism.patterns import LazyPattern

from .known_tools import PAGES, PATHS, READS_A_FILE, SHELLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .agent_turns import AskedTool

_PATH: Final = LazyPattern(r"[\w.@~+/\\-]{4,300}")
_ENDING: Final = LazyPattern(r"\w\.\w{1,8}")
_SHOWS_A_PART: Final = LazyPattern(r"\b(?:sed|head|tail|nl|cat|awk|Get-Content)\b")
_LONGEST: Final = 200_000
_LONGEST_KEY: Final = 1_000
_MOST_VALUES: Final = 64
_MOST_LINKS: Final = 16


class FoundPaths:
    """
    The paths that a turn has named so far, and where each stood first.

    Args:
        words: What the person said.
        project: The folder of the project: paths in it may be named relative to it.
    """

    def __init__(self, words: str, project: str) -> None:
        """Start with the paths in *words*."""
        self._folder = project.rstrip("/") + "/" if project else ""
        self._origin: dict[str, str] = dict.fromkeys(self._paths(words), "")
        self._read: dict[str, str] = {}

    def sources_of(self, call: AskedTool) -> tuple[str, ...]:
        """Return the span ids of the calls that *call* needs: their results name its paths, or they read its file."""
        found = [origin for path in self._given(call) if (origin := self._origin.get(path))]
        found += [self._read[part] for part in self._parts(call) if part in self._read]
        return tuple(dict.fromkeys(found))[:_MOST_LINKS]

    def add_asked(self, call: AskedTool, span_id: str) -> None:
        """Add the paths in the arguments of a call: later calls may know them from there."""
        for path in self._given(call):
            self._origin.setdefault(path, "")
        self._read.update(dict.fromkeys(self._parts(call), span_id))

    def add_result(self, call: AskedTool, span_id: str) -> None:
        """Add the paths in the result of a call."""
        for text in _texts(call.result):
            for path in self._paths(text):
                self._origin.setdefault(path, span_id)

    def _given(self, call: AskedTool) -> Iterator[str]:
        for text in _texts(call.arguments):
            yield from self._paths(text)

    def _parts(self, call: AskedTool) -> Iterator[str]:
        """Yield what a call may show only a part of: a file, or the result of the same call."""
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        if call.tool in READS_A_FILE:
            yield next((value for key in PATHS if isinstance(value := arguments.get(key), str)), "")
        elif call.tool in SHELLS:
            for text in _texts(arguments):
                if _SHOWS_A_PART.search(text[:_LONGEST]):
                    yield from (path for path in self._paths(text) if _ENDING.search(path))
        elif arguments:
            kept = sorted((key, repr(value)[:_LONGEST_KEY]) for key, value in arguments.items() if key not in PAGES)
            yield f"{call.tool} {kept}"

    def _paths(self, text: str) -> Iterator[str]:
        for found in _PATH.findall(text[:_LONGEST]):
            path = found.rstrip(".").removeprefix("./").removeprefix(self._folder)
            if "/" in path or "\\" in path or _ENDING.search(path):
                yield path


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in plain data, up to a number of values."""
    waiting = [value]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        at = waiting.pop()
        if isinstance(at, str):
            yield at
        elif isinstance(at, dict):
            waiting += at.values()
        elif isinstance(at, list):
            waiting += at
