"""Rewrites the place of one finding of a report: the calls are known from a measured run, the text shows the rest."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.lint.function_text import inner_nodes, joined_words
from otel_parallelism.lint.linting import found_places, rewritten_text
from otel_parallelism.source.functions import SourceFile, callee_name, tool_call

if TYPE_CHECKING:
    from collections.abc import Collection

    from otel_parallelism.lint.lint_findings import LintKind

_KINDS: Final[tuple[LintKind, ...]] = ("serial_awaits", "await_in_loop")
_LOOPS = (ast.For, ast.comprehension)


class PlaceRewrite(msgspec.Struct, frozen=True):
    """
    What became of the place of a finding.

    Attributes:
        fixed: The text of the file with that place rewritten; None if it is left as it is.
        reason: Why it is left as it is, as a sentence; empty if it is rewritten.
        dispatches: Whether the line calls functions that are chosen while the program runs, as a loop over the calls
            of a model's response does.
    """

    fixed: str | None
    reason: str = ""
    dispatches: bool = False


def rewrite_at(text: str, line: int, tools: Collection[str]) -> PlaceRewrite:
    """
    Return *text* with the awaits at *line* made together, where the text shows that no result changes.

    Only this place is rewritten. That the calls only read is taken from the report; that none needs another must follow
    from the text too.

    Args:
        text: Python source.
        line: The line that the finding names, from 1.
        tools: The names of the calls in the finding, which the line must still show.

    >>> text = "async def f(a):" + chr(10) + " x = await a.one()" + chr(10) + " y = await a.two()" + chr(10)
    >>> rewrite_at(text + " return x, y", 3, ["one", "two"]).fixed.splitlines()[-2:]
    [' x, y = await asyncio.gather(a.one(), a.two())', ' return x, y']
    >>> rewrite_at(text + " return x, y", 3, ["three"]).reason
    'line 3 awaits two, and not three: the file has changed since, or the tools have other names there.'
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = SourceFile(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return PlaceRewrite(None, "the file is not Python that can be parsed.")
    named = _awaited_at(file, line)
    by_item = {call.func.id for call in named if isinstance(call.func, ast.Name) and _is_item(call, file)}
    changed = _changed(line, {callee_name(tool_call(call)) for call in named}, tools, by_item)
    if changed is not None:
        return changed
    found = [
        one
        for one in found_places(file, text, "", _KINDS, frozenset(tools) | by_item)
        if one.finding.line <= line <= one.finding.end_line
    ]
    if not found:
        reason = f"the text around line {line} does not show that the calls need nothing from one another"
        return PlaceRewrite(None, f"{reason}, or they are made together already.")
    fixed, _ = rewritten_text(text, found[-1:])
    if fixed is None:
        first, last = found[-1].finding.line, found[-1].finding.end_line
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        return PlaceRewrite(None, f"a rewrite of {where} might change what happens, for example if a call fails.")
    return PlaceRewrite(fixed)


def _changed(line: int, names: set[str], tools: Collection[str], by_item: Collection[str]) -> PlaceRewrite | None:
    """Return why the calls with *names* at *line* are not those that were measured; None if they are."""
    if not names:
        return PlaceRewrite(None, f"line {line} awaits no call: the file has changed since, or it is another one.")
    if not any(names):
        reason = f"line {line} awaits a function that is chosen while the program runs"
        return PlaceRewrite(None, f"{reason}, so the text does not show what is called.", dispatches=True)
    if names & {*tools, *by_item}:
        return None
    there, wanted = joined_words(sorted(filter(None, names))), joined_words(sorted(set(tools)))
    reason = f"line {line} awaits {there}, and not {wanted}: the file has changed since, or the tools have other names"
    return PlaceRewrite(None, f"{reason} there.")


def _awaited_at(file: SourceFile, line: int) -> list[ast.Call]:
    """Return the awaited calls in the innermost statements that cover *line*, or in the loop that begins there."""
    loops = [node for node in ast.walk(file.tree) if isinstance(node, (ast.For, ast.While)) and node.lineno == line]
    covered = [(line, line), *((loop.lineno, loop.end_lineno or loop.lineno) for loop in loops)]
    return [
        node.value
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
        if any(node.lineno <= last and first <= (node.end_lineno or node.lineno) for first, last in covered)
    ]


def _is_item(call: ast.Call, file: SourceFile) -> bool:
    """Return whether what *call* calls is the item of a loop around it: each iteration calls something else."""
    parent: ast.AST | None = file.parents.get(call)
    while parent is not None and not isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
        loops = [parent] if isinstance(parent, _LOOPS) else getattr(parent, "generators", [])
        for loop in loops:
            if isinstance(loop, _LOOPS) and callee_name(call) in {
                node.id for node in inner_nodes(loop.target) if isinstance(node, ast.Name)
            }:
                return True
        parent = file.parents.get(parent)
    return False
