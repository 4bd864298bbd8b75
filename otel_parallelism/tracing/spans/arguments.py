"""
Finds wrong arguments of a coroutine function where it is called, as Python does.

Our coroutine calls the function only when it is awaited, after its span has started.
"""

from __future__ import annotations

from functools import partial
from inspect import CO_COROUTINE, CO_VARARGS
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from wrapt import FunctionWrapper, PartialCallableObjectProxy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from weakref import ReferenceType

ANY_NUMBER = 1 << 30

_bases_of: Any = vars(type)["__mro__"].__get__


def positional_bounds(function: Any) -> tuple[int, int]:
    """
    Return the least and the largest number of positional arguments with which *function* can be called without others.

    For a partial of a coroutine function, or an object called like one, no number will do. Anything else is left alone:
    any number will do.
    """
    function = getattr(function, "__func__", function)
    if not _is_coroutine_function(function):
        return (ANY_NUMBER, 0) if _is_coroutine_function(_called_by(function)) else (0, ANY_NUMBER)
    code = function.__code__
    if code.co_kwonlyargcount > len(function.__kwdefaults__ or ()):
        return ANY_NUMBER, 0
    most = ANY_NUMBER if code.co_flags & CO_VARARGS else code.co_argcount
    return code.co_argcount - len(function.__defaults__ or ()), most


def bound_to_first(
    owner: ReferenceType[type], function: Any, args: tuple[Any, ...]
) -> tuple[Any, object, tuple[Any, ...]]:
    """
    Return *function*, its receiver and *args*, where it may be a method that is called on its class *owner*.

    Then the first of *args* is the receiver, as for a call on an instance. Otherwise the receiver is None.
    """
    kind = owner()
    if args and kind is not None and kind in _bases_of(type(args[0])):
        return PartialCallableObjectProxy(function, args[0]), args[0], args[1:]
    return function, None, args


def check_arguments(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """
    Call *function* and drop the coroutine, which runs nothing; anything but a coroutine function is not called.

    Raises:
        TypeError: The arguments are wrong.
    """
    # wrapt binds a method that is called on its class to its first argument.
    inner = function.__func__ if type(function) is MethodType else getattr(function, "__wrapped__", function)
    if _is_coroutine_function(inner) or _is_coroutine_function(_called_by(function)):
        function(*args, **kwargs).close()


def _called_by(function: Any) -> Any:
    """Return the function that a call of the partial or callable object *function* calls; None if there is none."""
    while type(function) is partial or issubclass(type(function), FunctionWrapper):
        function = function.func if isinstance(function, partial) else function.__wrapped__
    if type(function) is MethodType:
        return function.__func__
    if type(function) is FunctionType:
        return function
    # Without running code of the class or its class.
    found: Any = next((vars(base)["__call__"] for base in type.mro(type(function)) if "__call__" in vars(base)), None)
    return found.__wrapped__ if issubclass(type(found), FunctionWrapper) else found


def _is_coroutine_function(function: Any) -> bool:
    return type(function) is FunctionType and bool(function.__code__.co_flags & CO_COROUTINE)
