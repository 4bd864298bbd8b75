"""The text of a file by the places of its syntax tree, and edits of it that leave everything else as it is."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.lint.lint_findings import TextEdit


class SourceText:
    """
    The text of one file.

    Attributes:
        text: All of it.
    """

    def __init__(self, text: str) -> None:
        """Find the starts of the lines, as Python counts them."""
        self.text = text
        self._is_ascii = text.isascii()
        self._starts = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text))]

    def offset(self, line: int, column: int) -> int:
        """Return the offset in characters of a *line*, from 1, and a *column* in bytes of UTF-8, from 0."""
        start = self._starts[line - 1]
        return start + (column if self._is_ascii else len(self.line(line).encode()[:column].decode()))

    def line(self, number: int) -> str:
        """Return a line with its end."""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end]

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return the offsets at which *node* starts and ends."""
        return (
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0),
        )

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of *node*."""
        start, end = self.span(node)
        return self.text[start:end]

    def before(self, node: ast.stmt) -> str:
        """Return what stands in front of *node* on its first line."""
        return self.text[self._starts[node.lineno - 1] : self.span(node)[0]]

    def after(self, node: ast.stmt) -> str:
        """Return what stands behind *node* on its last line, without the end of the line."""
        last = node.end_lineno or node.lineno
        end = self._starts[last - 1] + len(self.line(last).rstrip("\r\n"))
        return self.text[self.span(node)[1] : end]


def parsed_module(text: str) -> ast.Module | None:
    """Return *text* parsed; None if it is not Python, or is nested too deeply."""
    try:
        with warnings.catch_warnings():
            # What the compiler warns about, such as a wrong escape sequence, is no fault of the caller.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def edited(text: str, edits: Iterable[TextEdit]) -> str:
    r"""
    Return *text* with *edits*, which do not overlap. Lines that are added at one place stand in the order of *edits*.

    >>> from otel_parallelism.lint.lint_findings import TextEdit
    >>> edited("a = 1", [TextEdit(4, 5, "2"), TextEdit(0, 0, "import b\n\n"), TextEdit(0, 0, "import c\n\n")])
    'import b\nimport c\n\na = 2'
    """
    by_place: dict[tuple[int, int], str] = {}
    for edit in edits:
        before = by_place.get((edit.start, edit.end))
        by_place[edit.start, edit.end] = edit.text if before is None else _joined_lines(before, edit.text)
    parts: list[str] = []
    at = 0
    for (start, end), new in sorted(by_place.items()):
        parts += (text[at:start], new)
        at = end
    return "".join([*parts, text[at:]])


def _joined_lines(first: str, second: str) -> str:
    """Return two additions of lines without the empty lines between them."""
    newline = "\r\n" if "\r\n" in first else "\n"
    return first.rstrip("\r\n") + newline + second.lstrip("\r\n")
