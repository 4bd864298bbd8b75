"""
Hides the protocols that wrapt's proxies have and functions have not, such as ``len()`` and ``with``.

A proxy has them all, and passes each on to the wrapped object. But programs look for some of them: ``ExitStack.push``
for ``__exit__``, others for ``__iter__`` or ``__len__``.
"""

from __future__ import annotations

import operator
from types import FunctionType
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from collections.abc import Callable

    _ClassOfProxies = type
else:
    _ClassOfProxies = type(wrapt.FunctionWrapper)

_OPERATORS = "add sub mul matmul truediv floordiv mod pow lshift rshift and or xor"
_OTHERS = (
    "enter exit aenter aexit len contains iter getitem setitem delitem reversed bool index int float complex bytes"
    " abs neg pos invert round trunc floor ceil divmod rdivmod"
)
PROTOCOLS = frozenset(
    f"__{prefix}{name}__"
    for prefix, names in (("", _OTHERS), *((p, _OPERATORS) for p in ("", "r", "i")))
    for name in names.split()
)
"""The methods that proxies have, and functions have not."""


_NOT_PROXIED = ("__iter__", "__next__", "__aiter__", "__anext__", "__await__", "__fspath__", "__length_hint__")
"""Methods that Python looks for in classes, and that some or all releases of wrapt do not pass on."""

_DERIVED: dict[tuple[type, tuple[str, ...]], type] = {}


class LikeFunctions(_ClassOfProxies):
    """The class of classes of wrappers: they do not show the methods of a proxy."""

    shown_base: type = FunctionType
    hidden: frozenset[str] = PROTOCOLS

    def __getattribute__(cls, name: str) -> Any:  # noqa: N805 - the class of a class
        """Return the attribute *name*, if it is not hidden; ``isinstance`` looks for methods in ``__mro__``."""
        made: Any = type(cls)
        if name == "__mro__":
            return (cls, made.shown_base, object)
        if name in made.hidden:
            raise AttributeError(name)
        return super().__getattribute__(name)


class ProtocolsOfWrapped:
    """What wrappers have in common: they show the methods of the wrapped object, and the same text."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        """Return the attribute *name*, which is the wrapped object's where proxies have one of their own."""
        found: Any = super()
        if name in PROTOCOLS:
            return getattr(found.__getattribute__("__wrapped__"), name)
        return found.__getattribute__(name)

    def __repr__(self) -> str:
        """Return the text of the wrapped object."""
        wrapped: Any = self
        return repr(wrapped.__wrapped__)


def with_methods_of(wrapped: object, base: type) -> type:
    """Return *base*, or a class derived from it that passes on what *wrapped* has and proxies have not."""
    names = tuple(name for name in _NOT_PROXIED if hasattr(type(wrapped), name))
    if names and (base, names) not in _DERIVED:
        _DERIVED[base, names] = type(base)(base.__name__, (base,), {name: _passed_on(name) for name in names})
    return _DERIVED.get((base, names), base)


def _passed_on(name: str) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        wrapped = self.__wrapped__
        return getattr(type(wrapped), name)(wrapped)

    return method


def _operation(name: str) -> Callable[[Any, Any], Any]:
    operate = getattr(operator, f"__{name}__")
    own, reflected = f"__{name}__", f"__r{name}__"

    def apply(self: Any, other: Any) -> Any:
        wrapped = self.__wrapped__
        if not hasattr(wrapped, own):
            # A proxy would give the wrapped function to the other operand, such as a chain that calls it later.
            method = getattr(type(other), reflected, None)
            result = NotImplemented if method is None else method(other, self)
            if result is not NotImplemented:
                return result
        return operate(wrapped, other)

    return apply


class _ContextMethod:
    """
    A method of context managers, which ``with`` and ``ExitStack`` look for in the class of an object.

    From Python 3.15 on, ``ExitStack`` looks into the class as it is, and a wrapper cannot hide the methods of a proxy.
    It calls an object without ``__exit__`` as a function when it closes.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, wrapper: Any, _: object = None) -> Any:
        """
        Return the method of the wrapped object; for a class, itself.

        Raises:
            TypeError: The wrapped object is no context manager.
        """
        if wrapper is None:
            return self
        wrapped = wrapper.__wrapped__
        if hasattr(type(wrapped), self._name):
            return getattr(wrapped, self._name)
        if self._name in {"__exit__", "__aexit__"}:
            return wrapper
        kind = "asynchronous context manager" if self._name == "__aenter__" else "context manager"
        message = f"'{type(wrapped).__name__}' object does not support the {kind} protocol"
        raise TypeError(message)

    def __call__(self, wrapper: Any, *details: Any) -> Any:
        """Call the method of what *wrapper* wraps, as ``ExitStack`` does up to Python 3.14."""
        return self.__get__(wrapper)(*details)


for _name in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
    setattr(ProtocolsOfWrapped, _name, _ContextMethod(_name))
for _name in _OPERATORS.split():
    setattr(ProtocolsOfWrapped, f"__{_name}__", _operation(_name))
