"""Finds the function of a tool where a framework keeps it in a closure or in a class of the program."""

from __future__ import annotations

from collections import deque
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.bytecode.layers import is_class_of_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MOST_SEEN = 300


def closed_over(function: Any, name: str) -> Any:
    """Return the value of the variable *name* in the closure of *function*; None if it has none of that name."""
    if type(function) is not FunctionType:
        return None
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    found = [cell for variable, cell in cells if variable == name]
    try:
        return found[0].cell_contents if found else None
    except ValueError:  # the cell is empty
        return None


def own_method(tool: Any, *names: str) -> Any:
    """Return the first of the methods *names* that a class of the program gives to *tool*; None if none does."""
    for kind in type(tool).__mro__:
        if kind is not object and is_class_of_program(kind):
            for name in names:
                found = vars(kind).get(name)
                if type(found) is FunctionType:
                    return MethodType(found, tool)
                if isinstance(found, staticmethod):
                    return found.__func__
    return None


def searched(start: Any, wanted: Callable[[Any], bool], package: str) -> Any:
    """
    Return what *wanted* accepts among what *start* holds, near things first; None if there is none.

    Args:
        start: A function or an object of a library.
        wanted: Whether a value is the one.
        package: The packages of the library, separated by spaces: only their objects are searched.
    """
    waiting = deque([start])
    seen: set[int] = set()
    packages = tuple(package.split())
    while waiting and len(seen) < _MOST_SEEN:
        value = waiting.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if wanted(value):
            return value
        waiting.extend(_held_by(value, packages))
    return None


def _held_by(value: Any, packages: tuple[str, ...]) -> Iterable[Any]:
    if type(value) is FunctionType:
        # Another cell may not be filled yet.
        return [closed_over(value, name) for name in value.__code__.co_freevars]
    if type(value) is MethodType:
        return [value.__func__, value.__self__]
    if type(value) is partial:
        return [value.func, *value.args]
    if type(value) is dict:
        return list(value.values())
    if type(value).__module__.startswith(packages):
        slots = getattr(type(value), "__slots__", ())
        return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name, None) for name in slots)]
    return ()
