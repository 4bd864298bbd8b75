"""
Finds what a tool's code visibly changes outside itself: a global variable, the environment, the directory, a file.

Such a tool may have a reading name. What it changes is read by other calls although no value is passed on.
"""

from __future__ import annotations

import dis
import re
from types import FunctionType
from typing import TYPE_CHECKING, Any

from otel_parallelism.patterns import LazyPattern
from otel_parallelism.source.changes.changing_methods import CHANGING_ITEMS, WRITING_METHODS

from .accesses import codes_of, functions_run, held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType

_WRITING_MODE = LazyPattern(r"[wax][bt]?\+?[bt]?|r[bt]?\+[bt]?", re.ASCII)
_NAMESPACES = frozenset({"module", "type", "function", "ABCMeta"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_CHANGING_ENVIRONMENT = frozenset({"update", "setdefault", "pop", "clear"})
_MOST_SEARCHED = 500
_NO_VALUE = frozenset({"CACHE", "RESUME", "PRECALL", "PUSH_NULL", "EXTENDED_ARG", "NOP", "COPY_FREE_VARS"})


def changes_outside(function: Any) -> bool:
    """Return whether the code of *function*, or of the functions of its module that it runs, changes something."""
    if type(function) is not FunctionType:
        return False
    return any(_changes(code, one) for one in functions_run(function) for code in codes_of(one))


def is_changed_by_functions(name: str, variables: Mapping[str, Any]) -> bool:
    """Return whether a function of a module visibly changes what the container *name* among its *variables* holds."""
    functions = [value for value in tuple(variables.values()) if type(value) is FunctionType]
    return any(
        chain[0] == name and (used == "STORE_SUBSCR" or (len(chain) > 1 and chain[1] in CHANGING_ITEMS))
        for function in functions[:_MOST_SEARCHED]
        if name in function.__code__.co_names
        for code in codes_of(function)
        for chain, used in _chains(code)
    )


def _changes(code: CodeType, function: FunctionType) -> bool:
    if "open" in code.co_names and any(
        type(constant) is str and _WRITING_MODE.fullmatch(constant) for constant in code.co_consts
    ):
        return True
    return any(_is_change(chain, used, function) for chain, used in _chains(code))


def _chains(code: CodeType) -> Iterator[tuple[list[str], str]]:
    """
    Yield each dotted name that begins outside of the code, and each method by itself, with the operation on it.

    The operation is ``STORE_ATTR`` (the last name is set), ``STORE_SUBSCR`` (an item is set), ``STORE_GLOBAL`` (the
    name is bound), or empty.
    """
    every = [(one.opname, one.argval) for one in dis.get_instructions(code) if one.opname not in _NO_VALUE]
    every += [("END", None)] * 2
    for at, (operation, name) in enumerate(every[:-2]):
        if operation in {"STORE_GLOBAL", "DELETE_GLOBAL"}:
            yield [name], "STORE_GLOBAL"
        elif operation in _ATTRIBUTES and name in WRITING_METHODS:
            yield ["", name], ""
        elif operation in {"LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME"}:
            chain = [name]
            while every[at + len(chain)][0] in _ATTRIBUTES:
                chain.append(every[at + len(chain)][1])
            (following, attribute), (last, _) = every[at + len(chain) : at + len(chain) + 2]
            if following in {"STORE_ATTR", "DELETE_ATTR"}:
                yield [*chain, attribute], "STORE_ATTR"
            elif following.startswith("LOAD_") and last in {"STORE_SUBSCR", "DELETE_SUBSCR"}:
                yield chain, "STORE_SUBSCR"
            else:
                yield chain, ""


def _is_change(chain: list[str], operation: str, function: FunctionType) -> bool:
    if operation == "STORE_GLOBAL":
        return True
    holder = type(held(function.__globals__, chain[0])).__name__
    if operation:
        # `handed_objects` notes other objects, which calls may share.
        return chain[-1] == "environ" or (len(chain) > 1 and holder in _NAMESPACES)
    in_environment = chain[-2:-1] == ["environ"] and chain[-1] in _CHANGING_ENVIRONMENT
    return in_environment or chain[-1] in WRITING_METHODS or (chain[1:] == ["set"] and holder == "ContextVar")
