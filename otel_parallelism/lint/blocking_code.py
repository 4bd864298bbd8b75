"""Finds known blocking calls in the bodies of async functions, by the names that imports give them."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.source.functions import own_nodes
from otel_parallelism.source.known_functions import dotted

from .blocking_names import BLOCKING_FUNCTIONS, BLOCKING_METHODS, EXECUTORS, FUTURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.source.functions import SourceFile

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class BlockingCall(msgspec.Struct, frozen=True):
    """
    A call that holds the event loop.

    Attributes:
        call: The call.
        name: The full name of what is called.
        instead: What to do instead, as an imperative clause.
        function: The async function around it.
    """

    call: ast.Call
    name: str
    instead: str
    function: str

    @property
    def message(self) -> str:
        """What was found and what to do."""
        return f"{self.name} blocks the event loop in async {self.function}: {self.instead}."


class FullNames:
    """The full names of what the imports of one file bind."""

    def __init__(self, file: SourceFile) -> None:
        """Read all imports of *file*; a name that is bound in another way too, anywhere, is left out."""
        self._names: dict[str, set[str]] = {}
        rebound: set[str] = set()
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    self._names.setdefault(alias.asname or first, set()).add(alias.name if alias.asname else first)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    self._names.setdefault(alias.asname or alias.name, set()).add(f"{module}.{alias.name}")
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                rebound.add(node.id)
            elif isinstance(node, ast.arg):
                rebound.add(node.arg)
            elif isinstance(node, _FUNCTIONS):
                rebound.add(node.name)
        self._rebound = rebound

    def full_name(self, node: ast.expr) -> str:
        """Return the full name of *node*, such as ``time.sleep``; empty if it is not surely that of an import."""
        name = dotted(node)
        root, dot, rest = name.partition(".")
        if not name or root in self._rebound:
            return ""
        if root not in self._names:
            return name if not dot and hasattr(builtins, name) else ""
        bound = self._names[root]
        return f"{next(iter(bound))}{dot}{rest}" if len(bound) == 1 else ""


def blocking_code(file: SourceFile, function: ast.AsyncFunctionDef, full_names: FullNames) -> Iterator[BlockingCall]:
    """Yield the blocking calls that *function* itself makes; those of functions inside it may run in threads."""
    made = _made(function, full_names)
    ended = _ended(function)
    asking: dict[ast.If, bool] = {}
    for node in own_nodes(function):
        if not isinstance(node, ast.Call) or isinstance(file.parents.get(node), ast.Await):
            continue
        name = full_names.full_name(node.func)
        found: tuple[str, str] | None = None
        if name in BLOCKING_FUNCTIONS:
            found = None if _returns_at_once(name, node) else (name, BLOCKING_FUNCTIONS[name])
        elif isinstance(node.func, ast.Attribute):
            found = _method(node.func, node, made, full_names)
        if found is not None and not _asks_for_a_loop(file, node, asking) and not _has_ended(node, ended):
            yield BlockingCall(node, *found, function.name)


def _asks_for_a_loop(file: SourceFile, node: ast.AST, asking: dict[ast.If, bool]) -> bool:
    """
    Return whether *node* is in a branch of an ``if`` that asks about an event loop: there may be none.

    What is found out about an ``if`` is kept in *asking*.
    """
    while not isinstance(node, (ast.AsyncFunctionDef, ast.Module)):
        node = file.parents[node]
        if isinstance(node, ast.If):
            if node not in asking:
                asking[node] = "loop" in ast.unparse(node.test)
            if asking[node]:
                return True
    return False


def _ended(function: ast.AsyncFunctionDef) -> dict[str, int]:
    """Return the processes for which *function* waits with ``communicate``, each with the first line of that."""
    found: dict[str, int] = {}
    for node in own_nodes(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "communicate":
            process = ast.unparse(node.func.value)
            found[process] = min(node.lineno, found.get(process, node.lineno))
    return found


def _has_ended(call: ast.Call, ended: dict[str, int]) -> bool:
    """Return whether *call* waits for a process that an earlier ``communicate`` has waited for already."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "wait":
        return False
    return ended.get(ast.unparse(call.func.value), call.lineno) < call.lineno


def _returns_at_once(name: str, call: ast.Call) -> bool:
    zero = bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    no_hang = name == "os.waitpid" and "WNOHANG" in ast.unparse(call)
    in_memory = name == "sqlite3.connect" and ":memory:" in ast.unparse(call)
    return (name == "time.sleep" and zero) or no_hang or in_memory


def _made(function: ast.AsyncFunctionDef, full_names: FullNames) -> dict[str, str]:
    """Return what makes the object in each variable of *function* that is bound once, by its full name."""
    bound: dict[str, list[str]] = {}
    for node in own_nodes(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            bound.setdefault(node.targets[0].id, []).append(_maker(node.value, full_names))
        elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            bound.setdefault(node.optional_vars.id, []).append(_maker(node.context_expr, full_names))
    stored = Counter(
        node.id for node in own_nodes(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    parameters = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    made = {
        name: makers[0]
        for name, makers in bound.items()
        if makers[0] and len(makers) == 1 and stored[name] == 1 and name not in parameters
    }
    for node in own_nodes(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _submits(node.value, made):
            made[node.targets[0].id] = "submit" if stored[node.targets[0].id] == 1 else ""
    return made


def _submits(value: ast.expr, made: dict[str, str]) -> bool:
    """Return whether *value* is a call of an executor's ``submit``."""
    func = value.func if isinstance(value, ast.Call) else None
    return (
        isinstance(func, ast.Attribute)
        and func.attr == "submit"
        and isinstance(func.value, ast.Name)
        and made.get(func.value.id) in EXECUTORS
    )


def _maker(value: ast.expr, full_names: FullNames) -> str:
    return full_names.full_name(value.func) if isinstance(value, ast.Call) else ""


def _method(func: ast.Attribute, call: ast.Call, made: dict[str, str], full_names: FullNames) -> tuple[str, str] | None:
    """Return the name of a method that blocks and what to do instead; None if it is not known to block."""
    if isinstance(func.value, ast.Name):
        maker = made.get(func.value.id, "")
    elif isinstance(func.value, ast.Call):
        maker = "submit" if _submits(func.value, made) else _maker(func.value, full_names)
    else:
        return None
    if func.attr == "result" and (maker == "submit" or maker in FUTURES):
        return "Future.result", "await asyncio.wrap_future, or use loop.run_in_executor"
    methods, instead = BLOCKING_METHODS.get(maker, (frozenset(), ""))
    if func.attr in methods or "*" in methods:
        if any(keyword.arg in {"timeout", "blocking"} and _is_zero(keyword.value) for keyword in call.keywords):
            return None
        return f"{maker}.{func.attr}", instead
    return None


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value and node.value is not None
