"""Regular expressions that are compiled when they are first used, since most programs need few of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_METHODS = ("findall", "fullmatch", "match", "search", "split", "sub")


class LazyPattern:
    """
    Stands for ``re.compile(text, flags)``, with its methods.

    Compiling all expressions of the analysis would take a good part of the time of importing this package.
    """

    __slots__ = ("_flags", "_text", *_METHODS)

    findall: Callable[..., list[Any]]
    fullmatch: Callable[..., re.Match[str] | None]
    match: Callable[..., re.Match[str] | None]
    search: Callable[..., re.Match[str] | None]
    split: Callable[..., list[str]]
    sub: Callable[..., str]

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Compile the expression: its methods are not there yet."""
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        for method in _METHODS:
            # From now on a method is found without this function.
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


class CaselessPattern:
    """
    Tells whether texts match an expression, ignoring case.

    The expression is in lower case. A text of ASCII letters is compared in lower case too, which is several times as
    fast as `re.IGNORECASE`, and gives the same answer.

    >>> CaselessPattern("timed? out").search("Timed out"), CaselessPattern("timed? out").fullmatch("It timed out")
    (True, False)
    """

    __slots__ = ("_any_case", "_lower_case")

    def __init__(self, text: str, flags: int = 0) -> None:
        self._lower_case = LazyPattern(text, flags)
        self._any_case = LazyPattern(text, flags | re.IGNORECASE)

    def search(self, text: str) -> bool:
        """Return whether any part of *text* matches."""
        found = self._lower_case.search(text.lower()) if text.isascii() else self._any_case.search(text)
        return found is not None

    def match(self, text: str) -> bool:
        """Return whether the beginning of *text* matches."""
        found = self._lower_case.match(text.lower()) if text.isascii() else self._any_case.match(text)
        return found is not None

    def fullmatch(self, text: str) -> bool:
        """Return whether all of *text* matches."""
        found = self._lower_case.fullmatch(text.lower()) if text.isascii() else self._any_case.fullmatch(text)
        return found is not None
