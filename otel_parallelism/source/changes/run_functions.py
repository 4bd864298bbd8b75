"""Finds the functions of a program that run when a function of it is called, as far as the source shows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, TypeGuard, cast

from otel_parallelism.pace import paced
from otel_parallelism.source.functions import callee_name, own_nodes

from .outside_names import CONSTRUCTORS, properties
from .own_objects import bindings, is_fresh
from .program_modules import ProgramModule, called_elsewhere, class_methods, wrapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_parallelism.source.functions import Function, SourceFile

    from .program_modules import Place

_MOST_FUNCTIONS = 64
_FARTHEST = 2
"""Other modules that are followed in a row: a client, and what it is built on."""
_BLOCK_METHODS = ("__enter__", "__exit__", "__aenter__", "__aexit__")
_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)
_ON_READING = ("__get__", "__getattr__", "__getattribute__")


class Run(NamedTuple):
    """
    A function that runs.

    Attributes:
        module: Its module.
        function: Its definition.
        new: Whether it is a method of an object that its caller made.
        away: How often a function of another module was called on the way to it.
    """

    module: ProgramModule
    function: Function
    new: bool = False
    away: int = 0


def functions_named(module: ProgramModule, names: set[str]) -> list[Place]:
    """Return the functions and methods of *module* that have one of *names*."""
    return [(module, function) for name in sorted(names) for function in module.file.named.get(name, ())]


def run_by(places: list[Place], without: str = "", *, decorated: bool = False) -> list[Run]:
    """
    Return *places*, and the functions of the program that they run, directly or through others, but not by *without*.

    With *decorated*, the functions that decorators put around *places* are among them.
    """
    found = [Run(*place) for place in places]
    seen = {id(run.function) for run in found}

    def add(more: Iterable[Run]) -> None:
        for run in more:
            if len(found) < _MOST_FUNCTIONS and id(run.function) not in seen:
                seen.add(id(run.function))
                found.append(run)

    for module, function in places if decorated else ():
        add(Run(*place) for place in wrapping(module, function))
    for run in found:
        for node in paced(own_nodes(run.function)):
            if len(found) < _MOST_FUNCTIONS:
                add(
                    one if one.module.file is run.module.file else one._replace(away=run.away + 1)
                    for one in _run_at(node, run, without)
                    if run.away < _FARTHEST or one.module.file is run.module.file
                )
    return found


def calls_unknown_function(statement: ast.Expr, run: Run) -> bool:
    """
    Return whether *statement* only calls a function out of a container of others, such as each of its listeners.

    What it does stands nowhere, and its result is not used.
    """
    call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    return isinstance(call, ast.Call) and is_unknown_function(call, run)


def is_unknown_function(call: ast.Call, run: Run) -> bool:
    """Return whether *call* runs a function out of a container of others, such as one of its listeners."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in _given_attributes(run.module.file)
    if isinstance(call.func, ast.Subscript):
        return not _table(call.func, run) and not is_fresh(call.func, run.function, new=run.new)
    if not isinstance(call.func, ast.Name):
        return False
    loops = (node for node in own_nodes(run.function) if isinstance(node, _LOOPS))
    return None in bindings(run.function, call.func.id) and any(
        _of_others(loop.iter, run)
        for loop in loops
        if any(isinstance(one, ast.Name) and one.id == call.func.id for one in ast.walk(loop.target))
    )


def _given_attributes(file: SourceFile) -> frozenset[str]:
    """Return the attributes of *file* that hold what a constructor was given, such as callbacks, and are no methods."""
    key = "given attributes"
    if key not in file.facts:
        file.facts[key] = frozenset(
            target.attr
            for name in CONSTRUCTORS
            for function in file.named.get(name, ())
            for node in own_nodes(function)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name)
            for target in node.targets
            if isinstance(target, ast.Attribute) and target.attr not in file.named
        )
    return cast("frozenset[str]", file.facts[key])


def _of_others(iterable: ast.expr, run: Run) -> bool:
    while isinstance(iterable, ast.Call) and iterable.args and isinstance(iterable.func, ast.Name):
        iterable = iterable.args[0]
    if isinstance(iterable, ast.Call):
        iterable = iterable.func
    return not is_fresh(iterable, run.function, new=run.new)


def _run_at(node: ast.AST, run: Run, without: str) -> Iterator[Run]:
    """Yield the functions that *node* of *run* itself runs."""
    module = run.module
    if isinstance(node, ast.Call):
        yield from _run_by_call(node, run, without)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if isinstance(item.context_expr, ast.Call):
                places = class_methods(module, item.context_expr, _BLOCK_METHODS)
                yield from (_as_run(place, run, _BLOCK_METHODS) for place in places)
    elif _reads_attribute(node, run):
        # The value of a property is worked out where it is read.
        places = [(module, one) for one in properties(module.file, node.attr)]
        yield from (Run(*place) for place in (*places, *functions_named(module, {*_ON_READING})))


def _reads_attribute(node: ast.AST, run: Run) -> TypeGuard[ast.Attribute]:
    """Return whether *node* reads an attribute that a class near the tool may compute."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and not run.away
        and not is_fresh(node.value, run.function, new=run.new)
    )


def _run_by_call(call: ast.Call, run: Run, without: str) -> Iterator[Run]:
    module = run.module
    name = callee_name(call)
    # A function may be handed to another one, such as asyncio.to_thread.
    handed = {one.id for one in call.args if isinstance(one, ast.Name)} - {without}
    new = is_fresh(call.func, run.function, new=run.new)
    if isinstance(call.func, ast.Attribute) and name != without:
        yield from (Run(module, one, new, run.away) for one in _methods_named(run, name))
    elif isinstance(call.func, ast.Name) and not new:
        handed |= {name} - {without}
    elif isinstance(call.func, ast.Subscript):
        handed |= _table(call.func, run)
    for one in sorted(handed):
        yield from (Run(module, function, away=run.away) for function in _visible(run, one))
    if name != without:
        places = [*called_elsewhere(module, call), *class_methods(module, call, CONSTRUCTORS)]
        yield from (_as_run(place, run, CONSTRUCTORS) for place in places)


def _methods_named(run: Run, name: str) -> list[Function]:
    """
    Return the functions that ``any.name`` may be in *run*.

    Away from the tool, these are only methods: a name says little in a module that does other things, too.
    """
    found = run.module.file.named.get(name, [])
    if not run.away:
        return found
    parents = run.module.file.parents
    return [one for one in found if name[:2] != "__" and isinstance(parents.get(one), ast.ClassDef)]


def _visible(run: Run, name: str) -> list[Function]:
    """Return the functions that *name* may be in *run*: an inner one, or else one of the module, or else any."""
    found = run.module.file.named.get(name, [])
    inner = [one for one in found if one in own_nodes(run.function)]
    return inner or [one for one in found if one in run.module.file.tree.body] or found


def _as_run(place: Place, run: Run, on_new_objects: tuple[str, ...]) -> Run:
    return Run(*place, getattr(place[1], "name", "") in on_new_objects, run.away)


def _table(called: ast.Subscript, run: Run) -> set[str]:
    """Return the functions in the dictionary of the module that *called* is an item of; empty if they are not known."""
    for node in run.module.file.tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(called.value, ast.Name):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if isinstance(node.value, ast.Dict) and called.value.id in {getattr(one, "id", "") for one in targets}:
                return {one.id for one in node.value.values if isinstance(one, ast.Name)}
    return set()
