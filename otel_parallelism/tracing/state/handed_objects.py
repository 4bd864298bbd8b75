"""
Notes which mutable objects a call was handed: arguments, the object of a method, dependencies, closures and globals.

An object is noted by its id, its type and what it directly holds, without running code of the program.
"""

from __future__ import annotations

from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from otel_parallelism.analysis.dependencies.contents.leaves import instance_dict
from otel_parallelism.analysis.dependencies.objects.object_types import is_frozen, is_limiter, module_of, type_safety
from otel_parallelism.model import HandedObject
from otel_parallelism.tracing.bytecode.accesses import accesses, functions_run, held, holder_of
from otel_parallelism.tracing.bytecode.changes import is_changed_by_functions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .nodes import CallNode

Handed: TypeAlias = tuple[str | int, int, type | None, tuple[object, ...] | None, tuple[type, ...]]
"""The fields of a `HandedObject`; a position among the positional arguments may stand for the name."""

_PLAIN = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({list, dict, set, tuple, frozenset})
_OUTSIDE: WeakKeyDictionary[FunctionType, tuple[tuple[str, int, str], ...]] = WeakKeyDictionary()
"""What `outside_objects` found for the tools of frameworks, with the position of the cell, -1 for the globals."""

_MOST_PARTS = 16
_MOST_OUTSIDE = 8


def is_library_object(kind: type) -> bool:
    """
    Return whether objects of the type *kind* are no values: clients, connections, pages.

    What such an object holds is not part of the arguments.
    """
    safety = type_safety(kind)
    return safety != "unknown" and module_of(kind) not in {"builtins", "functools"} and not is_frozen(kind)


def handed_object(name: str | int, value: Any, items: Sequence[Any] | None) -> Handed:
    """Return the note of *value*; *items* is what it directly holds, None if that is not known."""
    if items is None or len(items) > _MOST_PARTS:
        return (name, id(value), type(value), None, ())
    state = tuple([item if type(item) in _PLAIN else id(item) for item in items])
    return (name, id(value), type(value), state, tuple(map(type, items)))


def hold_receiver(node: CallNode, receiver: Any) -> None:
    """Note on *node* the object whose method is called; a class or a safe object only by its id."""
    node.receiver = id(receiver)
    kind = type(receiver)
    if type_safety(kind) != "safe" or is_frozen(kind):
        node.handed = (handed_object("self", receiver, _fields(receiver)),)


def hold_dependencies(
    node: CallNode,
    function: Any,
    shared: Iterable[tuple[str, Any]],
    injected: Iterable[tuple[str, Any]],
) -> None:
    """
    Note on *node*, a framework's call, what the framework passes to its tool.

    Args:
        node: The call.
        function: The function of the tool, or None.
        shared: Objects of the program, by name.
        injected: Objects of the framework, by name; only unsafe objects directly inside them count.
    """
    if type(function) is MethodType:
        hold_receiver(node, function.__self__)
        function = function.__func__
    for name, value in shared:
        node.handed += dependencies(name, value)
    for name, value in injected:
        node.handed += tuple(
            handed_object(f"{name}.{field}", inner, None)
            for field, inner in _named_fields(value)
            if type_safety(type(inner)) == "unsafe"
        )
    if type(function) is FunctionType:
        hold_outside(node, _outside_of(function))


def _outside_of(function: FunctionType) -> Iterable[tuple[str, Any, str]]:
    """Return what `outside_objects` returned for *function* when it was first called."""
    holders = (*(function.__closure__ or ()), function.__globals__)
    known = _OUTSIDE.get(function)
    if known is not None:
        return [(name, holders[at], key) for name, at, key in known]
    places = outside_objects(function)
    positions = {id(holder): at for at, holder in enumerate(holders[:-1])} | {id(holders[-1]): -1}
    # A cell, or a class, often leads to an object that holds the function, which would then never be freed.
    if all(id(holder) in positions for _, holder, _ in places):
        _OUTSIDE[function] = tuple((name, positions[id(holder)], key) for name, holder, key in places)
    return places


