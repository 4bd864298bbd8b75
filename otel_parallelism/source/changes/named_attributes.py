"""Finds attributes and variables of the environment that code sets or reads by a name in a text, not in its syntax."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from otel_parallelism.source.functions import callee_name
from otel_parallelism.source.known_functions import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_ATTRIBUTE = ".any attribute"
"""Stands for an attribute whose name is not known."""
_ENVIRONMENT = (".environ", "environ")
_OF_THE_ENVIRONMENT = frozenset({"os.getenv", "getenv", "os.getenvb"})
_SETTING = frozenset({"setattr", "delattr", "__setattr__", "__delattr__"})
_FILLING = frozenset({"update", "setdefault", "pop", "popitem", "clear"})


def read_by_text(call: ast.Call) -> tuple[str, ...]:
    """
    Return what *call* reads by name: an attribute, `ANY_ATTRIBUTE` if its name is not constant, or the environment.

    >>> read_by_text(ast.parse("getattr(user, 'name', None)", mode="eval").body)
    ('.name',)
    """
    if callee_name(call) == "getattr":
        return (_attribute(call.args[1] if len(call.args) > 1 else None),)
    return _ENVIRONMENT if dotted(call.func) in _OF_THE_ENVIRONMENT else ()


def attributes_set(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """
    Yield the objects with an attribute that *node* sets or deletes by its name, each with the name.

    >>> [(_, name)] = attributes_set(ast.parse("vars(user).update(name=1)", mode="eval").body)
    >>> name
    '.name'
    """
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        if isinstance(node.value, ast.Call) and callee_name(node.value) == "globals":
            yield node.value, _attribute(node.slice).removeprefix(".")
        holder = _namespace_of(node.value)
        if holder is not None:
            yield holder, _attribute(node.slice)
    elif isinstance(node, ast.Call) and callee_name(node) in _SETTING and node.args:
        bound = isinstance(node.func, ast.Attribute) and dotted(node.func.value) not in {"object", "type"}
        holder = node.func.value if bound else node.args[0]  # type: ignore[attr-defined] # a method, if it is bound
        yield holder, _attribute(next(iter(node.args[0 if bound else 1 :]), None))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _FILLING:
        holder = _namespace_of(node.func.value)
        if holder is not None:
            if node.func.attr == "update" and not node.args:
                yield from ((holder, f".{one.arg}" if one.arg else ANY_ATTRIBUTE) for one in node.keywords)
            else:
                yield holder, _attribute(next(iter(node.args), None)) if node.func.attr != "update" else ANY_ATTRIBUTE


def names_in_common(changed: frozenset[str], read: frozenset[str]) -> frozenset[str]:
    """
    Return those names of *changed* that *read* may hold, too.

    >>> names_in_common(frozenset({".at", "CACHE"}), frozenset({ANY_ATTRIBUTE}))
    frozenset({'.at'})
    """
    found = (changed & read) - {ANY_ATTRIBUTE}
    if ANY_ATTRIBUTE in read:
        found |= {name for name in changed if name[0] == "."}
    if ANY_ATTRIBUTE in changed and not found and any(name[0] == "." for name in read):
        found = frozenset({ANY_ATTRIBUTE})
    return found


def _attribute(name: ast.expr | None) -> str:
    constant = isinstance(name, ast.Constant) and isinstance(name.value, str)
    return f".{name.value}" if constant else ANY_ATTRIBUTE  # type: ignore[union-attr] # it is a constant


def _namespace_of(expression: ast.expr) -> ast.expr | None:
    """Return the object whose attributes *expression* holds as a dictionary: ``vars(x)`` or ``x.__dict__``."""
    if isinstance(expression, ast.Attribute) and expression.attr == "__dict__":
        return expression.value
    if isinstance(expression, ast.Call) and callee_name(expression) == "vars" and len(expression.args) == 1:
        return expression.args[0]
    return None
