"""
What a call was given and what it returned, held for evidence: by reference where nothing can change, else by value.

A result is held by reference, and is not read where it was seen to have changed since. An argument that may change
while the call runs is reduced to its leaf values when the call starts; past about ten leaves the rest is left out, and
what is held is then not whole.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import itertools
import pathlib
import uuid
from typing import TYPE_CHECKING, Any

from .nodes import MISSING, CallNode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_LEAVES = 10
_DEEPEST = 4
_LOOKED_AT = 32
_LOOKED_INTO = 4

PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types whose values never change and are evidence as they are."""

SMALL = PLAIN - {str}
"""Those of them that are never large."""

_UNCHANGING = PLAIN | {
    bytes,
    complex,
    dt.date,
    dt.datetime,
    dt.time,
    dt.timedelta,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
    pathlib.Path,
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
}
_CHANGING = frozenset({list, dict, set})
_CONTAINERS = _CHANGING | {tuple, frozenset}
_TAKEN_APART = _UNCHANGING | _CONTAINERS
_SPELLED = _UNCHANGING - PLAIN - {bytes, complex}


class ArgumentLeaves:
    """Collects the leaf values of arguments, up to a bound, and the mutable objects that they were taken from."""

    __slots__ = ("identities", "objects", "values", "whole")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.objects: list[Any] = []
        self.identities: list[int] = []
        self.whole: bool = True

    def add(self, value: Any, depth: int = 0) -> None:
        """Take *value* apart without running any code of the program."""
        kind = type(value)
        if kind in _UNCHANGING:
            if len(self.values) < MOST_LEAVES:
                self.values.append(str(value) if kind in _SPELLED else value)
            else:
                self.whole = False
            return
        if isinstance(kind, enum.EnumMeta):
            # There is one object for a member wherever it is passed, and it never changes.
            for told in ("_name_", "_value_"):
                self.add(object.__getattribute__(value, told), depth + 1)
            return
        if kind is not tuple and kind is not frozenset:
            self.identities.append(id(value))
        items = _items(value, kind)
        if items is None or depth >= _DEEPEST or len(items) > 2 * MOST_LEAVES:
            self.whole = False
            return
        for item in items:
            if not self.whole:
                return
            self.add(item, depth + 1)
        if self.whole and kind is not tuple and kind is not frozenset:
            self.objects.append(value)


def _items(value: Any, kind: type) -> Sequence[Any] | None:
    """What *value* consists of, or None where that cannot be seen. Keys count: they may carry an order's number."""
    if kind in (list, tuple, set, frozenset):
        return tuple(value)
    if kind is not dict:
        try:
            fields = object.__getattribute__(value, "__dict__")
        except (AttributeError, TypeError):
            return None
        return tuple(fields.values()) if type(fields) is dict and not callable(value) else None
    return (*value.keys(), *value.values())


def hold_arguments(node: CallNode, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """
    Hold the arguments of *node*'s call, which is about to start; those all of `PLAIN` types are their own leaves.

    Mutable ones of which nothing is left out are small and are kept, too: once they were gone, the next object might
    get the same identity and pass for the same one.
    """
    leaves = ArgumentLeaves()
    for value in args:
        leaves.add(value)
    for value in kwargs.values():
        leaves.add(value)
    node.arguments = leaves.values
    node.whole = leaves.whole
    node.identities = tuple(leaves.identities)
    node.objects = leaves.objects


def hold_result(node: CallNode, result: Any, max_bytes: int, max_items: int) -> None:
    """Hold what *node*'s call returned (not of a `SMALL` type), unless it is large or cannot be read at a glance."""
    kind = type(result)
    if kind is str or kind is bytes:
        if len(result) > max_bytes:
            node.result, node.result_whole = None, False
            return
        node.result = result
    elif kind in _SPELLED:
        node.result = str(result)
    elif kind in _CONTAINERS:
        if kind in _CHANGING:
            node.result_identities = (id(result),)
        if len(result) > max_items:
            node.result, node.result_whole = None, False
            return
        others = [item for item in _first(result) if type(item) not in _TAKEN_APART]
        if others:
            node.result_identities += tuple(map(id, others))
        node.result, node.result_state = result, _state(result)
    else:
        node.result_identities = (id(result),)
        # An object with a length may be a table or an array of any size; asking it would run its own code.
        if hasattr(kind, "__len__"):
            node.result, node.result_whole = None, False
            return
        node.result, node.result_state = result, _state(result)


def _first(container: Any) -> tuple[Any, ...]:
    """Return the first items of a container, or values of a dict, at once: another thread may be at work on it."""
    items = container.values() if type(container) is dict else container
    return tuple(items) if len(items) <= _LOOKED_AT else tuple(itertools.islice(items, _LOOKED_AT))


def _state(result: Any) -> tuple[int, ...]:
    """What *result* and the containers inside of it hold: numbers of items and identities, of the first of each."""
    state: list[int] = []
    containers = [result]
    for value in containers:
        items = value if type(value) in _CONTAINERS else _items(value, type(value)) or ()
        first = _first(items)
        state.append(len(items))
        # Of every result: what can be is left to C.
        state += map(id, first)
        if len(state) > 2 * _LOOKED_AT:
            break
        if not _CHANGING.isdisjoint(map(type, first)):
            # Who changes the rows of a table changes the first of them.
            containers += [item for item in first if type(item) in _CHANGING][:_LOOKED_INTO]
    return tuple(state)


def read_arguments(node: Any) -> object:
    """Return the held arguments of *node* as plain values; raises LookupError once they were let go."""
    if node.arguments is None:
        raise LookupError("the turn is over and the arguments are no longer held")
    return node.arguments


def read_result(node: Any) -> object:
    """Return the held result of *node*; raises LookupError once it was let go, or where it is another by now."""
    if node.result is MISSING:
        raise LookupError("the turn is over and the result is no longer held")
    if node.result_state and node.result_state != _state(node.result):
        raise LookupError("the result has been changed since the call")
    return node.result
