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
from otel_parallelism.source.known_functions import dotted, is_mutator

from .changing_methods import changed_argument
from .named_attributes import ANY_ATTRIBUTE, attributes_set, read_by_text
from .one_at_a_time import admitting_one, held_lock, names_lock, queue_of_others
from .outside_names import outermost_name, outside_name
from .own_objects import is_fresh, own_names
from .stored_data import stored_data, texts_of

if TYPE_CHECKING:
    from otel_parallelism.source.functions import SourceFile

    from .run_functions import Run

_TAKING = frozenset({"get_nowait", "recv", "receive", "receive_text", "receive_json", "readline", "readuntil"})
_POPPING = frozenset({"pop", "popleft", "popitem"})
_NEXT = frozenset({"next", "anext"})
_CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.Call)
_OF_THE_PROCESS = frozenset({"os.environ", "environ"})
_CACHING = frozenset({"setdefault"})
_ITERATORS = frozenset({"iter", "enumerate", "zip", "map", "filter", "reversed"})
_FETCHING = frozenset({"fetchone", "fetchmany", "fetchall"})
# Of an event, a condition, a future or a queue, for which the other call may wait.
_SIGNALLING = frozenset({"put", "put_nowait", "notify", "notify_all", "set_result", "set_exception"})


class KeptState(NamedTuple):
    """
    What a tool sets and reads outside of its own variables; ``.name`` is an attribute of any object.

    Attributes:
        changed: What it sets or changes, without counts.
        added: What it adds to: a count, or items of a cache.
        read: What it reads.
        alone: What admits one call at a time, in words; empty if nothing is seen.
        arguments: The parameters whose objects it changes, such as a list to which it adds.
        taken: The parameters from whose objects, such as a queue, it takes the next item.
    """

    changed: frozenset[str]
    added: frozenset[str]
    read: frozenset[str]
    alone: str
    arguments: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()

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
    given = [frozenset(names & walk.parameters) for names in (walk.arguments, walk.taken)]
    return KeptState(found[0], found[1], found[2], walk.alone or queue_of_others(run), *given)


class _StateWalk:
    """Collects what one function changes and reads outside of its own variables."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._own = own_names(run.function)
        self._defaults = _kept_defaults(run.function)
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
        self.taken: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        self._set_otherwise(node)
        if isinstance(node, ast.Call):
            self.alone = self.alone or admitting_one(node, self._run)
            self.read.update(name for name in read_by_text(node) if name != ANY_ATTRIBUTE)
            stored = stored_data(node, self._own, texts_of(self._run.module.file))
            self.added |= stored.written
            self.read |= stored.read
            if isinstance(node.func, ast.Attribute):
                self._method(node, node.func.value)
            elif callee_name(node) in _NEXT and node.args and isinstance(node.args[0], (ast.Name, ast.Attribute)):
                self._take(node.args[0])
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if isinstance(node.value, ast.Name):
                self.arguments.add(node.value.id)
            if self._is_of_others(node.value):
                names = self.changed if dotted(node.value) in _OF_THE_PROCESS else self.added
                names.update(names_of(node.value, self._run.module.file))
                if isinstance(self._parents.get(node), ast.AugAssign):
                    self.counts.update(names_of(node.value, self._run.module.file))
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            locks = (held_lock(item, self._run) for item in node.items)
            self.alone = self.alone or next((name for name in locks if name), "")
        elif isinstance(node, (ast.Name, ast.Attribute)) and self._is_of_others(node):
            self._name(node)

    def _set_otherwise(self, node: ast.AST) -> None:
        """Note what *node* sets by a name in a text, or changes by a function or an operator."""
        for holder, name in attributes_set(node):
            if name != ANY_ATTRIBUTE and (name[0] != "." or self._is_of_others(holder)):
                self.changed.add(name)
        self.changed |= {shared_iterator(node, self._run)} - {""}
        changed = changed_argument(node)
        if changed is not None:
            self.arguments.add(outermost_name(changed))
            self.changed |= names_of(changed, self._run.module.file) if self._is_of_others(changed) else set()

    def _take(self, iterator: ast.expr) -> None:
        """Note that the next item of *iterator* is taken."""
        self.taken |= {iterator.id} if isinstance(iterator, ast.Name) else set[str]()
        self.changed |= names_of(iterator, self._run.module.file) if self._is_of_others(iterator) else set[str]()

    def _method(self, call: ast.Call, receiver: ast.expr) -> None:
        """Note what *call*, of a method of *receiver*, changes."""
        names = names_of(receiver, self._run.module.file) if self._is_of_others(receiver) else set[str]()
        given = {receiver.id} if isinstance(receiver, ast.Name) else set[str]()
        if _takes_next(call, self._parents):
            # The next item of a queue or a stream may be the answer to the other call.
            self.taken |= given
            self.changed |= names
        elif is_mutator(call) and callee_name(call) not in _CACHING:
            self.arguments |= given
            self.changed |= names
        elif _signals(call):
            self.arguments |= given
            self.added |= names
        elif callee_name(call) == "set" and len(call.args) == 1:
            # A context variable: a task of its own would not hand it on.
            self.added |= names

    def _is_of_others(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return node.id not in self._own or node.id in self._defaults
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


def _kept_defaults(function: ast.AST) -> frozenset[str]:
    """Return the parameters of *function* whose default is a container, which its calls share."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return frozenset()
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [
        *zip(reversed(positional), reversed(given.defaults), strict=False),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return frozenset(one.arg for one, default in defaults if isinstance(default, _CONTAINERS))


def shared_iterator(node: ast.AST, run: Run) -> str:
    """Return the variable of the module with an iterator whose items the loop *node* of *run* takes; or nothing."""
    if not isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)) or not isinstance(node.iter, ast.Name):
        return ""
    name, file = node.iter.id, run.module.file
    made = (one for one in file.tree.body if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call))
    makers = {
        callee_name(cast("ast.Call", one.value))
        for one in made
        if name in {getattr(target, "id", "") for target in one.targets}
    }
    generators = (
        maker
        for maker in makers
        for function in file.named.get(maker, ())
        if any(isinstance(inside, (ast.Yield, ast.YieldFrom)) for inside in own_nodes(function))
    )
    known = bool(makers & _ITERATORS) or any(generators)
    return name if known and name not in own_names(run.function) else ""


