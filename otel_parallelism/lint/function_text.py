"""Walks over the text of one function: its blocks, its variables, and its nodes without inner functions."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from otel_parallelism.source.functions import own_nodes
from otel_parallelism.source.syntax import children

if TYPE_CHECKING:
    from collections.abc import Iterator

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def blocks(function: ast.AsyncFunctionDef) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements of *function*, without those of the functions inside it."""
    yield function.body
    for node in own_nodes(function):
        if isinstance(node, _FUNCTIONS):
            continue
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, None)
            if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
                yield inner


def own_variables(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the variables that *function* binds, without its parameters."""
    return frozenset(
        node.id for node in own_nodes(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )


class FunctionNames:
    """
    How often a function uses each name.

    Attributes:
        uses: How often it reads or sets a variable of the name, with the functions inside it.
        own_uses: How often without them.
        stores: How often it sets one, with the functions inside it.
        parameters: The names of its parameters, and of those of the functions inside it.
        values: What it assigns itself to each variable.
    """

    def __init__(self, function: ast.AsyncFunctionDef) -> None:
        """Count the names in *function*."""
        self.uses: Counter[str] = Counter()
        self.stores: Counter[str] = Counter()
        self.parameters: set[str] = set()
        for node in ast.walk(function):
            if isinstance(node, ast.Name):
                self.uses[node.id] += 1
                self.stores[node.id] += not isinstance(node.ctx, ast.Load)
            elif isinstance(node, ast.arg):
                self.parameters.add(node.arg)
        self.own_uses: Counter[str] = Counter()
        self.values: dict[str, list[ast.expr | None]] = {}
        for node in own_nodes(function):
            if isinstance(node, ast.Name):
                self.own_uses[node.id] += 1
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        self.values.setdefault(target.id, []).append(node.value)

    def only_value(self, name: str) -> ast.expr | None:
        """Return what the function assigns to the variable *name* if it binds it once, else None."""
        values = self.values.get(name, [])
        return values[0] if self.stores[name] == len(values) == 1 and name not in self.parameters else None


def inner_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield *node* and what is inside it, in the order of the text, without the bodies of functions and classes."""
    stack = [node]
    while stack:
        inner = stack.pop()
        yield inner
        if not isinstance(inner, _FUNCTIONS):
            stack += reversed(children(inner))


def joined_words(words: list[str] | tuple[str, ...]) -> str:
    """
    Return *words* as an enumeration.

    >>> joined_words(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
