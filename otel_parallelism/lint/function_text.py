"""Walks over the text of one function: its blocks, its variables, and its nodes without inner functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from otel_parallelism.source.functions import own_nodes

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


def own_variables(function: ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the variables that *function* binds, without its parameters."""
    return frozenset(
        node.id for node in own_nodes(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )


def inner_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield *node* and what is inside it, without the bodies of functions and classes."""
    yield node
    if not isinstance(node, _FUNCTIONS):
        for child in ast.iter_child_nodes(node):
            yield from inner_nodes(child)


def joined_words(words: list[str] | tuple[str, ...]) -> str:
    """
    Return *words* as an enumeration.

    >>> joined_words(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
