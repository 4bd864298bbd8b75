"""The imports of a file, and the one that a rewrite needs: whether its name is free, and where it is added."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from otel_parallelism.lint.lint_findings import TextEdit

if TYPE_CHECKING:
    from .source_text import SourceText


class ImportedNames:
    """What binds the names in one file."""

    def __init__(self, tree: ast.Module) -> None:
        """Look at nothing yet."""
        self._tree = tree
        self._bound: dict[str, list[ast.AST]] = {}
        self._free: dict[tuple[str, str], bool] = {}

    @cached_property
    def modules(self) -> frozenset[str]:
        """The first names of the modules from which the file imports names."""
        return frozenset(
            (node.module or "").partition(".")[0]
            for node in ast.walk(self._tree)
            if isinstance(node, ast.ImportFrom) and node.level == 0
        )

    def is_free(self, name: str, statement: str) -> bool:
        """Return whether *name* is bound nowhere, or only by the import *statement* at the top level."""
        if (name, statement) not in self._free:
            (wanted,) = ast.parse(statement).body
            top = set(self._tree.body)
            self._free[name, statement] = all(
                node in top and _brings(node, wanted, name) for node in self._bindings(name)
            )
        return self._free[name, statement]

    def edit(self, source: SourceText, name: str, statement: str) -> list[TextEdit]:
        """Return the edit that adds *statement* to the imports; none if *name* is imported already."""
        return [] if self._bindings(name) else [_import_edit(self._tree, source, statement)]

    def _bindings(self, name: str) -> list[ast.AST]:
        """Return the nodes that bind *name*."""
        if name not in self._bound:
            self._bound[name] = [node for node in ast.walk(self._tree) if _binds(node, name)]
        return self._bound[name]


def _brings(node: ast.AST, wanted: ast.stmt, name: str) -> bool:
    """Return whether *node* is an import that binds *name* as the import *wanted* does."""
    if isinstance(node, ast.Import) and isinstance(wanted, ast.Import):
        return any(alias.asname is None and alias.name.partition(".")[0] == name for alias in node.names)
    if isinstance(node, ast.ImportFrom) and isinstance(wanted, ast.ImportFrom):
        same = (node.module, node.level) == (wanted.module, wanted.level)
        return same and any((alias.name, alias.asname) == (name, None) for alias in node.names)
    return False


def _import_edit(tree: ast.Module, source: SourceText, statement: str) -> TextEdit:
    """Return the edit that adds *statement* to the imports."""
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
        return TextEdit(at, at, statement + newline)
    if head:
        at = source.span(tree.body[head - 1])[1] + len(source.after(tree.body[head - 1]))
        return TextEdit(at, at, f"{newline}{newline}{statement}")
    first = following
    line = 1 if first is None else min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", []))])
    at = source.offset(line, 0)
    return TextEdit(at, at, f"{statement}{newline}{newline}{newline}")


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return any((alias.asname or alias.name).partition(".")[0] == name for alias in node.names)
    return (
        (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.arg) and node.arg == name)
        or (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == name)
    )
