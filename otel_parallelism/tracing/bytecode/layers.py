"""What lies inside a function: the functions that decorators, partial functions and methods wrap, and their objects."""

from __future__ import annotations

import inspect
import sys
from functools import lru_cache, partial, partialmethod
from types import FunctionType, MethodType
from typing import Any

from otel_parallelism.analysis.dependencies.objects.object_types import module_of

_MOST_LAYERS = 8
_LIBRARIES = frozenset({"site-packages", "dist-packages"})
_STANDARD_LIBRARY = inspect.__file__.rpartition("inspect")[0]


def layers_of(function: Any) -> list[Any]:
    """
    Return *function* and the callables that it wraps, from the outside in.

    A callable object is followed by the method that calling it runs.
    """
    found: list[Any] = []
    while function is not None and len(found) < _MOST_LAYERS and not any(function is one for one in found):
        found.append(function)
        function = _inside(function)
    return found


def plain_functions(function: Any) -> list[FunctionType]:
    """
    Return the functions among the layers of *function*, the outermost first.

    Those of libraries, such as a decorator that retries, are left out if any other remains.
    """
    found = [one for one in layers_of(function) if type(one) is FunctionType]
    return [one for one in found if is_of_program(one.__code__.co_filename)] or found


def innermost_function(function: Any) -> FunctionType | None:
    """Return the function that lies innermost in *function*; None if there is none."""
    return next((one for one in reversed(layers_of(function)) if type(one) is FunctionType), None)


def objects_inside(function: Any) -> list[tuple[str, Any]]:
    """Return the objects that *function* passes along by itself, by name: those of methods and partial functions."""
    found: list[tuple[str, Any]] = []
    for one in layers_of(function):
        if type(one) is MethodType:
            found.append(("self", one.__self__))
        elif isinstance(one, partial):
            found += [(str(place), value) for place, value in enumerate(one.args)]
            found += list(one.keywords.items())
    return found


@lru_cache(maxsize=4096)
def is_of_program(file: str) -> bool:
    """Return whether *file* is of the program: neither of an installed package nor of the standard library."""
    if file.startswith(("<frozen ", _STANDARD_LIBRARY)):
        return False
    return _LIBRARIES.isdisjoint(file.replace("\\", "/").split("/"))


def is_class_of_program(kind: type) -> bool:
    """Return whether the module of the class *kind* is of the program."""
    name = module_of(kind)
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    return module is not None and name != "builtins" and (file is None or is_of_program(file))


def _inside(function: Any) -> Any:
    """Return what *function* directly wraps; None if it wraps nothing."""
    kind = type(function)
    if kind is MethodType:
        return function.__func__
    if isinstance(function, partial | partialmethod):
        return function.func
    if kind is FunctionType:
        return vars(function).get("__wrapped__")
    if issubclass(kind, type) or module_of(kind) == "unittest.mock":  # a mock has a field of any name
        return None
    inner = getattr(function, "__wrapped__", None)
    if callable(inner):
        return inner
    call = inspect.getattr_static(kind, "__call__", None)
    return MethodType(call, function) if type(call) is FunctionType else None
