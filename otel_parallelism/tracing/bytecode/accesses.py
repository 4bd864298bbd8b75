"""Which functions of the program a function runs, and which variables outside they use."""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_parallelism.analysis.dependencies.contents.leaves import bases_of, namespace_of

from .layers import is_class_of_program, is_of_program, plain_functions

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_CODES = 32
_MOST_FUNCTIONS = 16
_DEEPEST = 3
_LARGEST = 20_000
"""How many bytes of code are read before no further functions are looked for: a tool is read at its first call."""

_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
OUTER = frozenset({"LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME"})
_SET_OUTER = frozenset({"STORE_DEREF", "DELETE_DEREF"})
_NO_VALUE = frozenset({"CACHE", "RESUME", "PRECALL", "PUSH_NULL", "EXTENDED_ARG", "NOP", "COPY_FREE_VARS"})


class Use(NamedTuple):
    """
    A dotted name in a function's code, and what happens to it.

    Attributes:
        root: ``LOAD_FAST`` if the name begins with a variable of the function, else the operation on one outside; empty
            for a method by itself.
        chain: The parts of the name; an item with a constant key is the part ``[]``.
        operation: ``STORE_ATTR`` (the last name is set), ``STORE_SUBSCR`` (an item is set), ``STORE_GLOBAL`` (the name
            of a variable outside of the code is bound), or empty.
        becomes: The variable that is bound to the value; empty if that is not what follows.
    """

    root: str
    chain: list[str]
    operation: str = ""
    becomes: str = ""


def codes_of(function: FunctionType) -> list[CodeType]:
    """Return the code of *function* and of the functions inside it."""
    codes = [function.__code__]
    for one in codes:
        if len(codes) < _MOST_CODES:
            codes += [constant for constant in one.co_consts if type(constant) is CodeType]
    return codes


def accesses(function: FunctionType) -> Iterator[tuple[str, str]]:
    """Yield the operation and the name of each access to a global or free variable, inner functions included."""
    for code in codes_of(function):
        for operation, name in _instructions(code):
            if operation.endswith(("_GLOBAL", "_DEREF")):
                yield operation, name


def uses(code: CodeType) -> Iterator[Use]:
    """Yield the dotted names in *code*, and each attribute by itself."""
    every = [*_instructions(code), *([("END", "")] * 3)]
    for at, (operation, name) in enumerate(every[:-3]):
        if operation in {"STORE_GLOBAL", "DELETE_GLOBAL"} or (operation in _SET_OUTER and name in code.co_freevars):
            yield Use(operation, [name], "STORE_GLOBAL")
        elif operation in _ATTRIBUTES:
            yield Use("", ["", name])
        elif operation in OUTER or operation == "LOAD_FAST":
            yield _use(operation, name, every, at + 1)


def _use(root: str, name: str, every: list[tuple[str, str]], at: int) -> Use:
    """Return the use of *name*, whose value the operation before the position *at* has loaded."""
    chain = [name]
    while True:
        following, argument = every[at]
        if following in _ATTRIBUTES:
            chain.append(argument)
            at += 1
        elif following.startswith("LOAD_") and every[at + 1][0] == "ITEM":
            chain.append("[]")
            at += 2
        else:
            break
    last = every[at + 1][0]
    if following in {"STORE_ATTR", "DELETE_ATTR"}:
        return Use(root, [*chain, argument], "STORE_ATTR")
    if following == "COPY" and last == "LOAD_ATTR":
        # An operator such as += on an attribute.
        return Use(root, [*chain, every[at + 1][1]], "STORE_ATTR")
    if following.startswith("LOAD_") and last in {"STORE_SUBSCR", "DELETE_SUBSCR", "COPY"}:
        return Use(root, chain, "STORE_SUBSCR")
    return Use(root, chain, becomes=argument if following == "STORE_FAST" else "")


@lru_cache(maxsize=64)
def _instructions(code: CodeType) -> tuple[tuple[str, str], ...]:
    """Return operations and their names, which are read several times as a tool is first called."""
    return tuple(_read_instructions(code))


def _read_instructions(code: CodeType) -> Iterator[tuple[str, str]]:
    """Yield operations and their names; one operation on two variables, as newer versions have, as two."""
    for one in dis.get_instructions(code):
        operation, argument = one.opname, one.argval
        if operation in _NO_VALUE:
            continue
        if operation == "BINARY_SUBSCR" or (operation == "BINARY_OP" and one.argrepr == "[]"):
            yield "ITEM", ""
        elif "_FAST" in operation and type(argument) is tuple:
            first, second = ("STORE" if "STORE_FAST_" in operation else "LOAD"), operation.rpartition("_FAST")[0]
            yield f"{first}_FAST", str(argument[0])
            yield ("STORE_FAST" if second.endswith("STORE") else "LOAD_FAST"), str(argument[1])
        elif operation.startswith(("LOAD_FAST", "STORE_FAST")):
            yield operation.partition("_")[0] + "_FAST", str(argument)
        else:
            yield operation, argument if type(argument) is str else ""


def holder_of(function: FunctionType, operation: str, name: str) -> Any:
    """Return what holds a variable: the cell of a free variable, or the dict of globals; None if there is no cell."""
    if "DEREF" not in operation:
        return function.__globals__
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)).get(name)


def held(holder: Any, name: str) -> Any:
    """Return what a cell, or a dict of globals, holds: of a method its object; None if it is empty."""
    value = _value(holder, name)
    return value.__self__ if type(value) is MethodType else value


def _value(holder: Any, name: str) -> Any:
    if type(holder) is not CellType:
        return holder.get(name)
    try:
        return holder.cell_contents
    except ValueError:
        return None


def functions_run(function: Any) -> list[FunctionType]:
    """
    Return the functions that lie in *function* and those of the program that they name, directly or through others.

    A function is named by a variable, or as an attribute of a module, a class or an object. A function of a library is
    followed to the functions of its own module.
    """
    found = plain_functions(function)
    depths = {id(one): 0 for one in found}
    size = 0
    for one in found:
        size += sum(len(code.co_code) for code in codes_of(one))
        if depths[id(one)] >= _DEEPEST or size > _LARGEST:
            continue
        for code in codes_of(one):
            for use in uses(code):
                inner = function_named(use, one)
                if inner is not None and id(inner) not in depths and len(found) < _MOST_FUNCTIONS:
                    depths[id(inner)] = depths[id(one)] + 1
                    found.append(inner)
    return found


def function_named(use: Use, function: FunctionType) -> FunctionType | None:
    """Return the function that a *use* in *function* names, without its decorators; None if it is of a library."""
    if use.root not in OUTER:
        return None
    holder = holder_of(function, use.root, use.chain[0])
    value = None if holder is None else _value(holder, use.chain[0])
    if len(use.chain) > 1:
        value = _attribute(value, use.chain[1])
    if type(value) not in {FunctionType, MethodType}:
        return None
    inner = plain_functions(value)[-1]
    same_module = inner.__globals__ is function.__globals__
    return inner if same_module or is_of_program(inner.__code__.co_filename) else None


def _attribute(value: Any, name: str) -> Any:
    """Return the function *name* of a module, of a class of the program, or of the class of an object."""
    if type(value) is ModuleType:
        return vars(value).get(name)
    if type(value) in {FunctionType, MethodType}:
        return value
    # Neither a metaclass nor the class that an object pretends to have may run code.
    for kind in bases_of(value if issubclass(type(value), type) else type(value)):
        if name in namespace_of(kind):
            found = namespace_of(kind)[name] if is_class_of_program(kind) else None
            return found.__func__ if isinstance(found, staticmethod | classmethod) else found
    return None
