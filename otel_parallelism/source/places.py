"""Finds the functions and the calls of a file by lines and columns."""

from __future__ import annotations

import ast
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from otel_parallelism.pace import ordered, paced

if TYPE_CHECKING:
    from collections.abc import Iterable

NamedFunction: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class FunctionLines:
    """Functions by the lines of their text."""

    def __init__(self, functions: list[NamedFunction]) -> None:
        self._functions = ordered(functions, key=lambda one: one.lineno)
        self._starts = [one.lineno for one in paced(self._functions)]
        self._latest_ends = list(accumulate((one.end_lineno or 0 for one in paced(self._functions)), max))

    def holding(self, line: int) -> list[NamedFunction]:
        """Return the functions whose text holds *line*."""
        found = []
        at = bisect_right(self._starts, line) - 1
        while at >= 0 and self._latest_ends[at] >= line:
            if (self._functions[at].end_lineno or 0) >= line:
                found.append(self._functions[at])
            at -= 1
        return found


class CallPlaces:
    """
    The calls among the nodes of one function.

    Attributes:
        ends: By the line and the column at which they end.
        await_ends: Those that are awaited, by the end of the ``await`` expression.
        lines: By the lines that stand for them: the first one, and the last one of what is called.
    """

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self.ends: dict[tuple[int | None, int | None], list[ast.Call]] = {}
        self.await_ends: dict[tuple[int | None, int | None], list[ast.Call]] = {}
        self.lines: dict[int | None, list[ast.Call]] = {}
        for node in nodes:
            if isinstance(node, ast.Call):
                self.ends.setdefault((node.end_lineno, node.end_col_offset), []).append(node)
                for line in {node.lineno, node.func.end_lineno}:
                    self.lines.setdefault(line, []).append(node)
            elif isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
                self.await_ends.setdefault((node.end_lineno, node.end_col_offset), []).append(node.value)
