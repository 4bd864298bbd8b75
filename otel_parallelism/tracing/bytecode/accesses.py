"""Which functions a function runs in its own module, and which variables outside they use."""

from __future__ import annotations

import dis
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_CODES = 32
_MOST_FUNCTIONS = 16
_DEEPEST = 3


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
        for instruction in dis.get_instructions(code):
            operation = instruction.opname
            if operation.endswith(("_GLOBAL", "_DEREF")) and isinstance(instruction.argval, str):
                yield operation, instruction.argval


def holder_of(function: FunctionType, operation: str, name: str) -> Any:
    """Return what holds a variable: the cell of a free variable, or the dict of globals; None if there is no cell."""
    if "DEREF" not in operation:
        return function.__globals__
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)).get(name)


def held(holder: Any, name: str) -> Any:
    """Return what a cell, or a dict of globals, holds; None if it is empty."""
    if type(holder) is not CellType:
        return holder.get(name)
    try:
        return holder.cell_contents
    except ValueError:
        return None


def functions_run(function: FunctionType) -> list[FunctionType]:
    """Return *function* and the functions of its module that it names, directly or through others of them."""
    found = [function]
    depths = {id(function): 0}
    for one in found:
        if depths[id(one)] >= _DEEPEST:
            continue
        for operation, name in accesses(one):
            holder = holder_of(one, operation, name)
            inner = None if holder is None else _plain_function(held(holder, name))
            if inner is None or id(inner) in depths or inner.__globals__ is not function.__globals__:
                continue
            if len(found) < _MOST_FUNCTIONS:
                depths[id(inner)] = depths[id(one)] + 1
                found.append(inner)
    return found


def _plain_function(value: Any) -> FunctionType | None:
    """Return a function without its decorators; None for anything else."""
    for _ in range(_DEEPEST):
        inner = vars(value).get("__wrapped__") if type(value) is FunctionType else None
        if inner is None:
            break
        value = inner
    return value if type(value) is FunctionType else None
