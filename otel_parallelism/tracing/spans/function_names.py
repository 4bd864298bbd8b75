"""Names our functions after the decorated ones: coroutines and generators show these names in warnings and tasks."""

from __future__ import annotations

from types import FunctionType
from typing import Any


def name_like(function: Any, original: Any) -> Any:
    """Give *function* the names of the decorated function *original*, and return it."""
    original = getattr(original, "__func__", original)
    for name in ("__name__", "__qualname__"):
        found = getattr(original, name, None)
        if type(found) is str:
            setattr(function, name, found)
    return function


def copy_named_like(function: Any, original: Any) -> Any:
    """Return a copy of *function* with the names of the decorated function *original*."""
    return name_like(FunctionType(function.__code__, function.__globals__), original)
