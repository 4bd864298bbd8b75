"""The import that a rewrite needs: whether its name is free, and where it is added."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from otel_parallelism.lint.lint_findings import TextEdit

if TYPE_CHECKING:
    from .source_text import SourceText


def is_free_name(tree: ast.Module, name: str, statement: str) -> bool:
    """Return whether *name* is bound nowhere in *tree*, or only by the import *statement* at its top level."""
    (wanted,) = ast.parse(statement).body
    return all(node in tree.body and _brings(node, wanted, name) for node in _bindings(tree, name))


def _brings(node: ast.AST, wanted: ast.stmt, name: str) -> bool:
    """Return whether *node* is an import that binds *name* as the import *wanted* does."""
    if isinstance(node, ast.Import) and isinstance(wanted, ast.Import):
        return any(alias.asname is None and alias.name.partition(".")[0] == name for alias in node.names)
    if isinstance(node, ast.ImportFrom) and isinstance(wanted, ast.ImportFrom):
        same = (node.module, node.level) == (wanted.module, wanted.level)
        return same and any((alias.name, alias.asname) == (name, None) for alias in node.names)
    return False


def import_edit(tree: ast.Module, source: SourceText, name: str, statement: str) -> list[TextEdit]:
    """Return the edit that adds *statement* to the imports; none if *name* is imported already."""
    if any(_bindings(tree, name)):
        return []
    head = 0
    for node in tree.body:
        is_docstring = head == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not is_docstring and not is_future:
            break
        head += 1
    newline = "\r\n" if "\r\n" in source.text else "\n"
    following = tree.body[head] if head < len(tree.body) else None
    if isinstance(following, (ast.Import, ast.ImportFrom)) and not source.before(following).strip():
        at = source.offset(following.lineno, 0)
        return [TextEdit(at, at, statement + newline)]
    if head:
        at = source.span(tree.body[head - 1])[1] + len(source.after(tree.body[head - 1]))
        return [TextEdit(at, at, f"{newline}{newline}{statement}")]
    first = following
    line = 1 if first is None else min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", []))])
    at = source.offset(line, 0)
    return [TextEdit(at, at, f"{statement}{newline}{newline}{newline}")]


def _bindings(tree: ast.Module, name: str) -> list[ast.AST]:
    """Return the nodes that bind *name* anywhere in *tree*."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if any((alias.asname or alias.name).partition(".")[0] == name for alias in node.names):
                found.append(node)
        elif (
            (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load))
            or (isinstance(node, ast.arg) and node.arg == name)
            or (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == name)
        ):
            found.append(node)
    return found
