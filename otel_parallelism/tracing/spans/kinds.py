"""Wrappers that stay the same kind of callable as the function they wrap."""

from __future__ import annotations

import copy
import inspect
import sys
import weakref
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Literal

import wrapt

from .proxy_protocols import PROTOCOLS, LikeFunctions, ProtocolsOfWrapped, with_methods_of

Kind = Literal["function", "coroutine", "generator", "async generator"]


if TYPE_CHECKING:
    # Generic for type checkers only: older releases of wrapt cannot be subscripted.
    _Wrapper = wrapt.FunctionWrapper[..., Any]
    _BoundWrapper = wrapt.BoundFunctionWrapper[..., Any]
else:
    _Wrapper = wrapt.FunctionWrapper
    _BoundWrapper = wrapt.BoundFunctionWrapper


_SIGNATURE_OPTIONS: dict[str, Any] = {}
"""Arguments of ``inspect.signature``: from Python 3.14 on, annotations may name what is not defined yet."""

if sys.version_info >= (3, 14):
    import annotationlib

    _SIGNATURE_OPTIONS["annotation_format"] = annotationlib.Format.FORWARDREF


_bind = wrapt.FunctionWrapper.__get__


def _itself(function: Any) -> Any:
    """Return *function*."""
    return function


def _holder(function: Any) -> tuple[Any, str]:
    """Return what holds *function* by its qualified name, a class or a module, and its name there; None if unknown."""
    path, _, name = function.__qualname__.rpartition(".")
    found = sys.modules.get(function.__module__)
    for part in path.split(".") if path else ():
        found = getattr(found, part, None)
    return found, name


class Profiled(ProtocolsOfWrapped, _Wrapper, metaclass=LikeFunctions):
    """
    A wrapped function. It pickles and copies by name, like the function it wraps.

    Where its name leads to another object, the wrapped function is left to the pickler: dill pickles its code. What is
    unpickled is then not recorded.
    """

    # No annotations here: the class's annotations would hide those of every wrapped function.

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Return the method of *instance*; a function of a class is itself, and programs compare it by identity."""
        if instance is None and owner is not None and type(self.__wrapped__) is FunctionType:
            tool = getattr(self, "_self_tool", None)
            if tool is not None:
                tool.owner = weakref.ref(owner)
            return self
        return _bind(self, instance, owner)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return the qualified name if it leads here, else the wrapped function."""
        wrapped: Any = self.__wrapped__
        holder, name = _holder(wrapped)
        return wrapped.__qualname__ if getattr(holder, name, None) is self else (_itself, (wrapped,))

    def __reduce__(self) -> Any:
        """Return what `__reduce_ex__` returns."""
        return self.__reduce_ex__(2)

    def __copy__(self) -> Any:
        """Return itself, as copying a function does."""
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        """Return itself, as copying a function does."""
        return self


class _NoDescriptors(LikeFunctions):
    """The class of classes whose objects ``inspect`` takes for no methods."""

    hidden: frozenset[str] = PROTOCOLS | {"__get__"}


class _OfPartials(_NoDescriptors):
    """The class of a class whose objects are like a ``functools.partial``, a descriptor from Python 3.14 on."""

    hidden: frozenset[str] = PROTOCOLS | ({"__get__"} - vars(partial).keys())


class _OfObjects(_OfPartials):
    """The class of a class whose objects may have any protocol."""

    hidden: frozenset[str] = frozenset({"__get__"})


class ProfiledBuiltin(Profiled, metaclass=_NoDescriptors):
    """A wrapped function that is no method where a class holds it, as those written in C."""


class ProfiledPartial(ProfiledBuiltin, metaclass=_OfPartials):
    """A wrapped ``functools.partial``. A copy of it is recorded as well; what is unpickled is not."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what pickle makes of the wrapped object."""
        return self.__wrapped__.__reduce_ex__(protocol)

    def __copy__(self) -> Any:
        """Return a wrapped copy."""
        return self._again(copy.copy(self.__wrapped__))

    def __deepcopy__(self, memo: Any) -> Any:
        """Return a wrapped deep copy."""
        return self._again(copy.deepcopy(self.__wrapped__, memo))

    def _again(self, copied: Any) -> Any:
        made: Any = type(self)
        again = made(copied, self._self_wrapper, self._self_enabled)
        again._self_tool = getattr(self, "_self_tool", None)  # noqa: SLF001 - wrapt keeps attributes of that prefix on the wrapper
        return again