def dependencies(name: str, value: Any) -> tuple[Handed, ...]:
    """Return the notes of an object that a framework passes to tools, and of the objects directly inside it."""
    found = list(_judged(name, value))
    fields = _named_fields(value) if found and type_safety(type(value)) == "unknown" else ()
    for field, inner in fields:
        found += _judged(f"{name}.{field}", inner)
    return tuple(found[:_MOST_PARTS])


def outside_objects(function: Any) -> tuple[tuple[str, Any, str], ...]:
    """
    Return where a function's closure and globals hold objects that are not known to be safe.

    Returns:
        The name, the cell or the dict of globals, and the key in this dict; an empty key where the function assigns.
    """
    if type(function) is not FunctionType:
        return ()
    found: dict[str, tuple[str, Any, str]] = {}
    for one in functions_run(function):
        for operation, name in accesses(one):
            holder = holder_of(one, operation, name)
            if len(found) >= _MOST_OUTSIDE or holder is None:
                continue
            if operation.startswith(("STORE_GLOBAL", "DELETE_GLOBAL")) or operation in {"STORE_DEREF", "DELETE_DEREF"}:
                found[name] = (name, holder, "")
            elif name not in found:
                value = held(holder, name)
                if (
                    one is not function
                    and type(value) in _CONTAINERS
                    and not is_changed_by_functions(name, one.__globals__)
                ):
                    # Tools look up much through other functions, in containers that no call changes.
                    continue
                if _is_noted(value):
                    found[name] = (name, holder, name)
                elif type(value) is type and value.__module__ == one.__module__:
                    found |= _containers_of(name, value)
    return tuple(found.values())


def _containers_of(name: str, kind: type) -> dict[str, tuple[str, Any, str]]:
    """Return where the class *kind* of the program holds containers, which all that use it share."""
    fields = vars(kind)
    return {
        f"{name}.{field}": (f"{name}.{field}", fields, field)
        for field, value in list(fields.items())[:_MOST_PARTS]
        if type(value) in {list, dict, set} and not field.startswith("__")
    }


def hold_outside(node: CallNode, places: Iterable[tuple[str, Any, str]]) -> None:
    """Add to *node* the notes of what the closure and the globals of its function hold now."""
    noted: list[Handed] = []
    for name, holder, key in places:
        if not key:
            # The function itself assigns the variable.
            noted.append((name, hash((id(holder), name)), None, None, ()))
            continue
        noted += _judged(name, held(holder, key))
    node.handed += tuple(noted)


def named_objects(node: CallNode) -> tuple[HandedObject, ...]:
    """Return the objects that *node*'s call was handed, with the names of their parameters."""
    code = getattr(node.tool.function, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if type(code) is CodeType else ()
    first = 1 if node.receiver else 0
    return tuple(
        HandedObject(
            (names[name + first] if name + first < len(names) else "") if isinstance(name, int) else name, *rest
        )
        for name, *rest in node.handed
    )


def _judged(name: str, value: Any) -> tuple[Handed, ...]:
    return (handed_object(name, value, _fields(value)),) if _is_noted(value) else ()


def _is_noted(value: Any) -> bool:
    kind = type(value)
    return kind not in _PLAIN and (type_safety(kind) != "safe" or (is_limiter(kind) and _takes_one(value)))


def is_for_one(value: Any) -> bool:
    """Return whether two calls must not use *value*, an object of a library, at once, or may wait for one another."""
    kind = type(value)
    return type_safety(kind) == "unsafe" or (is_limiter(kind) and _takes_one(value))


def _takes_one(limiter: Any) -> bool:
    """Return whether a lock, a semaphore or an executor lets one call in at once."""
    fields = instance_dict(limiter) or {}
    places = fields.get("_max_workers", fields.get("_value", 1))
    return type(places) is int and places <= 1


def _fields(value: Any) -> tuple[Any, ...] | None:
    """Return what a container or an object directly holds; None if it cannot be read."""
    if type(value) is dict:
        return (*value.keys(), *value.values())
    if type(value) in _CONTAINERS:
        return tuple(value)
    fields = instance_dict(value)
    return None if fields is None else tuple(fields.values())


def _named_fields(value: Any) -> tuple[tuple[str, Any], ...]:
    fields = value if type(value) is dict else instance_dict(value)
    return tuple((key, inner) for key, inner in list((fields or {}).items())[:_MOST_PARTS] if type(key) is str)