def names_of(node: ast.expr, file: SourceFile) -> set[str]:
    """Return the name of what *node* stands for; ``limits.LEFT`` is also called ``LEFT``, if *limits* is a module."""
    name = outside_name(node)
    of_module = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in file.imports
    return {name, name.removeprefix(".")} if of_module else {name}


def _takes_next(call: ast.Call, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether *call* takes the next item of a queue, a stream or a socket."""
    name = callee_name(call)
    # That of a context variable is not awaited.
    if name in _FETCHING:
        return not (call.args and name != "fetchmany")
    of_queue = name == "get" and not call.args and not call.keywords and isinstance(parents.get(call), ast.Await)
    return of_queue or name in _TAKING or _takes_item(call, parents)


def _takes_item(call: ast.Call, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether *call* takes whichever item comes next out of a container, and its result is used."""
    whichever = all(isinstance(one, ast.Constant) and type(one.value) in {int, bool} for one in call.args)
    named = any(one.arg != "last" for one in call.keywords)
    return callee_name(call) in _POPPING and whichever and not named and not isinstance(parents.get(call), ast.Expr)


def _signals(call: ast.Call) -> bool:
    """Return whether *call* puts something in a queue, or sets or notifies what others wait for."""
    name = callee_name(call)
    return name in _SIGNALLING or (name == "set" and not call.args and not call.keywords)


def _is_only_changed(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether *node* is read only to change it."""
    around = parents.get(node)
    call = parents.get(around) if isinstance(around, ast.Attribute) else None
    if isinstance(call, ast.Call) and _takes_item(call, parents):
        return False
    return (isinstance(call, ast.Call) and call.func is around and (is_mutator(call) or _signals(call))) or (
        isinstance(around, ast.Subscript) and not isinstance(around.ctx, ast.Load)
    )


def _is_made_once(node: ast.expr, run: Run) -> bool:
    """
    Return whether *node* is set only where it is found to be missing: ``if self._client is None: …``.

    Where the function awaits the value, two calls at once would each make it, unless a lock is held.
    """
    around: ast.AST | None = node
    awaits = False
    while around is not None and around is not run.function:
        if isinstance(around, ast.If) and any(_is_same(one, node) for one in ast.walk(around.test)):
            awaits = any(isinstance(one, ast.Await) for part in around.body for one in ast.walk(part))
            if not awaits:
                return True
        if (
            awaits
            and isinstance(around, ast.AsyncWith)
            and any(names_lock(item.context_expr, run) for item in around.items)
        ):
            return True
        around = run.module.file.parents.get(around)
    return False


def _is_same(one: ast.AST, other: ast.expr) -> bool:
    return isinstance(one, (ast.Name, ast.Attribute)) and dotted(one) == dotted(other) != ""
