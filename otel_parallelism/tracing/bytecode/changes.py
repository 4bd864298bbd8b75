"""
Finds what a tool's code visibly changes outside itself: a global variable, the environment, the directory, a file.

Such a tool may have a reading name. What it changes is read by other calls although no value is passed on.
"""

from __future__ import annotations

import inspect
import re
from types import FunctionType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from otel_parallelism.patterns import LazyPattern
from otel_parallelism.source.changes.changing_methods import CHANGING_ITEMS, WRITING_METHODS

from .accesses import OUTER, Use, codes_of, function_named, functions_run, held, uses
from .layers import plain_functions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

_WRITING_MODE = LazyPattern(r"[wax][bt]?\+?[bt]?|r[bt]?\+[bt]?", re.ASCII)
_NAMESPACES = frozenset({"module", "type", "function", "ABCMeta"})
_CHANGING_ENVIRONMENT = frozenset({"update", "setdefault", "pop", "clear"})
_CHANGING_CONTEXT = LazyPattern(
    r"(?!.*(?:stream|event|progress|log|status))"
    r"(?:set|put|store|save|write|edit|delete|remove|append|add|push|remember|record|increment|reset)(?:_.*)?",
    re.ASCII,
)
"""Methods that change a framework's context, but not those by which a tool reports how far it is."""

_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
_MOST_SEARCHED = 500
_KNOWN: WeakKeyDictionary[FunctionType, tuple[bool, frozenset[str]]] = WeakKeyDictionary()
"""What was found for the tools of frameworks."""


def changes_outside(function: Any) -> bool:
    """Return whether the code of *function*, or of the functions of the program that it runs, changes something."""
    return any(_changes(code, one) for one in functions_run(function) for code in codes_of(one))


def changes_of(function: Any) -> tuple[bool, frozenset[str]]:
    """Return `changes_outside` and `changed_parameters` of *function*, the tool of a framework."""
    inside = plain_functions(function)
    if not inside:
        return False, frozenset()
    if inside[0] not in _KNOWN:
        _KNOWN[inside[0]] = changes_outside(inside[0]), changed_parameters(inside[-1])
    return _KNOWN[inside[0]]


def changed_parameters(function: FunctionType) -> frozenset[str]:
    """
    Return the parameters of *function* that its code visibly changes, such as the state in a framework's context.

    A parameter that is passed on counts if a function of the program that is run changes one of its own. ``self`` is
    left out, as the objects of methods are noted by themselves.
    """
    changed, passed = _changed_in(function.__code__)
    others = passed - changed - {"self"}
    if others and any(_changed_in(one.__code__)[0] - {"self"} for one in functions_run(function)[1:]):
        changed |= others
    return frozenset(changed - {"self"})


def _changed_in(code: CodeType) -> tuple[set[str], set[str]]:
    """Return the parameters of *code* that it changes, and those that it uses as they are."""
    count = code.co_argcount + code.co_kwonlyargcount
    variadic = set(code.co_varnames[count : count + (code.co_flags & _VARIADIC).bit_count()])
    parameters = {name: name for name in (*code.co_varnames[:count], *variadic)}
    changed, passed = set(), set()
    for use in uses(code):
        parameter = parameters.get(use.chain[0]) if use.root == "LOAD_FAST" else None
        if parameter is None:
            continue
        if use.chain[0] in variadic and "[]" not in use.chain:
            continue  # the function's own dict or tuple: only what it holds comes from outside
        if use.operation or (len(use.chain) > 1 and _is_changing_method(use.chain[-1])):
            changed.add(parameter)
        elif use.becomes:
            parameters.setdefault(use.becomes, parameter)
        elif len(use.chain) == 1:
            passed.add(parameter)
    return changed, passed


def _is_changing_method(name: str) -> bool:
    return name in CHANGING_ITEMS or bool(_CHANGING_CONTEXT.fullmatch(name))


def changed_names(function: FunctionType) -> frozenset[str]:
    """Return the dotted names outside of *function* in whose objects its code visibly sets something."""
    found: set[str] = set()
    for code in codes_of(function):
        for use in uses(code):
            if use.root in OUTER and _sets_something(use, function):
                inside = use.chain if use.operation == "STORE_SUBSCR" else use.chain[:-1]
                found.update((use.chain[0], ".".join(inside)))
    return frozenset(found)


def _sets_something(use: Use, function: FunctionType) -> bool:
    """Return whether a *use* in *function* sets something in an object, itself or by a method that does."""
    if use.operation in {"STORE_ATTR", "STORE_SUBSCR"} or use.chain[-1] in CHANGING_ITEMS:
        return True
    method = function_named(use, function) if len(use.chain) > 1 else None
    return method is not None and "self" in _changed_in(method.__code__)[0]


def is_changed_by_functions(name: str, variables: Mapping[str, Any]) -> bool:
    """Return whether a function of a module visibly changes what the container *name* among its *variables* holds."""
    functions = [value for value in tuple(variables.values()) if type(value) is FunctionType]
    return any(
        use.chain[0] == name
        and (use.operation == "STORE_SUBSCR" or (len(use.chain) > 1 and use.chain[1] in CHANGING_ITEMS))
        for function in functions[:_MOST_SEARCHED]
        for code in codes_of(function)
        if name in code.co_names
        for use in uses(code)
    )


def _changes(code: CodeType, function: FunctionType) -> bool:
    if "open" in code.co_names and any(
        type(constant) is str and _WRITING_MODE.fullmatch(constant) for constant in code.co_consts
    ):
        return True
    return any(_is_change(use, function) for use in uses(code))


def _is_change(use: Use, function: FunctionType) -> bool:
    chain, operation = use.chain, use.operation
    if operation == "STORE_GLOBAL":
        return "DEREF" not in use.root or chain[0] in function.__code__.co_freevars
    if not use.root:
        return chain[-1] in WRITING_METHODS
    if use.root == "LOAD_FAST":
        # A method of a class changes what all that use the class share.
        return chain[0] == "cls" and bool(operation)
    holder = type(held(function.__globals__, chain[0])).__name__
    if operation:
        # `handed_objects` notes other objects, which calls may share.
        return chain[-1] == "environ" or (len(chain) > 1 and holder in _NAMESPACES)
    in_environment = chain[-2:-1] == ["environ"] and chain[-1] in _CHANGING_ENVIRONMENT
    return in_environment or chain[-1] in WRITING_METHODS or (chain[1:] == ["set"] and holder == "ContextVar")
