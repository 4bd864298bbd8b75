"""Objects that serve one call at a time, judging by their names, their annotations, and what opens them."""

from __future__ import annotations

import ast
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.analysis.dependencies.effects.verb_tables import word_set
from otel_parallelism.source.known_functions import dotted, is_harmless_block

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.source.functions import Function, SourceFile


_ONE_AT_A_TIME = word_set(
    "session sessions connection conn cursor transaction txn tx uow page browser reader stream socket websocket ws "
    "pipe pipeline queue lock semaphore limiter file fp db database repo repository dao crud orm objects queryset "
    "locator element frame tab driver mutex iterator generator process proc stdin stdout stderr serial device"
)
"""Words in the name of an object that serves one call at a time, or that may hide such an object."""

_TOGETHER = frozenset({"ClientSession", "AsyncClient", "AsyncOpenAI", "AsyncAnthropic", "AsyncAzureOpenAI"})
"""Classes of clients whose methods may run at the same time, whatever the variable is called."""

_BLOCKS = _ONE_AT_A_TIME - {"file", "fp", "db", "database"} | word_set("begin atomic savepoint batch ordered")
"""Words in the ``with`` statement around calls that keep their order or share one connection."""


class SharedResources:
    """What the annotations, assignments and ``with`` statements of one file say about the objects in its variables."""

    def __init__(self, file: SourceFile) -> None:
        """Keep the file; it is read when something about it is asked."""
        self._file = file
        self._one_at_a_time: dict[tuple[str, Function], bool] = {}
        self._ordered: dict[ast.withitem, bool] = {}

    @cached_property
    def _attributes(self) -> dict[str, list[str]]:
        """What is said about attributes such as ``self.client``, anywhere in the file."""
        return _told(node for node in ast.walk(self._file.tree) if _names_attribute(node))

    @lru_cache(maxsize=64)  # noqa: B019 - the file is dropped with it
    def _variables(self, function: Function) -> dict[str, list[str]]:
        return _told(ast.walk(function))

    def one_at_a_time(self, name: str, function: Function) -> bool:
        """Return whether the object called *name*, which may have dots, serves one call at a time."""
        if (name, function) not in self._one_at_a_time:
            self._one_at_a_time[name, function] = self._serves_one(name, function)
        return self._one_at_a_time[name, function]

    def _serves_one(self, name: str, function: Function) -> bool:
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            told = self._said(".".join(parts[:end]), function)
            if any(text.rpartition(".")[2] in _TOGETHER for text in told):
                continue
            if any(not _ONE_AT_A_TIME.isdisjoint(words_in_name(text)) for text in (parts[end - 1], *told)):
                return True
        return False

    def runs_together(self, name: str, function: Function) -> bool:
        """Return whether the object called *name* is known to serve several calls at once."""
        return any(text.rpartition(".")[2] in _TOGETHER for text in self._said(name, function))

    def _said(self, name: str, function: Function) -> list[str]:
        return self._variables(function).get(name, []) + (self._attributes.get(name, []) if "." in name else [])

    def uses_one_at_a_time(self, call: ast.Call, function: Function) -> bool:
        """Return whether *call* is a method of such an object, or is given one."""
        values: list[ast.AST] = [*call.args, *call.keywords]
        if isinstance(call.func, ast.Attribute):
            values.append(call.func.value)
        while values:
            node = values.pop()
            name = dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
            if not name:
                values += ast.iter_child_nodes(node)
            elif self.one_at_a_time(name, function):
                # It is, too, if what it is a part of is one.
                return True
        return False

    def in_ordered_block(self, node: ast.AST, function: Function) -> bool:
        """Return whether a ``with`` statement around *node* makes its calls share a connection, a lock or the like."""
        parent = self._file.parents.get(node)
        while parent is not None and parent is not function:
            if isinstance(parent, (ast.With, ast.AsyncWith)) and any(map(self._keeps_order, parent.items)):
                return True
            parent = self._file.parents.get(parent)
        return False

    def _keeps_order(self, item: ast.withitem) -> bool:
        if item not in self._ordered:
            context = item.context_expr
            opened = context.func if isinstance(context, ast.Call) else context
            self._ordered[item] = (
                not is_harmless_block(context)
                and ast.unparse(opened).rpartition(".")[2] not in _TOGETHER
                and not _BLOCKS.isdisjoint(words_in_name(ast.unparse(context)))
            )
        return self._ordered[item]


def _names_attribute(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Attribute) for target in targets)


def _told(nodes: Iterable[ast.AST]) -> dict[str, list[str]]:
    """Return the annotations of each variable, and the names of what makes its value."""
    found: dict[str, list[str]] = {}

    def note(target: ast.expr | None, text: ast.expr) -> None:
        if not isinstance(target, (ast.Name, ast.Attribute)):
            return
        head = text.value if isinstance(text, ast.Await) else text
        head = head.func if isinstance(head, ast.Call) else head
        found.setdefault(dotted(target), []).append(ast.unparse(head))

    for node in nodes:
        if isinstance(node, ast.arg) and node.annotation is not None:
            found.setdefault(node.arg, []).append(ast.unparse(node.annotation))
        elif isinstance(node, ast.withitem):
            note(node.optional_vars, node.context_expr)
        elif isinstance(node, ast.AnnAssign):
            note(node.target, node.annotation)
        elif isinstance(node, ast.Assign) and isinstance(node.value, (ast.Call, ast.Await)):
            for target in node.targets:
                note(target, node.value)
    return found
