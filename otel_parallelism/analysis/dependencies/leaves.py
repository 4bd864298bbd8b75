"""Collects the plain values inside a piece of content, level by level, without running the program's own code."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec

_DEEPEST = 12


class Leaves:
    """
    The plain values in a piece of content by kind: ``texts``, ``numbers``, ``flags``, and the ``keys`` of mappings.

    ``named`` repeats the texts and numbers whose key is in ``names``, with that key; every key counts if it is None.
    """

    __slots__ = ("flags", "keys", "named", "names", "numbers", "texts")

    def __init__(self, names: frozenset[str] | None) -> None:
        self.names: frozenset[str] | None = names
        self.named: list[tuple[str, str | float]] = []
        self.texts: list[str] = []
        self.keys: set[str] = set()
        self.numbers: list[float] = []
        self.flags: set[bool] = set()

    def take(self, value: Any, budget: int) -> bool:
        """Add the values inside *value*, at most *budget* including containers; return whether all were added."""
        whole = self._take(value, budget)
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
                    below += item[: budget + 1]
                elif kind is bool:
                    self.flags.add(item)
                elif item is not None:
                    whole &= self._other(item, below, budget)
            if not below:
                return whole
            level = below
        return False

    def _open(self, item: Mapping[Any, Any], below: list[Any], budget: int) -> bool:
        entries: Mapping[Any, Any] = item
        if len(item) > budget + 1:
            # One entry more than the budget is enough to notice that there are too many.
            entries = dict(itertools.islice(item.items(), budget + 1))
        self.keys.update(entries)
        below.extend(entries.values())
        names = self.names
        if names is None or (names and not names.isdisjoint(entries)):
            for name in entries if names is None else names.intersection(entries):
                inner = entries[name]
                kind = type(inner)
                if type(name) is str and (kind is str or kind is int or kind is float):
                    self.named.append((name, inner))
        return len(entries) == len(item)

    def _other(self, item: Any, below: list[Any], budget: int) -> bool:
        if isinstance(item, str):
            self.texts.append(str.__str__(item))
        elif isinstance(item, (int, float)):
            self.numbers.append(item)
        elif isinstance(item, Mapping):
            return self._open(item, below, budget)
        elif isinstance(item, (list, tuple, set, frozenset)):
            for inner in item:
                if len(below) > budget:
                    break
                below.append(inner)
        else:
            fields = _fields(item)
            if fields is None:
                return False
            below += fields
        return True


def _fields(item: Any) -> list[Any] | None:
    """Return the values of an object's fields without running its code; None if it has no readable fields."""
    if isinstance(item, (bytes, bytearray, memoryview, type)) or callable(item):
        return None
    if isinstance(item, msgspec.Struct):
        return [getattr(item, name) for name in item.__struct_fields__]
    try:
        own = object.__getattribute__(item, "__dict__")
    except AttributeError:
        return None
    return [inner for name, inner in own.items() if not name.startswith("__")] if isinstance(own, dict) else None
