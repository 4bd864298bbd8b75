"""
Finds what functions of a file change and read outside of themselves: variables around them, and attributes.

A name stands for a variable of the module or of a function around; ``.name`` stands for an attribute of any object.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from otel_parallelism.pace import paced
from otel_parallelism.source.functions import callee_name, own_nodes
from otel_parallelism.source.syntax import ThreadCall

from .changing_methods import changed_objects
from .named_attributes import attributes_set, names_in_common, read_by_text
from .own_objects import own_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.source.functions import Function, SourceFile

_MOST_FUNCTIONS = 16
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)
CONSTRUCTORS = ("__init__", "__post_init__", "__new__")
_OPERATORS = tuple(f"__i{name}__" for name in ("add", "sub", "mul", "truediv", "or", "and", "xor", "matmul"))
_PROPERTIES = frozenset({"property", "cached_property"})


class _Facts(NamedTuple):
    changed: frozenset[str]
    read: frozenset[str]
    runs: tuple[Function, ...]


class OutsideNames:
    """What the functions of two calls change and read outside of themselves, as far as they are in the file."""

    def __init__(self, file: SourceFile, caller: Function, earlier: ast.Call, later: ast.Call) -> None:
        """Keep the calls *earlier* and *later* of the function *caller*; their functions are read when needed."""
        self._file = file
        self._caller = caller
        self._earlier = earlier
        self._later = later

    @cached_property
    def _changed_earlier(self) -> frozenset[str]:
        called = functions_called(self._file, self._earlier)
        return changed_by(self._file, [*called, *functions_given(self._file, self._earlier)])

    @cached_property
    def _changed_inside(self) -> frozenset[str]:
        """What functions that the earlier call is given change, of those that see the variables of the caller."""
        given = functions_given(self._file, self._earlier)
        return changed_by(self._file, [one for one in given if self._is_around(one)])

    @cached_property
    def _read_later(self) -> frozenset[str]:
        return read_by(self._file, functions_called(self._file, self._later))

    @cached_property
    def _own(self) -> frozenset[str]:
        return own_names(self._caller)

    @cached_property
    def _read_inside(self) -> frozenset[str]:
        """What the function of the later call reads, if it is defined in the caller and sees its variables."""
        called = functions_called(self._file, self._later)
        return read_by(self._file, [one for one in called if self._is_around(one)])

    @property
    def facts_of_later(self) -> tuple[frozenset[str], ...]:
        """What decides what all other answers say of the later call."""
        changed = changed_by(self._file, functions_called(self._file, self._later))
        return self._read_later, self._read_inside, changed

    def _is_around(self, function: Function) -> bool:
        """Return whether *function* is defined in the caller itself."""
        node = self._file.parents.get(function)
        while node is not None and not isinstance(node, _DEFINITIONS):
            node = self._file.parents.get(node)
        return node is self._caller

    def earlier_changes(self, node: ast.Name | ast.Attribute) -> bool:
        """Return whether the earlier call visibly changes the variable or the attribute that is read at *node*."""
        if not self._changed_earlier:
            return False
        if isinstance(node, ast.Name):
            return node.id in (self._changed_inside if node.id in self._own else self._changed_earlier)
        names = {outside_name(node)} | read_by(self._file, properties(self._file, node.attr))
        return not names.isdisjoint(self._changed_earlier)

    def later_sees(self, target: ast.expr) -> bool:
        """Return whether the later call may read *target*, which is set or changed before it, by itself."""
        root, name = outermost_name(target), outside_name(target)
        if self._read_later and not changed_by(self._file, _hooks(self._file, target)).isdisjoint(self._read_later):
            return True
        if root in self._own:
            # Only a function inside the caller sees its variables; arguments are followed otherwise.
            return name in self._read_inside and name[0] != "."
        if root in self._file.imports:
            # Every module may read it.
            return isinstance(target, (ast.Attribute, ast.Subscript))
        return bool(root) and bool(names_in_common(frozenset({name}), self._read_later))

    def operators_change(self) -> bool:
        """Return whether ``+=`` and its like, of any class of the file, visibly change what the later call reads."""
        methods = [one for name in _OPERATORS for one in self._file.named.get(name, ())]
        return bool(methods) and not changed_by(self._file, methods).isdisjoint(self._read_later)

    def left_for_later(self) -> str:
        """Return what the earlier call visibly changes and the later one only reads; empty if there is nothing."""
        found = names_in_common(self._changed_earlier, self._read_later) if self._changed_earlier else frozenset[str]()
        if found:
            # What both fill is a cache, most likely, or a count.
            found -= changed_by(self._file, functions_called(self._file, self._later))
        return min(found, default="").removeprefix(".")

    def seen_by_later(self, call: ast.Call) -> str:
        """Return what *call*, made in between, visibly changes and the later call reads; empty if there is nothing."""
        called = functions_called(self._file, call)
        found = names_in_common(changed_by(self._file, called), self._read_later) if called else frozenset[str]()
        return min(found, default="").removeprefix(".")


def functions_called(file: SourceFile, call: ast.Call) -> list[Function]:
    """Return the functions and methods of *file* that *call* may run: those of its name, or a class's constructors."""
    own = file.named.get(callee_name(call.passed_by), ()) if isinstance(call, ThreadCall) else ()
    name = callee_name(call)
    if name in file.defined and name not in file.named:
        classes = (one for one in file.tree.body if isinstance(one, ast.ClassDef) and one.name == name)
        return [
            method
            for one in classes
            for method in one.body
            if isinstance(method, ast.FunctionDef) and method.name in CONSTRUCTORS
        ]
    return [*file.named.get(name, ()), *own]


