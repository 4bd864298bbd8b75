"""Tells objects that a function made or got for itself from those that others may see, too."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, TypeGuard

from otel_parallelism.source.functions import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.source.functions import Function

_MOST_FUNCTIONS = 64
_CONTAINERS = (ast.List, ast.Set, ast.Dict, ast.Tuple, ast.ListComp, ast.SetComp, ast.DictComp)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@functools.lru_cache(maxsize=_MOST_FUNCTIONS)
def own_names(function: Function) -> frozenset[str]:
    """Return the parameters and variables of *function* itself."""
    if isinstance(function, ast.Module):
        return frozenset()
    arguments = function.args
    rest = [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    bound = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest)}
    others: set[str] = set()
    for node in own_nodes(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            others.update(node.names)
    return frozenset(bound - others)


def grows_container(node: ast.AST) -> TypeGuard[ast.AugAssign]:
    """
    Return whether *node* adds a list, a set or a dictionary to a variable, which changes the object itself.

    >>> [grows_container(ast.parse(text).body[0]) for text in ("found += [1]", "count += 1")]
    [True, False]
    """
    return isinstance(node, ast.AugAssign) and isinstance(node.value, _CONTAINERS)


def is_fresh(expression: ast.expr, function: Function, *, new: bool = False) -> bool:
    """
    Return whether *expression* is, or is a part of, an object that *function* made or got from a call.

    With *new*, the object of the method *function* is one that its caller made.
    """
    while isinstance(expression, (ast.Attribute, ast.Subscript)):
        expression = expression.value
    return not isinstance(expression, ast.Name) or expression.id in _own_names(function, new)


def bindings(function: Function, name: str) -> list[ast.expr | None]:
    """Return what *function* binds *name* to, None for an item of something; its parameters are left out."""
    return [
        value
        for target, value in _bindings(function)
        if any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(target))
    ]


@functools.lru_cache(maxsize=_MOST_FUNCTIONS)
def _own_names(function: Function, new: bool) -> frozenset[str]:  # noqa: FBT001 - a cache takes no keywords
    """Return the names that *function* binds only to what it made; others may stand for an object of others."""
    bound: dict[str, bool] = {}
    if not isinstance(function, _DEFINITIONS):
        return frozenset()
    bound.update((one.arg, True) for one in (function.args.vararg, function.args.kwarg) if one is not None)
    positional = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    bound.update((name, True) for name in positional[: 1 if new else 0])
    taken = {*positional[1 if new else 0 :], *(one.arg for one in function.args.kwonlyargs)}
    for target, value in _bindings(function):
        for name in (one.id for one in ast.walk(target) if isinstance(one, ast.Name)):
            made = not isinstance(value, (ast.Name, ast.Attribute, ast.Subscript, ast.BoolOp, ast.IfExp))
            bound[name] = bound.get(name, True) and made
    return frozenset(name for name, made in bound.items() if made and name not in taken)


def _bindings(function: Function) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    for node in own_nodes(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, (ast.Name, ast.Tuple, ast.List)):
                    yield target, node.value
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name):
            yield node.target, node.value
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield node.target, None
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    yield item.optional_vars, item.context_expr
