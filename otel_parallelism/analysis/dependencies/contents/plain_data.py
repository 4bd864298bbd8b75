"""Copies the beginning of a value to plain data, without running code of the program."""

from __future__ import annotations

from typing import Any

_MAX_PARTS = 300
_DEEPEST = 12
_SCALARS: tuple[Any, ...] = (str, bool, int, float)
_SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset)


class Unreadable:
    """A part of a value that is no plain data, or lies beyond the bound."""

    __slots__ = ()


UNREADABLE = Unreadable()


def plain_data(value: Any) -> object:
    """
    Return *value* as dicts, lists and scalars; other objects, and all that is beyond a bound, are `UNREADABLE`.

    >>> plain_data({"a": (1, "x", None)})
    {'a': [1, 'x', None]}
    """
    return _copied(value, [_MAX_PARTS], 0)


def _copied(value: Any, budget: list[int], depth: int) -> object:
    budget[0] -= 1
    if budget[0] < 0 or depth > _DEEPEST:
        return UNREADABLE
    # isinstance() would read the object's __class__, which may be the program's code.
    kind = type(value)
    if value is None or kind in _SCALARS:
        return value
    if issubclass(kind, dict):
        return {
            _copied(key, budget, depth + 1) if type(key) in _SCALARS else UNREADABLE: _copied(inner, budget, depth + 1)
            for key, inner in _first(dict.items(value), budget)
        }
    for base in _SEQUENCES:
        if issubclass(kind, base):
            return [_copied(inner, budget, depth + 1) for inner in _first(base.__iter__(value), budget)]
    for base in _SCALARS:
        if issubclass(kind, base):
            return str.__str__(value) if base is str else base.__int__(value) if base is int else float.__float__(value)
    return UNREADABLE


def _first(items: Any, budget: list[int]) -> list[Any]:
    """Return items while the budget lasts, and one more."""
    found = []
    for item in items:
        found.append(item)
        if len(found) > budget[0] + 1:
            break
    return found
