"""Lints one file by its name, and shows what a rewrite of it changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.errors import UnreadableError
from otel_parallelism.lint.lint_findings import LINT_KINDS, LintResult
from otel_parallelism.lint.linting import lint_source

from .event_loops import other_event_loop
from .python_files import read_python

if TYPE_CHECKING:
    from collections.abc import Collection

    from otel_parallelism.lint.lint_findings import LintKind


class LintedFile(msgspec.Struct, frozen=True):
    """A file called ``name``, its text and encoding, and what was found in it."""

    name: str
    text: str
    encoding: str
    result: LintResult

    def diff(self) -> str:
        """Return what the rewrite changes, as a unified diff; an empty string if nothing is rewritten."""
        return "" if self.result.fixed is None else text_diff(self.name, self.text, self.result.fixed)


def text_diff(name: str, before: str, after: str) -> str:
    """Return the difference of two texts of the file called *name*, as a unified diff; empty if they are equal."""
    from difflib import unified_diff  # noqa: PLC0415 - seldom needed

    lines = unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def lint_file(name: str, kinds: Collection[LintKind] = LINT_KINDS.keys()) -> LintedFile:
    """
    Lint the file called *name*, or standard input for ``-``.

    Nothing is rewritten in a package that runs under another event loop than asyncio's.

    Args:
        name: A file of Python source.
        kinds: What to look for.

    Raises:
        UnreadableError: The file cannot be read, or is not Python.
    """
    text, encoding = read_python(name)
    try:
        result = lint_source(text, name, kinds)
        if result.fixed is not None and other_event_loop(name):
            kept = tuple(msgspec.structs.replace(one, fixable=False) for one in result.findings)
            result = LintResult(kept, result.ignored)
        return LintedFile(name, text, encoding, result)
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        problem = error.msg if isinstance(error, SyntaxError) else str(error)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise UnreadableError(name, line, problem, f"Python {version} source") from None
