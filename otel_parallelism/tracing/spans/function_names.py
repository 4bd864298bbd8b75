"""Names our functions after the decorated ones: coroutines and generators show these names in warnings and tasks."""

from __future__ import annotations

from functools import partial
from types import FunctionType
from typing import Any


def name_like(function: Any, original: Any) -> Any:
    """
    Give *function* the names of the decorated function *original*, and return it.

    Those of a partial are its function's, those of a callable object its method's.
    """
    original = getattr(original, "__func__", original)
    while isinstance(original, partial):
        original = original.func
    if not hasattr(original, "__qualname__"):
        original = getattr(type(original), "__call__", original)  # noqa: B004 - the attribute itself is needed, not whether it is callable
    for name in ("__name__", "__qualname__"):
        found = getattr(original, name, None)
        if type(found) is str:
            setattr(function, name, found)
    return function


def copy_named_like(function: Any, original: Any) -> Any:
    """Return a copy of *function* with the names of the decorated function *original*."""
    copied = FunctionType(function.__code__, function.__globals__, argdefs=function.__defaults__)
    return name_like(copied, original)
