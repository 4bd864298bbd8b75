"""
Parses Python source, one statement of the module after another.

To parse a long file at once holds the interpreter's lock for as long as it takes, and the program stands still.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Final

from otel_parallelism.pace import paced

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "<source read by otel-parallelism>"
"""The file name under which source is parsed and compiled, by which `without_warnings` knows it."""

_PIECE = 2_000
_START = re.compile(r"^(?!(?:else|elif|except|finally)\b)[^\s#)\]}]", re.MULTILINE)


def syntax_tree(text: str) -> ast.Module:
    r"""
    Return the syntax tree of the module *text*, as `ast.parse` does, but without its warnings, and with pauses.

    Raises:
        SyntaxError: *text* is not Python.
        ValueError: *text* has a null character.

    >>> ast.dump(syntax_tree("a = 1\nb = 2")) == ast.dump(ast.parse("a = 1\nb = 2"))
    True
    """
    without_warnings()
    body: list[ast.stmt] = []
    lines = at = 0
    least = _PIECE
    for end in paced(_ends(text)):
        if end - at < least and end < len(text):
            continue
        # The empty lines give the statements their line numbers.
        piece = _tree("\n" * lines + text[at:end], last=end == len(text))
        if piece is None:
            # Twice as much next, so that a long string takes few attempts.
            least = 2 * (end - at)
            continue
        body += piece.body
        lines += text.count("\n", at, end)
        at, least = end, _PIECE
    return ast.Module(body, [])


def without_warnings() -> None:
    """Let Python ignore warnings about source that is parsed or compiled under `NAME`: the program's own told of it."""
    warnings.filterwarnings("ignore", module=re.escape(NAME))


def _ends(text: str) -> Iterator[int]:
    """
    Yield positions in *text* at which a statement of the module may end, and at last its length.

    They are the starts of lines that are not indented. One in a string or in brackets ends no statement, and what is
    before it cannot be parsed. Other line ends than a line feed, and form feeds, are not looked at closely.
    """
    if "\r" not in text and "\f" not in text:
        for start in _START.finditer(text, 1):
            yield start.start()
    yield len(text)


def _tree(text: str, *, last: bool) -> ast.Module | None:
    """Return the tree of *text*; None if it cannot be parsed, where it is not the *last* piece."""
    try:
        return ast.parse(text, NAME)
    except (SyntaxError, ValueError):
        if last:
            raise
        return None
