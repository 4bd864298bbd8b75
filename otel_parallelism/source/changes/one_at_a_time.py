"""Finds what lets one call in at a time: a lock that is held meanwhile, an executor with one worker, or a queue."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from otel_parallelism.pace import paced
from otel_parallelism.source.functions import callee_name, own_nodes
from otel_parallelism.source.known_functions import dotted, is_mutator, is_pure, is_reflection, is_sink

from .outside_names import outside_name
from .own_objects import bindings, is_fresh, own_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.source.functions import SourceFile

    from .run_functions import Run

_CHANGING_DIRECTORY = frozenset({"os.chdir", "chdir", "contextlib.chdir"})
_RUNNING_CODE = frozenset({"exec", "eval"})
_LOCK_NAMES = ("lock", "mutex")
_LOCKS = frozenset({"Lock", "RLock", "Condition"})
_COUNTED = frozenset({"Semaphore", "BoundedSemaphore", "CapacityLimiter"})
_EXECUTORS = frozenset({"ThreadPoolExecutor", "ProcessPoolExecutor", "InterpreterPoolExecutor"})
_FUTURES = frozenset({"create_future", "Future"})
_PUTTING = frozenset({"put", "put_nowait"})
_SUSPENDING = (ast.Await, ast.AsyncFor, ast.AsyncWith)


def admitting_one(call: ast.Call, run: Run) -> str:
    """Return what *call* of *run* uses that cannot serve two calls at once, in words; empty if nothing is seen."""
    if is_reflection(call) and callee_name(call) in _RUNNING_CODE:
        return f"code that {callee_name(call)} runs"
    if dotted(call.func) in _CHANGING_DIRECTORY:
        return "the working directory, which is changed"
    if isinstance(call.func, ast.Attribute) and callee_name(call) == "acquire":
        return _lock(call.func.value, run)
    used = [*call.args, *([call.func.value] if isinstance(call.func, ast.Attribute) else ())]
    shared = [one for one in used if isinstance(one, (ast.Name, ast.Attribute)) and _is_of_others(one, run)]
    workers = _made_for_one(run.module.file)[1] & set(map(outside_name, shared))
    return f"{min(workers).removeprefix('.')}, which has one worker" if workers else ""


def held_lock(item: ast.withitem, run: Run) -> str:
    """
    Return the lock that the block of *item* holds while it waits, in words; empty if it holds none.

    What is made once under a lock, such as a token, makes few calls wait.
    """
    block = run.module.file.parents.get(item)
    if not isinstance(block, (ast.With, ast.AsyncWith)):
        return ""
    inside = (one for part in block.body if not isinstance(part, ast.If) for one in ast.walk(part))
    waits = _waits_async if isinstance(block, ast.AsyncWith) else _waits
    return _lock(item.context_expr, run) if any(map(waits, inside)) else ""


def queue_of_others(run: Run) -> str:
    """Return the queue from which others answer what *run* puts there, in words; empty if there is none."""
    for node in own_nodes(run.function):
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Name):
            made = bindings(run.function, node.value.id)
            if any(isinstance(one, ast.Call) and callee_name(one) in _FUTURES for one in made):
                return next((f"the queue {name}" for name in _put_into(run)), "")
    return ""


def _put_into(run: Run) -> Iterator[str]:
    for node in own_nodes(run.function):
        queue = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
        if queue is not None and callee_name(cast("ast.Call", node)) in _PUTTING and _is_of_others(queue, run):
            yield outside_name(queue).removeprefix(".")


def _lock(expression: ast.expr, run: Run) -> str:
    name = outside_name(expression)
    known = name.lower().endswith(_LOCK_NAMES) or name in _made_for_one(run.module.file)[0]
    shared = not isinstance(expression, ast.Call) and _is_of_others(expression, run)
    return f"the lock {name.removeprefix('.')}" if known and shared else ""


def names_lock(expression: ast.expr, run: Run) -> bool:
    """Return whether *expression*, in the function of *run*, is a lock that others may hold."""
    return bool(_lock(expression, run))


def _waits_async(node: ast.AST) -> bool:
    return isinstance(node, _SUSPENDING)


def _waits(node: ast.AST) -> bool:
    """Return whether *node* may take long: it calls a function that is not known to look only at its arguments."""
    return isinstance(node, ast.Call) and not (is_pure(node) or is_mutator(node) or is_sink(node))


def _made_for_one(file: SourceFile) -> tuple[frozenset[str], frozenset[str]]:
    """Return the variables and attributes of *file* that hold a lock, and those with an executor of one worker."""
    key = "made for one"
    if key not in file.facts:
        locks: set[str] = set()
        executors: set[str] = set()
        for node in paced(ast.walk(file.tree)):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = {outside_name(one) for one in targets if isinstance(one, (ast.Name, ast.Attribute))}
                if isinstance(file.parents.get(node), ast.ClassDef):
                    names = {f".{name}" for name in names}
                if _makes_lock(node.value):
                    locks |= names
                elif _makes_executor(node.value):
                    executors |= names
        file.facts[key] = frozenset(locks), frozenset(executors)
    return cast("tuple[frozenset[str], frozenset[str]]", file.facts[key])


def _makes_lock(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call):
        return False
    name = callee_name(value)
    factory = [one.value for one in value.keywords if one.arg == "default_factory"]
    if name == "field" and factory:
        return dotted(factory[0]).rpartition(".")[2] in _LOCKS
    return name in _LOCKS or (name in _COUNTED and _first(value, "value", 1) == 1)


def _makes_executor(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and callee_name(value) in _EXECUTORS and _first(value, "max_workers", None) == 1


def _first(call: ast.Call, keyword: str, default: object) -> object:
    """Return the first argument of *call*, or that called *keyword*, if it is constant; *default* if there is none."""
    values = [*call.args[:1], *(one.value for one in call.keywords if one.arg == keyword)]
    if not values:
        return default
    return values[0].value if isinstance(values[0], ast.Constant) else None


def _is_of_others(expression: ast.expr, run: Run) -> bool:
    if isinstance(expression, ast.Name):
        return expression.id not in own_names(run.function)
    return not is_fresh(expression, run.function, new=run.new)
