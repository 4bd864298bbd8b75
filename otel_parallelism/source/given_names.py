"""Finds the names that source gives functions beside their own, as tools."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def names_given(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that *node* may give to functions, each with that of the function."""
    pairs: list[tuple[list[str], list[ast.expr]]] = []
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from ((name, node.name) for decorator in node.decorator_list for name in _texts([decorator]))
    elif isinstance(node, ast.Call):
        pairs = [(_texts([node, node.func]), _values(node))]
    elif isinstance(node, ast.Dict):
        pairs = [([_text(key)], [value]) for key, value in zip(node.keys, node.values, strict=True)]
    for names, values in pairs:
        yield from ((name, value.id) for name in names if name for value in values if isinstance(value, ast.Name))


def _texts(calls: list[ast.expr]) -> list[str]:
    """Return the constant texts among the arguments of *calls*; an expression that is no call has none."""
    return [_text(value) for call in calls if isinstance(call, ast.Call) for value in _values(call)]


def _values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *[keyword.value for keyword in call.keywords]]


def _text(expression: ast.expr | None) -> str:
    """Return the text that *expression* is; empty if it is no constant text."""
    return expression.value if isinstance(expression, ast.Constant) and isinstance(expression.value, str) else ""