def functions_given(file: SourceFile, call: ast.Call) -> list[Function]:
    """Return the functions and methods of *file* that *call* is given, such as a callback, which it may run."""
    nodes = [inside for one in (*call.args, *call.keywords) for inside in ast.walk(one)]
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    found: list[Function] = [node for node in nodes if isinstance(node, ast.Lambda)]
    for node in nodes:
        if isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in called:
            found += file.named.get(node.id if isinstance(node, ast.Name) else node.attr, ())
    return found


def changed_by(file: SourceFile, functions: Iterable[Function]) -> frozenset[str]:
    """
    Return what *functions*, and those of *file* that they call, change outside of themselves.

    >>> from otel_parallelism.source.functions import SourceFile
    >>> file = SourceFile("def f(self):" + chr(10) + "  self.at += 1" + chr(10) + "  CACHE['a'] = 1")
    >>> sorted(changed_by(file, file.named["f"]))
    ['.at', 'CACHE']
    """
    return frozenset[str]().union(*(facts.changed for facts in _run_by(file, functions)))


def read_by(file: SourceFile, functions: Iterable[Function]) -> frozenset[str]:
    """
    Return what *functions*, and those of *file* that they call, read outside of themselves.

    >>> from otel_parallelism.source.functions import SourceFile
    >>> file = SourceFile("def f(key):" + chr(10) + "  return CACHE[key].size")
    >>> sorted(read_by(file, file.named["f"]))
    ['.size', 'CACHE']
    """
    return frozenset[str]().union(*(facts.read for facts in _run_by(file, functions)))


def properties(file: SourceFile, attribute: str) -> list[Function]:
    """Return the properties of *file* that have the name *attribute*."""
    return [
        function
        for function in file.named.get(attribute, ())
        if isinstance(function, ast.FunctionDef)
        and any(_last_word(decorator) in _PROPERTIES for decorator in function.decorator_list)
    ]


def outermost_name(expression: ast.expr) -> str:
    """
    Return the variable that *expression* is a part of: ``a`` for ``a.b[0].c``; empty if it is a part of none.

    A function whose result is changed stands for what it returns: ``a`` for ``a()[0]``.
    """
    while isinstance(expression, (ast.Attribute, ast.Subscript)):
        expression = expression.value
    if isinstance(expression, ast.Call):
        expression = expression.func
    return expression.id if isinstance(expression, ast.Name) else ""


