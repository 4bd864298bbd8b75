"""
Holds the arguments and the result of a call, as evidence for the analysis at the turn's end.

Immutable values are held by reference. A mutable argument is reduced to its leaf values when the call starts; leaves
past `MAX_LEAVES` are left out, and the arguments then count as incomplete. A result is held by reference, and is not
used if it has changed since.
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

from otel_parallelism.analysis.dependencies.contents.leaves import has_method, instance_dict
from otel_parallelism.analysis.dependencies.objects.object_types import type_safety

from .bounds.held_evidence import HELD, LEAST_SIZE, evidence_size
from .handed_objects import Handed, handed_object, is_for_one, is_library_object
from .nodes import MISSING, CallNode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_LEAVES = 10
_MAX_DEPTH = 4
_MAX_ITEMS_READ = 32
_MAX_ITEMS_ENTERED = 4
_MAX_OBJECTS_ENTERED = 2
_ITEM_SIZE = 8

PLAIN = frozenset({str, int, float, bool, type(None)})
"""Immutable types whose values are evidence without conversion."""

SMALL = PLAIN - {str}
"""The types in `PLAIN` whose values are never large."""

_IMMUTABLE = PLAIN | {
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
_MUTABLE = frozenset({list, dict, set})
_CONTAINERS = _MUTABLE | {tuple, frozenset}
_READABLE = _IMMUTABLE | _CONTAINERS
_LISTED = _IMMUTABLE | _MUTABLE
_BASES: tuple[Any, ...] = (list, tuple, set, frozenset)
_SCALARS: tuple[Any, ...] = (str, int, float)
"""Types whose subclasses are read as the type itself, without the methods of the subclass."""

_TEXTS = frozenset({str, bytes})
_AS_TEXT = _IMMUTABLE - PLAIN - {bytes, complex}


class ArgumentLeaves:
    """
    Collects the leaf values of arguments, up to `MAX_LEAVES`.

    Attributes:
        values: The leaf values.
        objects: The mutable objects that ``values`` represents completely.
        identities: The ids of all mutable objects.
        handed: The mutable objects, each with its parameter: a name, or a position among the positional arguments.
        whole: Whether no leaf was left out.
    """

    __slots__ = ("handed", "identities", "objects", "parameter", "values", "whole")

    def __init__(self) -> None:
        self.handed: list[Handed] = []
        self.parameter: str | int = ""
        self.values: list[Any] = []
        self.objects: list[Any] = []
        self.identities: list[int] = []
        self.whole: bool = True

    def add(self, value: Any, depth: int = 0) -> None:
        """Add the leaves of *value*, which lies *depth* levels deep, without running code of the program."""
        kind = type(value)
        if kind in _IMMUTABLE:
            if len(self.values) < MAX_LEAVES:
                self.values.append(str(value) if kind in _AS_TEXT else value)
            else:
                self.whole = False
            return
        if issubclass(type(kind), enum.EnumMeta):
            # An enumeration has one immutable object for each member, so its id proves nothing.
            for field in ("_name_", "_value_"):
                self.add(object.__getattribute__(value, field), depth + 1)
            return
        if issubclass(kind, _SCALARS):
            self.add(_as_base(value, kind), depth)
            return
        if kind not in _CONTAINERS and is_library_object(kind):
            self.identities.append(id(value))
            if is_for_one(value):
                self.handed.append(handed_object(self.parameter, value, None))
            return
        items = _items(value, kind)
        if kind is not tuple and kind is not frozenset:
            self.identities.append(id(value))
            if type_safety(kind) != "safe":
                self.handed.append(handed_object(self.parameter, value, items))
        self._add_items(value, items, depth)

    def _add_items(self, value: Any, items: Sequence[Any] | None, depth: int) -> None:
        """Add the leaves of *items*, which the mutable or immutable container *value* holds."""
        kind = type(value)
        if items is None or depth >= _MAX_DEPTH or len(items) > 2 * MAX_LEAVES:
            self.whole = False
            return
        for item in items:
            # The fields of an argument are seen all, as one may be a connection.
            if depth and not self.whole:
                return
            self.add(item, depth + 1)
        if self.whole and kind is not tuple and kind is not frozenset:
            self.objects.append(value)


def _as_base(value: Any, kind: type) -> str | int | float:
    """Return the text or number that *value*, of the subclass *kind*, is."""
    if issubclass(kind, str):
        return str.__str__(value)
    return int.__pos__(value) if issubclass(kind, int) else float.__pos__(value)


def _items(value: Any, kind: type) -> Sequence[Any] | None:
    """Return the items of a container, or the fields of an object; None where they cannot be read. Dict keys count."""
    if kind in (list, tuple, set, frozenset):
        return tuple(value)
    if kind is dict:
        return (*value.keys(), *value.values())
    fields = instance_dict(value)
    own = () if fields is None else tuple(fields.values())
    if issubclass(kind, dict):
        return (*dict.keys(value), *dict.values(value), *own)
    base = next((base for base in _BASES if issubclass(kind, base)), None)
    if base is not None:
        return (*base.__iter__(value), *own)
    return own if fields is not None and not callable(value) else None


def hold_arguments(node: CallNode, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """
    Hold the leaves of the arguments of *node*, a call that is about to start.

    Mutable arguments that the leaves represent completely are small. They are held too, so that no later object gets
    the same id.
    """
    if kwargs and len(args) + len(kwargs) <= MAX_LEAVES:
        values = [*args, *kwargs.values()]
        if PLAIN.issuperset(map(type, values)):
            # Most tools are called so by frameworks.
            node.arguments = values
            HELD.add(node, sum([len(value) for value in values if type(value) is str]))
            return
    leaves = ArgumentLeaves()
    for position, value in enumerate(args):
        leaves.parameter = position
        leaves.add(value)
    for name, value in kwargs.items():
        leaves.parameter = name
        leaves.add(value)
    node.arguments = leaves.values
    node.whole = leaves.whole
    node.identities = tuple(leaves.identities)
    node.objects = leaves.objects
    HELD.add(node, sum([len(value) for value in leaves.values if type(value) in _TEXTS]))
    if leaves.handed:
        node.handed += tuple(leaves.handed)


def hold_result(node: CallNode, result: Any, max_bytes: int, max_items: int) -> None:
    """
    Hold the *result* of *node*'s call, which is not of a `SMALL` type.

    A string or bytes longer than *max_bytes*, a container of more than *max_items* items, and an object with a length
    are not held: ``result_whole`` is False then. Large results count as held evidence.
    """
    kind = type(result)
    if kind is str or kind is bytes:
        if len(result) > max_bytes:
            node.result, node.result_whole = None, False
            return
        node.result = result
        if len(result) >= LEAST_SIZE:
            HELD.add(node, len(result))
    elif kind in _AS_TEXT:
        node.result = str(result)
    elif kind in _CONTAINERS:
        if kind in _MUTABLE:
            node.result_identities = (id(result),)
        if len(result) > max_items:
            node.result, node.result_whole = None, False
            return
        others = [item for item in _first(result) if type(item) not in _READABLE]
        if others:
            node.result_identities += tuple(map(id, others))
        node.result = result
        node.result_state, size = _state(result)
        HELD.add(node, size)
    else:
        node.result_identities = (id(result),)
        # It may be a table or an array of any size, and calling len() would run the program's code.
        if has_method(kind, "__len__"):
            node.result, node.result_whole = None, False
            return
        node.result = result
        node.result_state, size = _state(result)
        HELD.add(node, size)


def _first(container: Any) -> tuple[Any, ...]:
    """Return the first items of a container, or values of a dict; copied at once, as other threads may change it."""
    items = container.values() if type(container) is dict else container
    return tuple(items) if len(items) <= _MAX_ITEMS_READ else tuple(itertools.islice(items, _MAX_ITEMS_READ))


def _state(result: Any) -> tuple[tuple[int, ...], int]:
    """
    Return a fingerprint of *result*, and about how many bytes it holds.

    The fingerprint has the lengths, and ids of the first items, of it and of containers inside. Items that are not
    looked at count as large as those that are.
    """
    state: list[int] = []
    size = 0
    containers = [(result, 1)]
    for value, number in containers:
        items = value if type(value) in _CONTAINERS else _items(value, type(value)) or ()
        first = _first(items)
        count = len(items)
        state.append(count)
        # This runs for every result, so the loops are left to C.
        state += map(id, first)
        kinds = set(map(type, first))
        size += number * count * _ITEM_SIZE
        if kinds <= SMALL:
            continue
        # What an item that was looked at stands for.
        times = number * count // len(first)
        if str in kinds or bytes in kinds:
            size += times * sum(map(len, [item for item in first if type(item) in _TEXTS]))
        if not kinds <= _LISTED:
            others = [item for item in first if type(item) not in _LISTED]
            some = others[:_MAX_OBJECTS_ENTERED]
            size += times * len(others) * sum(map(evidence_size, some)) // len(some)
        if len(state) > 2 * _MAX_ITEMS_READ:
            break
        if not _MUTABLE.isdisjoint(kinds):
            # A change to the rows of a table is expected to change the first rows.
            inside = [item for item in first if type(item) in _MUTABLE]
            entered = inside[:_MAX_ITEMS_ENTERED]
            times = times * len(inside) // len(entered)
            containers += [(item, times) for item in entered]
    return tuple(state), size


def read_arguments(node: Any) -> object:
    """
    Return the held arguments of *node*.

    Raises:
        LookupError: They have been released.
    """
    if node.arguments is None:
        raise LookupError("the arguments are no longer held: the turn is over")
    return node.arguments


def read_result(node: Any) -> object:
    """
    Return the held result of *node*.

    Raises:
        LookupError: It has been released, or has changed since the call.
    """
    if node.result is MISSING:
        raise LookupError("the result is no longer held: the turn is over")
    if node.result_state and node.result_state != _state(node.result)[0]:
        raise LookupError("the result has been changed since the call")
    return node.result