class ProfiledObject(ProfiledPartial, metaclass=_OfObjects):
    """A wrapped callable object. What its ``__call__`` says about itself is what the object's says."""

    def __getattribute__(self, name: str) -> Any:
        """Return the attribute *name*; ``__call__`` as a method, which shows its kind, and not as a slot."""
        if name == "__signature__":
            # ``inspect.getfullargspec`` would look into the class of the wrapper.
            return inspect.signature(self.__wrapped__, **_SIGNATURE_OPTIONS)
        if name != "__call__":
            return super().__getattribute__(name)
        # Some frameworks look for coroutine functions there.
        call: Any = self
        method: Any = getattr(self.__wrapped__, name)

        def called(_: Any, __: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return call(*args, **kwargs)

        made: Any = wrapt.FunctionWrapper  # its types know no wrapper that leaves the wrapped function alone
        return made(method, called)


def wrapped_as(function: Any, wrapper: Any, enabled: Any = None) -> Profiled:
    """Return *function* wrapped in *wrapper*; while *enabled* returns False, calls pass by the wrapper."""
    if isinstance(function, partial):
        made: Any = ProfiledPartial
    elif inspect.isbuiltin(function) and not hasattr(type(function), "__get__"):
        made = ProfiledBuiltin
    else:
        plain = inspect.isroutine(function) or isinstance(function, (staticmethod, classmethod, type))
        made = Profiled if plain else with_methods_of(function, ProfiledObject)
    wrapped: Profiled = made(function, wrapper, enabled=enabled)
    return wrapped


class _MadeAgain(LikeFunctions):
    """The class of `BoundProfiled`: like the class of methods, it makes one of a function and an object."""

    shown_base: type = MethodType

    def __call__(cls: Any, function: Any, instance: Any) -> Any:  # noqa: N805 - the class of a class
        """Return the method that *function* is of *instance*; ``weakref.WeakMethod`` asks for it."""
        found: Any = getattr(instance, getattr(function, "__name__", ""), None)
        if type(found) is cls and getattr(found, "__func__", None) is function:
            return found
        return MethodType(function, instance)


class BoundProfiled(ProtocolsOfWrapped, _BoundWrapper, metaclass=_MadeAgain):
    """A wrapped method of an instance or a class, or what a class returns for a function. It pickles like one."""

    @property
    def __func__(self) -> Any:
        """The function of the method: as it was found in the class."""
        parent: Any = self._self_parent
        method: Any = self.__wrapped__
        return parent if type(parent.__wrapped__) is FunctionType else method.__func__

    def __reduce_ex__(self, protocol: object) -> Any:
        """Return the call that gets the method from its instance or class."""
        method: Any = self.__wrapped__
        if hasattr(method, "__self__"):
            return getattr, (method.__self__, method.__name__)
        # Accessed on a class, it is a function, which pickle finds by its name.
        holder, name = _holder(method)
        if isinstance(holder, type):
            return getattr, (holder, name)
        return _itself, (self._self_parent,)

    def __reduce__(self) -> Any:
        """Return what `__reduce_ex__` returns."""
        return self.__reduce_ex__(2)

    def __copy__(self) -> Any:
        """Return itself, which equals any other method of the same instance."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return the method of a deep copy of its instance, as for any method."""
        method: Any = self.__wrapped__
        owner: Any = getattr(method, "__self__", None)
        if owner is None or isinstance(owner, type):
            return self
        function: Any = self._self_parent
        return function.__get__(copy.deepcopy(owner, memo), type(owner))


# wrapt makes bound wrappers by this, past `_MadeAgain`.
_make_bound = staticmethod(partial(type.__call__, BoundProfiled))
setattr(Profiled, "__bound_function_wrapper__", _make_bound)  # noqa: B010 - which of the two is generic differs


def kind_of(function: Any) -> Kind:
    """Return the kind of *function*: of the function inside partials, descriptors and callable objects."""
    while True:
        if isinstance(function, (staticmethod, classmethod)):
            function = function.__func__
        elif isinstance(function, partial):
            function = function.func
        else:
            break
    if not inspect.isroutine(function) and not isinstance(function, type):
        function = getattr(type(function), "__call__", function)  # noqa: B004 - the attribute itself is needed, not whether it is callable
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.isgeneratorfunction(function):
        return "generator"
    return "function"


def is_awaited(function: Any) -> bool:
    """Return whether ``types.coroutine`` has made calls of the generator *function* awaitable, maybe after us."""
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)
