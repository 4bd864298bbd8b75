"""Collects the plain values inside a piece of content, level by level, without running the program's own code."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

import msgspec

from otel_parallelism.long_numbers import decode_json

_DEEPEST = 12
_SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset)

bases_of: Any = vars(type)["__mro__"].__get__
namespace_of: Any = vars(type)["__dict__"].__get__


class _Ordinary:
    """A class whose objects have the interpreter's own ``__dict__``."""


_OWN_DICT = vars(_Ordinary)["__dict__"].__doc__
"""The interpreter's text about it. A lazy proxy written in C, which would load its object, has another."""

_OTHERS_WITH_DICT = (OrderedDict, BaseException)


class Leaves:
    """
    The plain values in a piece of content by kind: ``texts``, ``numbers``, ``flags``, and the ``keys`` of mappings.

    ``sizes`` are the lengths of its lists. ``named`` repeats the texts and numbers whose key is in ``names``, with that
    key; every key counts if it is None.
    """

    __slots__ = ("flags", "keys", "named", "names", "numbers", "sizes", "texts")

    def __init__(self, names: set[str] | None) -> None:
        self.names: set[str] | None = names
        self.named: list[tuple[str, str | float]] = []
        self.texts: list[str] = []
        self.sizes: list[int] = []
        self.keys: set[str] = set()
        self.numbers: list[float] = []
        self.flags: set[bool] = set()

    def take(self, value: Any, budget: int) -> bool:
        """Add the values inside *value*, at most *budget* including containers; return whether all were added."""
        whole = self._take(value, budget)
        nested = {text: data for text in self.texts if (data := _json_in_text(text)) is not None}
        if nested:
            self.texts = [text for text in self.texts if text not in nested]
            whole &= self._take(list(nested.values()), budget)
        odd = [key for key in self.keys if type(key) is not str]
        if odd:
            self.keys.difference_update(odd)
            whole &= self._take(odd, budget)
        return whole

    def _take(self, value: Any, budget: int) -> bool:  # noqa: C901 - the hot loop: it handles every value of every result
        texts, keys, numbers = self.texts, self.keys, self.numbers
        named = self.names is None or bool(self.names)
        level: list[Any] = [value]
        whole = True
        for _ in range(_DEEPEST + 1):
            if len(level) > budget:
                whole = False
                del level[budget:]
            budget -= len(level)
            below: list[Any] = []
            for item in level:
                kind = type(item)
                if kind is str:
                    texts.append(item)
                elif kind is int or kind is float:
                    numbers.append(item)
                elif kind is dict:
                    if named or len(item) > budget:
                        whole &= self._open(item, below, budget)
                    else:
                        keys.update(item)
                        below += item.values()
                elif kind is list:
                    self.sizes.append(len(item))
                    below += item[: budget + 1]
                elif kind is bool:
                    self.flags.add(item)
                elif item is not None:
                    whole &= self._other(item, below, budget)
            if not below:
                return whole
            level = below
        return False

    def _open(self, item: dict[Any, Any], below: list[Any], budget: int) -> bool:
        entries: dict[Any, Any] = item
        size = dict.__len__(item)
        if size > budget + 1 or type(item) is not dict:
            # One entry more than the budget is enough to notice that there are too many.
            entries = dict(itertools.islice(dict.items(item), budget + 1))
        self.keys.update(entries)
        below.extend(entries.values())
        names = self.names
        if names is None or (names and not names.isdisjoint(entries)):
            for name in entries if names is None else names.intersection(entries):
                inner = entries[name]
                kind = type(inner)
                if type(name) is str and (kind is str or kind is int or kind is float):
                    self.named.append((name, inner))
        return len(entries) == size

    def _other(self, item: Any, below: list[Any], budget: int) -> bool:
        # isinstance() would read the object's __class__, which may be the program's code.
        kind = type(item)
        if issubclass(kind, str):
            self.texts.append(str.__str__(item))
        elif issubclass(kind, int):
            self.numbers.append(int.__int__(item))
        elif issubclass(kind, float):
            self.numbers.append(float.__float__(item))
        elif issubclass(kind, dict):
            return self._open(item, below, budget)
        elif issubclass(kind, _SEQUENCES):
            base = next(base for base in _SEQUENCES if issubclass(kind, base))
            self.sizes.append(base.__len__(item))
            below += itertools.islice(base.__iter__(item), max(0, budget + 1 - len(below)))
        else:
            fields = _fields(item)
            if fields is None:
                return False
            below += fields
            # It may give more than its fields, as a mapping or a proxy does.
            return not has_method(kind, "__getitem__", "__getattribute__")
        return True


def _json_in_text(text: str) -> Any:
    """Return the data in *text* if it is a JSON object or array; None if not."""
    if text[:1] in ("{", "[") and text[-1:] in ("}", "]"):
        try:
            return decode_json(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return None
    return None


def _fields(item: Any) -> list[Any] | None:
    """Return the values of an object's fields without running its code; None if it has no readable fields."""
    kind = type(item)
    if issubclass(kind, (bytes, bytearray, memoryview, type)) or callable(item):
        return None
    if issubclass(kind, msgspec.Struct):
        return [object.__getattribute__(item, name) for name in kind.__struct_fields__]
    own = instance_dict(item)
    return None if own is None else [inner for name, inner in own.items() if not name.startswith("__")]


def has_method(kind: type, *names: str) -> bool:
    """Return whether *kind* or a base below ``object`` defines one of *names*, without running code of the class."""
    return any(name in namespace_of(base) for base in bases_of(kind)[:-1] for name in names)


def instance_dict(item: object) -> dict[str, Any] | None:
    """Return the ``__dict__`` of an object without running its code; None if it has none or hides it."""
    for base in bases_of(type(item)):
        found = namespace_of(base).get("__dict__")
        if found is not None:
            kind = type(found)
            readable = kind is MemberDescriptorType or (
                kind is GetSetDescriptorType and (found.__doc__ == _OWN_DICT or base in _OTHERS_WITH_DICT)
            )
            own = found.__get__(item) if readable else None
            return own if type(own) is dict else None
    return None
