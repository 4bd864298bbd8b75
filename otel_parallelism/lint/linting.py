"""Lints the text of one file: the findings in it, without those that a comment silences."""

from __future__ import annotations

import ast
import warnings
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.source.functions import SourceFile

from .blocking_code import FullNames, blocking_code
from .lint_findings import LINT_KINDS, LintFinding, LintResult, TextEdit
from .loop_bodies import loop_awaits
from .reading_calls import ReadingCalls
from .rewriting.source_text import SourceText, edited
from .rewriting.together import Rewriting
from .serial_statements import serial_awaits
from .shared_resources import SharedResources
from .silencing_comments import silenced_lines
from .visible_functions import VisibleFunctions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .lint_findings import LintKind


def lint_source(text: str, path: str, kinds: Collection[LintKind] = LINT_KINDS.keys()) -> LintResult:
    """
    Return what is found in the *text* of the file at *path*.

    Args:
        text: Python source.
        path: The name of the file, for the findings.
        kinds: What to look for.

    Raises:
        SyntaxError: *text* is not Python.
        ValueError: *text* holds a null character, or is nested too deeply.

    >>> text = "async def f(a, b):" + chr(10) + " x = await get_x(a)" + chr(10) + " y = await get_y(b)"
    >>> [(one.kind, one.line, one.end_line) for one in lint_source(text, "f.py").findings]
    [('serial_awaits', 2, 3)]
    """
    try:
        with warnings.catch_warnings():
            # What the compiler warns about, such as a wrong escape sequence, is not the lint's subject.
            warnings.simplefilter("ignore")
            if "async def" not in text:
                ast.parse(text)
                return LintResult(())
            file = SourceFile(text)
        found = sorted(found_places(file, text, path, kinds), key=lambda one: (one.finding.line, one.finding.end_line))
    except (RecursionError, MemoryError):
        raise ValueError("the expressions are nested too deeply") from None
    silenced = silenced_lines(text)
    kept = [one for one in found if silenced.isdisjoint(one.lines)]
    fixed, made = rewritten_text(text, kept)
    rewritten = set(map(id, made))
    findings = (msgspec.structs.replace(one.finding, fixable=id(one) in rewritten) for one in kept)
    return LintResult(tuple(findings), len(found) - len(kept), fixed)


class FoundPlace(msgspec.Struct, frozen=True, eq=False):
    """A finding, the lines on which a comment silences it, and the edits that mend it."""

    finding: LintFinding
    lines: set[int]
    edits: tuple[TextEdit, ...] = ()


def rewritten_text(text: str, found: list[FoundPlace]) -> tuple[str | None, list[FoundPlace]]:
    """Return *text* with the edits of *found*, and those that were made; of two that overlap, the first one is."""
    edits: dict[TextEdit, None] = {}
    places: list[tuple[int, int]] = []
    rewritten: list[FoundPlace] = []
    for one in found:
        new = [edit for edit in one.edits if edit not in edits]
        if new and not any(_overlaps(edit, places) for edit in new):
            edits.update(dict.fromkeys(new))
            rewritten.append(one)
            for edit in new:
                insort(places, (edit.start, edit.end))
    fixed = edited(text, edits) if edits else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(fixed or "")
    except SyntaxError:
        return None, []
    return fixed, rewritten


def _overlaps(edit: TextEdit, places: list[tuple[int, int]]) -> bool:
    """Return whether *edit* changes text at one of *places*, which are in order and do not overlap."""
    before = bisect_left(places, (edit.end, edit.end))
    return before > 0 and edit.start < places[before - 1][1]


def found_places(
    file: SourceFile, text: str, path: str, kinds: Collection[LintKind], measured: frozenset[str] = frozenset()
) -> Iterator[FoundPlace]:
    """Yield what is found in *file*, the parsed *text*; *measured* are functions that a report says only read."""
    full_names = FullNames(file)
    resources = SharedResources(file)
    visible = VisibleFunctions(file)
    rewriting = Rewriting(SourceText(text), visible)
    for function in ast.walk(file.tree):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        if "blocking_call" in kinds:
            for one in blocking_code(file, function, full_names):
                line, end = one.call.lineno, one.call.end_lineno or one.call.lineno
                finding = LintFinding(path, line, end, "blocking_call", one.message)
                yield FoundPlace(finding, _lines(_statement(file, one.call)))
        reading = ReadingCalls(file, function, resources=resources, visible=visible, measured=measured)
        if "serial_awaits" in kinds:
            for run in serial_awaits(reading):
                line, end = run.statements[0].lineno, run.statements[-1].end_lineno or 0
                finding = LintFinding(path, line, end, "serial_awaits", run.message)
                lines = set().union(*map(_lines, run.statements))
                yield FoundPlace(finding, lines, tuple(rewriting.serial_edits(run, reading)))
        if "await_in_loop" in kinds:
            for loop in loop_awaits(reading):
                line, end = loop.loop.lineno, loop.loop.end_lineno or loop.loop.lineno
                finding = LintFinding(path, line, end, "await_in_loop", loop.message)
                lines = _lines(loop.loop).union(*(_lines(_statement(file, call)) for call in loop.calls))
                yield FoundPlace(finding, lines, tuple(rewriting.loop_edits(loop, reading)))


def _statement(file: SourceFile, node: ast.AST) -> ast.AST:
    while not isinstance(node, ast.stmt):
        node = file.parents[node]
    return node


def _lines(node: ast.AST) -> set[int]:
    """Return the lines of a simple statement or an expression; of a block, those of its head."""
    first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        last = max(first, body[0].lineno - 1)
    return set(range(first, last + 1))
