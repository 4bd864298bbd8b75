"""
Finds state that two tools keep in one object or variable while they run, such as what a connection is busy with.

A tool that only reads data may still set an attribute of a connection, a page or a conversation on its way, and read it
again. Two such calls at once get in each other's way. Counts, caches by key and values that are made once are no such
state.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, cast

from otel_parallelism.pace import paced
from otel_parallelism.source.functions import callee_name, own_nodes
from otel_parallelism.source.known_functions import dotted, is_mutator, is_reflection

from .outside_names import outermost_name, outside_name
from .own_objects import is_fresh, own_names

if TYPE_CHECKING:
    from otel_parallelism.source.functions import SourceFile

    from .run_functions import Run

_TAKING = frozenset({"get_nowait", "recv", "receive", "receive_text", "receive_json", "readline", "readuntil"})
_OF_THE_PROCESS = frozenset({"os.environ", "environ"})
_CHANGING_DIRECTORY = frozenset({"os.chdir", "chdir", "contextlib.chdir"})
_RUNNING_CODE = frozenset({"exec", "eval"})
_LOCKS = ("lock", "mutex")
_CACHING = frozenset({"setdefault"})
_EXECUTORS = frozenset({"ThreadPoolExecutor", "ProcessPoolExecutor", "InterpreterPoolExecutor"})


class KeptState(NamedTuple):
    """
    What a tool sets and reads outside of its own variables; ``.name`` is an attribute of any object.

    Attributes:
        changed: What it sets or changes, without counts.
        added: What it adds to: a count, or items of a cache.
        read: What it reads.
        alone: What admits one call at a time, in words; empty if nothing is seen.
        arguments: The parameters whose objects it changes, such as a list to which it adds.
    """

    changed: frozenset[str]
    added: frozenset[str]
    read: frozenset[str]
    alone: str
    arguments: frozenset[str] = frozenset()

    def in_use(self, later: KeptState) -> str:
        """Return what one of two calls changes and the other one reads; empty if nothing is seen."""
        found = (self.changed & later.read) | (later.changed & self.read)
        # What both add to is a cache or a count.
        return min(found | (self.added & later.read - later.added), default="").removeprefix(".")


def state_of(run: Run) -> KeptState:
    """Return the state that the function of *run* itself uses."""
    key = "kept state", run.function, run.new
    if key not in run.module.file.facts:
        run.module.file.facts[key] = _found(run)
    return cast("KeptState", run.module.file.facts[key])


def _found(run: Run) -> KeptState:
    walk = _StateWalk(run)
    for node in paced(own_nodes(run.function)):
        walk.visit(node)
    # A number that is given out once it is counted up is no mere count.
    changed = walk.changed | (walk.counts & walk.read)
    found = [frozenset(names - {""}) for names in (changed, walk.added, walk.read)]
    return KeptState(found[0], found[1], found[2], walk.alone, frozenset(walk.arguments & walk.parameters))


class _StateWalk:
    """Collects what one function changes and reads outside of its own variables."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._own = own_names(run.function)
        self._parents = run.module.file.parents
        self.changed: set[str] = set()
        self.added: set[str] = set()
        self.counts: set[str] = set()
        self.read: set[str] = set()
        self.alone = ""
        self.parameters: set[str] = set()
        if isinstance(run.function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = run.function.args
            self.parameters.update(one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs))
        self.arguments: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            self.alone = self.alone or _admitting_one(node, self._run)
            # The next item of a queue or a stream may be the answer to the other call.
            changes = (is_mutator(node) and callee_name(node) not in _CACHING) or _takes_next(node, self._parents)
            if changes and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                self.arguments.add(node.func.value.id)
            if changes and isinstance(node.func, ast.Attribute) and self._is_of_others(node.func.value):
                self.changed.update(names_of(node.func.value, self._run.module.file))
            elif callee_name(node) == "set" and len(node.args) == 1 and isinstance(node.func, ast.Attribute):
                # A context variable: a task of its own would not hand it on.
                self.added.update(names_of(node.func.value, self._run.module.file))
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if isinstance(node.value, ast.Name):
                self.arguments.add(node.value.id)
            if self._is_of_others(node.value):
                names = self.changed if dotted(node.value) in _OF_THE_PROCESS else self.added
                names.update(names_of(node.value, self._run.module.file))
        elif isinstance(node, ast.AsyncWith):
            self.alone = self.alone or next((name for name in map(self._held, node.items) if name), "")
        elif isinstance(node, (ast.Name, ast.Attribute)) and self._is_of_others(node):
            self._name(node)

    def _held(self, item: ast.withitem) -> str:
        """Return the lock that the block of *item* holds while it awaits, in words; empty if it holds none."""
        name = outside_name(item.context_expr)
        around = self._parents.get(item)
        if not name.lower().endswith(_LOCKS) or not isinstance(around, ast.AsyncWith):
            return ""
        # What is made once under a lock, such as a token, makes few calls wait.
        parts = (part for part in around.body if not isinstance(part, ast.If))
        awaits = any(isinstance(one, ast.Await) for part in parts for one in ast.walk(part))
        return f"the lock {name.removeprefix('.')}" if awaits and self._is_of_others(item.context_expr) else ""

    def _is_of_others(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return node.id not in self._own
        return not is_fresh(node, self._run.function, new=self._run.new)

    def _name(self, node: ast.Name | ast.Attribute) -> None:
        names = names_of(node, self._run.module.file)
        if isinstance(node.ctx, ast.Load):
            if not _is_only_changed(node, self._parents):
                self.read.update(names)
        elif isinstance(self._parents.get(node), ast.AugAssign):
            self.added.update(names)
            self.counts.update(names)
        elif not _is_made_once(node, self._run):
            self.changed.update(names)


def names_of(node: ast.expr, file: SourceFile) -> set[str]:
    """Return the name of what *node* stands for; ``limits.LEFT`` is also called ``LEFT``, if *limits* is a module."""
    name = outside_name(node)
    of_module = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in file.imports
    return {name, name.removeprefix(".")} if of_module else {name}


def _admitting_one(call: ast.Call, run: Run) -> str:
    """Return what *call* uses that cannot serve two calls at once, in words; empty if nothing is seen."""
    if is_reflection(call) and callee_name(call) in _RUNNING_CODE:
        return f"code that {callee_name(call)} runs"
    if dotted(call.func) in _CHANGING_DIRECTORY:
        return "the working directory, which is changed"
    return _single_worker(call, run)


def _takes_next(call: ast.Call, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether *call* takes the next item of a queue, a stream or a socket."""
    name = callee_name(call)
    # That of a context variable is not awaited.
    of_queue = name == "get" and not call.args and not call.keywords and isinstance(parents.get(call), ast.Await)
    return of_queue or name in _TAKING


def _is_only_changed(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether *node* is read only to change it."""
    around = parents.get(node)
    call = parents.get(around) if isinstance(around, ast.Attribute) else None
    return (isinstance(call, ast.Call) and call.func is around and is_mutator(call)) or (
        isinstance(around, ast.Subscript) and not isinstance(around.ctx, ast.Load)
    )


def _is_made_once(node: ast.expr, run: Run) -> bool:
    """
    Return whether *node* is set only where it is found to be missing: ``if self._client is None: …``.

    Where the function awaits the value, two calls at once would each make it.
    """
    around: ast.AST | None = node
    while around is not None and around is not run.function:
        if isinstance(around, ast.If) and any(_is_same(one, node) for one in ast.walk(around.test)):
            return not any(isinstance(one, ast.Await) for part in around.body for one in ast.walk(part))
        around = run.module.file.parents.get(around)
    return False


def _is_same(one: ast.AST, other: ast.expr) -> bool:
    return isinstance(one, (ast.Name, ast.Attribute)) and dotted(one) == dotted(other) != ""


def _single_worker(call: ast.Call, run: Run) -> str:
    """Return the executor of the module with one worker that *call* uses, in words; empty if it uses none."""
    named = {one.id for one in (*call.args, getattr(call.func, "value", None)) if isinstance(one, ast.Name)}
    for statement in run.module.file.tree.body if named else ():
        made = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(made, ast.Call) and callee_name(made) in _EXECUTORS and _workers(made) == 1:
            targets = {outermost_name(target) for target in cast("ast.Assign", statement).targets}
            if targets & named:
                return f"{min(targets & named)}, which has one worker"
    return ""


def _workers(call: ast.Call) -> object:
    values = [*call.args[:1], *(one.value for one in call.keywords if one.arg == "max_workers")]
    return next((one.value for one in values if isinstance(one, ast.Constant)), None)
