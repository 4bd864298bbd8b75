"""Whether an iteration of a loop reads what an earlier iteration has left in a variable or in a container."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from otel_parallelism.source.known_functions import is_mutator
from otel_parallelism.source.syntax import children

from .function_text import inner_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FILLING = frozenset({"append", "extend", "add", "update", "appendleft"})


def is_carried(loop: ast.For) -> bool:
    """
    Return whether an iteration of *loop* may read what an earlier one has set.

    Adding to a container or a number, as in ``found.append(x)``, ``found[k] = x`` and ``total += x``, is not reading.

    >>> loops = ["for x in xs: total += x", "for x in xs: last = use(x, last)", "for x in xs: y = 1; use(y)"]
    >>> [is_carried(ast.parse(text).body[0]) for text in loops]
    [False, True, False]
    """
    return _reads(loop.body, set(stored_names([loop.target])), _changed(loop.body))


def stored_names(nodes: Iterable[ast.AST]) -> list[str]:
    """Return the variables that *nodes* set, in order; those of comprehensions are not among them."""
    found: dict[str, None] = {}
    for outer in nodes:
        for node in _outside_comprehensions(outer):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found[node.id] = None
    return list(found)


def root_name(node: ast.expr) -> str:
    """Return the variable with which *node* begins: ``a`` for ``a.b[c]``; empty if it begins with something else."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _outside_comprehensions(node: ast.AST) -> Iterator[ast.AST]:
    stack = [node]
    while stack:
        inner = stack.pop()
        yield inner
        stack += [child for child in reversed(children(inner)) if not isinstance(child, ast.comprehension)]


def _changed(statements: list[ast.stmt]) -> set[str]:
    """Return the variables that *statements* set, and those whose objects they change."""
    found = set(stored_names(statements))
    for statement in statements:
        for node in inner_nodes(statement):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
                found.add(root_name(node))
            elif isinstance(node, ast.Call) and is_mutator(node) and isinstance(node.func, ast.Attribute):
                found.add(root_name(node.func.value))
    return found


def _reads(statements: list[ast.stmt], bound: set[str], changed: set[str]) -> bool:
    """Return whether *statements* read one of *changed* that is not in *bound*; add what they surely bind to that."""
    for statement in statements:
        heads, inner = _parts(statement)
        if any(_reads_in(head, bound, changed) for head in heads):
            return True
        if inner:
            own = set(stored_names([statement.target])) if isinstance(statement, ast.For) else set()
            branches = [{*bound, *own} for _ in inner]
            if any(_reads(block, branch, changed) for block, branch in zip(inner, branches, strict=True)):
                return True
            if isinstance(statement, (ast.If, ast.With)):
                bound |= set.intersection(*branches)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            bound |= set(stored_names([statement]))
    return False


def _parts(statement: ast.stmt) -> tuple[list[ast.AST], list[list[ast.stmt]]]:
    """Return what *statement* evaluates itself, and its blocks."""
    if isinstance(statement, ast.If):
        return [statement.test], [statement.body, statement.orelse]
    if isinstance(statement, ast.For):
        return [statement.iter], [statement.body, statement.orelse]
    if isinstance(statement, ast.With):
        return list(statement.items), [statement.body]
    return [statement], []


def _reads_in(node: ast.AST, bound: set[str], changed: set[str]) -> bool:
    inner = list(inner_nodes(node))
    filled: set[ast.AST] = set()
    own: set[str] = set()
    for one in inner:
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call):
            func = one.value.func
            if isinstance(func, ast.Attribute) and func.attr in _FILLING:
                filled.add(func.value)
        elif isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store):
            filled.add(one.value)
        elif isinstance(one, ast.comprehension):
            own |= set(stored_names([one.target]))
    return any(
        isinstance(one, ast.Name)
        and isinstance(one.ctx, ast.Load)
        and one not in filled
        and one.id in changed
        and one.id not in bound
        and one.id not in own
        for one in inner
    )