def outside_name(expression: ast.expr) -> str:
    """Return ``.c`` for ``a.b.c``, ``.b`` for ``a.b[0]`` and ``a`` for ``a``, ``a[0]`` and ``a()[0]``; or nothing."""
    while isinstance(expression, ast.Subscript):
        expression = expression.value
    if isinstance(expression, ast.Call):
        expression = expression.func
    if isinstance(expression, ast.Attribute):
        return "." + expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def _hooks(file: SourceFile, target: ast.expr) -> list[Function]:
    """Return the methods of *file* that may run where *target* is set: those of all objects, or a property's setter."""
    if isinstance(target, ast.Subscript):
        return list(file.named.get("__setitem__", ()))
    if not isinstance(target, ast.Attribute):
        return []
    setters = [
        one
        for one in file.named.get(target.attr, ())
        if isinstance(one, ast.FunctionDef)
        and any(_last_word(decorator) == "setter" for decorator in one.decorator_list)
    ]
    return [*file.named.get("__setattr__", ()), *file.named.get("__set__", ()), *setters]


def _run_by(file: SourceFile, functions: Iterable[Function]) -> list[_Facts]:
    """Return the facts of *functions*, and of those of *file* that they run, directly or through others."""
    found = list(functions)
    facts = []
    for function in found:
        facts.append(facts_of(file, function))
        new = [one for one in facts[-1].runs if one not in found]
        found += new[: max(0, _MOST_FUNCTIONS - len(found))]
    return facts


def facts_of(file: SourceFile, function: Function) -> _Facts:
    """Return what *function* itself changes, reads and runs."""
    known = file.facts.get(function)
    if not isinstance(known, _Facts):
        known = file.facts[function] = _found_facts(file, function)
    return known


def _found_facts(file: SourceFile, function: Function) -> _Facts:
    changed: set[str] = set()
    read: set[str] = set()
    runs: dict[Function, None] = {}
    own = own_names(function)
    aliases = _aliases(function, own)
    made = _first_parameter(function) if getattr(function, "name", "") in CONSTRUCTORS else ""
    for node in paced(own_nodes(function)):
        changed.update(name for holder, name in attributes_set(node) if not made or outermost_name(holder) != made)
        for target in changed_objects(node):
            root, name = outermost_name(target), outside_name(target)
            if root in aliases and name[0] != ".":
                changed.add(aliases[root])
            elif name and root and root != made and (name[0] == "." or root not in own):
                changed.add(name)
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            changed.update(node.names)
        elif isinstance(node, ast.Call):
            runs.update(dict.fromkeys(functions_called(file, node)))
            read.update(read_by_text(node))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            read.add(aliases.get(node.id, "") if node.id in own else node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            read.add("." + node.attr)
            # The value of a property is worked out where it is read.
            runs.update(dict.fromkeys(properties(file, node.attr)))
    return _Facts(frozenset(changed), frozenset(read - {""}), tuple(runs))


def _aliases(function: Function, own: frozenset[str]) -> dict[str, str]:
    """Return the variables of *function* that stand for something outside of it, each with the name of that."""
    found: dict[str, str] = {}
    for node in own_nodes(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Name, ast.Attribute)):
            name = outside_name(node.value)
            if name not in own:
                found.update((target.id, name) for target in node.targets if isinstance(target, ast.Name))
    if not isinstance(function, ast.Module):
        given = function.args
        positional = zip(reversed([*given.posonlyargs, *given.args]), reversed(given.defaults), strict=False)
        for argument, default in [*positional, *zip(given.kwonlyargs, given.kw_defaults, strict=True)]:
            if isinstance(default, (ast.Name, ast.Attribute)):
                found[argument.arg] = outside_name(default)
    return found


def _first_parameter(function: Function) -> str:
    taken = [] if isinstance(function, ast.Module) else [*function.args.posonlyargs, *function.args.args]
    return taken[0].arg if taken else ""


def _last_word(decorator: ast.expr) -> str:
    return decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
