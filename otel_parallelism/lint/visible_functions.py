"""What the functions of the same file show about a call of them: whether it can wait, and whether it writes."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from otel_parallelism.analysis.dependencies.effects.tool_verbs import cautious_effect
from otel_parallelism.source.functions import callee_name, own_nodes
from otel_parallelism.source.known_functions import is_mutator, is_pure, is_sink

from .function_text import own_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.source.functions import SourceFile

AnyFunction: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_DEEPEST = 4
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_STORES = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)


class VisibleFunctions:
    """The functions and methods that one file defines."""

    def __init__(self, file: SourceFile) -> None:
        """Look at nothing yet."""
        self.file = file
        self._top = {node.name: node for node in file.tree.body if isinstance(node, _FUNCTIONS)}
        self._methods: dict[ast.ClassDef, dict[str, AnyFunction]] = {}
        self._waiting: dict[tuple[AnyFunction, int], bool] = {}
        self._writing: dict[tuple[AnyFunction, int], bool] = {}

    def called(self, call: ast.Call) -> AnyFunction | None:
        """Return the function or method that *call* calls if the file defines it, else None."""
        if isinstance(call.func, ast.Name):
            return self._top.get(call.func.id)
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            around = self._class_of(call) if call.func.value.id in {"self", "cls"} else None
            return None if around is None else self._methods_of(around).get(call.func.attr)
        return None

    def _methods_of(self, around: ast.ClassDef) -> dict[str, AnyFunction]:
        """Return the methods of a class by their names; of several, the first one."""
        if around not in self._methods:
            methods = [node for node in around.body if isinstance(node, _FUNCTIONS)]
            self._methods[around] = {node.name: node for node in reversed(methods)}
        return self._methods[around]

    def surely_called(self, call: ast.Call) -> AnyFunction | None:
        """Return the function or method that *call* calls if it has a body and nothing else binds its name."""
        if isinstance(call.func, ast.Name) and self._bound[call.func.id] != 1:
            return None
        function = self.called(call)
        return None if function is None or _is_abstract(function) else function

    @cached_property
    def _bound(self) -> Counter[str]:
        return Counter(_bound_names(self.file.tree))

    def only_reads_and_waits(self, call: ast.Call) -> bool:
        """Return whether nothing in the file shows that *call* never waits, or that it changes something."""
        function = self.called(call)
        return (
            function is None
            or _is_abstract(function)
            or (self._waits(function, _DEEPEST) and not self._writes(function, _DEEPEST))
        )

    def _class_of(self, node: ast.AST) -> ast.ClassDef | None:
        parent = self.file.parents.get(node)
        while parent is not None and not isinstance(parent, ast.ClassDef):
            parent = self.file.parents.get(parent)
        return parent

    def _waits(self, function: AnyFunction, depth: int) -> bool:
        """Return whether a call of *function* can wait for something, as *depth* functions in a row show."""
        if (function, depth) not in self._waiting:
            self._waiting[function, depth] = self._can_wait(function, depth)
        return self._waiting[function, depth]

    def _can_wait(self, function: AnyFunction, depth: int) -> bool:
        if isinstance(function, ast.FunctionDef):
            return True  # it returns something that is awaited
        for node in own_nodes(function):
            if isinstance(node, (ast.AsyncFor, ast.AsyncWith)):
                return True
            if isinstance(node, ast.Await):
                inner = self.called(node.value) if isinstance(node.value, ast.Call) else None
                if inner is None or depth == 0 or inner is function or self._waits(inner, depth - 1):
                    return True
        return False

    def _writes(self, function: AnyFunction, depth: int) -> bool:
        """Return whether the text of *function* changes anything but its own variables, or takes a lock."""
        if (function, depth) not in self._writing:
            self._writing[function, depth] = self._can_write(function, depth)
        return self._writing[function, depth]

    def _can_write(self, function: AnyFunction, depth: int) -> bool:
        own = own_variables(function)
        for node in own_nodes(function):
            if isinstance(node, (ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom, ast.AsyncWith, ast.With)):
                if not isinstance(node, (ast.AsyncWith, ast.With)) or any(map(_is_lock, node.items)):
                    return True
            elif isinstance(node, _STORES):
                if any(not _is_own(target, own) for target in _targets(node)):
                    return True
            elif isinstance(node, ast.Call) and self._call_writes(node, own, function, depth):
                return True
        return False

    def _call_writes(self, call: ast.Call, own: frozenset[str], function: AnyFunction, depth: int) -> bool:
        if is_mutator(call):
            return isinstance(call.func, ast.Attribute) and not _is_own(call.func.value, own)
        if is_pure(call) or is_sink(call):
            return False
        inner = self.called(call)
        if inner is not None and inner is not function and depth > 0 and not _is_abstract(inner):
            return self._writes(inner, depth - 1)
        return cautious_effect(callee_name(call)) == "write"


def _bound_names(tree: ast.Module) -> Iterator[str]:
    """Yield each name as often as *tree* binds it, but not for the methods of classes."""
    methods = {inner for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for inner in node.body}
    for node in ast.walk(tree):
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node not in methods:
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)


def _is_abstract(function: AnyFunction) -> bool:
    """Return whether *function* has no body: it is overridden elsewhere."""
    rest = [
        node
        for node in function.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) and not isinstance(node, ast.Pass)
    ]
    return not rest or (len(rest) == 1 and isinstance(rest[0], ast.Raise))


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, (ast.Assign, ast.Delete)):
        return node.targets
    return [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []


def _is_own(target: ast.expr, own: frozenset[str]) -> bool:
    """Return whether *target* is a variable of the function, or a part of the object in one."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(_is_own(item, own) for item in target.elts)
    while isinstance(target, (ast.Attribute, ast.Subscript, ast.Starred)):
        target = target.value
    return isinstance(target, ast.Name) and target.id in own


def _is_lock(item: ast.withitem) -> bool:
    text = ast.unparse(item.context_expr).lower()
    return any(word in text for word in ("lock", "semaphore", "mutex", "limiter"))
