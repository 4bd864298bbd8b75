"""
Notes which mutable objects a call was handed: arguments, the object of a method, dependencies, closures and globals.

An object is noted by its id, its type and what it directly holds, without running code of the program.
"""

from __future__ import annotations

from types import CodeType, FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from otel_parallelism.analysis.dependencies.contents.leaves import bases_of, instance_dict, namespace_of
from otel_parallelism.analysis.dependencies.objects.object_types import is_frozen, is_limiter, module_of, type_safety
from otel_parallelism.model import HandedObject
from otel_parallelism.tracing.bytecode.accesses import accesses, functions_run, held, holder_of
from otel_parallelism.tracing.bytecode.changes import changed_names, changes_of, is_changed_by_functions
from otel_parallelism.tracing.bytecode.layers import is_class_of_program, objects_inside, plain_functions

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from .nodes import CallNode

Handed: TypeAlias = tuple[str | int, int, type | None, tuple[object, ...] | None, tuple[type, ...], bool]
"""The fields of a `HandedObject`; a position among the positional arguments may stand for the name."""

Place: TypeAlias = tuple[str, Any, str, bool]
"""
The name of an object, the cell or the dict that holds it, its key there, and whether the code sets something in it.

The key is empty where the function assigns the variable.
"""

_PLAIN = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({list, dict, set, tuple, frozenset})
_OUTSIDE: WeakKeyDictionary[FunctionType, tuple[tuple[str, int, str, bool], ...]] = WeakKeyDictionary()
"""What `outside_objects` found for the tools of frameworks, with the positions of cells and globals."""

_OF_LIBRARIES: WeakKeyDictionary[type, frozenset[str]] = WeakKeyDictionary()
"""The fields that the classes of libraries above a class of the program give to its objects."""

_MOST_PARTS = 16
_MOST_ITEMS = 512
_MOST_OUTSIDE = 8
_MOST_FIELDS = 64


def is_library_object(kind: type) -> bool:
    """
    Return whether objects of the type *kind* are no values: clients, connections, pages.

    What such an object holds is not part of the arguments.
    """
    safety = type_safety(kind)
    return safety != "unknown" and module_of(kind) not in {"builtins", "functools"} and not is_frozen(kind)


def handed_object(name: str | int, value: Any, items: Sequence[Any] | None, *, changed: bool = False) -> Handed:
    """Return the note of *value*; *items* is what it directly holds, None if that is not known."""
    if items is None or len(items) > _MOST_ITEMS:
        return (name, id(value), type(value), None, (), changed)
    state = tuple([item if type(item) in _PLAIN else id(item) for item in items])
    if len(items) > _MOST_PARTS:
        # A table that tools look things up in: its fingerprint is enough.
        return (name, id(value), type(value), (len(items), hash(state)), tuple(set(map(type, items))), changed)
    return (name, id(value), type(value), state, tuple(map(type, items)), changed)


def hold_receiver(node: CallNode, receiver: Any) -> None:
    """Note on *node* the object whose method is called; a class or a safe object only by its id."""
    node.receiver = id(receiver)
    kind = type(receiver)
    if type_safety(kind) != "safe" or is_frozen(kind):
        node.handed = (handed_object("self", receiver, _fields(receiver)),)


def _hold_tool_object(node: CallNode, tool: Any) -> None:
    """
    Note on *node* the object whose method a framework calls, and the objects directly inside it.

    Fields that a library's class gives to it, such as the name and the schema of a tool, are left out, and what the
    framework keeps in it.
    """
    node.receiver = id(tool)
    kind = type(tool)
    if issubclass(kind, type) or (type_safety(kind) == "safe" and not is_frozen(kind)):
        return
    skipped = _fields_of_libraries(kind)
    fields = [
        (key, value)
        for key, value in _named_fields(tool, most=_MOST_FIELDS)
        if key not in skipped and module_of(type(value)).partition(".")[0] != node.tool.framework
    ]
    # What a class of a library keeps in its objects is its own affair. Slots cannot be read.
    if is_class_of_program(kind) and (fields or instance_dict(tool) is None):
        node.handed += (handed_object("self", tool, [value for _, value in fields] or None),)
    for key, value in fields:
        node.handed += _judged(f"self.{key}", value)


def _fields_of_libraries(kind: type) -> frozenset[str]:
    known = _OF_LIBRARIES.get(kind)
    if known is None:
        found: set[str] = set()
        for base in bases_of(kind):
            if base is not object and not is_class_of_program(base):
                members = namespace_of(base)
                code = getattr(members.get("__init__"), "__code__", None)
                found.update(members.get("__annotations__", ()), members.get("__pydantic_fields__", ()))
                found.update(code.co_names if isinstance(code, CodeType) else ())
        _OF_LIBRARIES[kind] = known = frozenset(found)
    return known


def hold_dependencies(
    node: CallNode,
    function: Any,
    shared: Iterable[tuple[str, Any]],
    injected: Iterable[tuple[str, Any]],
    given: Container[str] | None = None,
) -> None:
    """
    Note on *node*, a framework's call, what its tool uses outside, and whether its code visibly changes something.

    Args:
        node: The call.
        function: The function of the tool, which may be a method, partial or decorated; None if not known.
        shared: Objects of the program that the framework passes along, by name.
        injected: Objects of the framework, by name; only unsafe objects directly inside them count.
        given: The names of the model's arguments; None if not known. Other parameters come from the framework.
    """
    for name, value in objects_inside(function):
        if name == "self":
            _hold_tool_object(node, value)
        else:
            node.handed += dependencies(name, value)
    for name, value in shared:
        node.handed += dependencies(name, value)
    for name, value in injected:
        node.handed += tuple(
            handed_object(f"{name}.{field}", inner, None)
            for field, inner in _named_fields(value)
            if type_safety(type(inner)) == "unsafe"
        )
    inside = plain_functions(function)
    if inside:
        hold_outside(node, _outside_of(inside))
        changes, parameters = changes_of(function)
        node.changes = changes or any(given is None or parameter not in given for parameter in parameters)


def _outside_of(functions: Sequence[FunctionType]) -> Iterable[Place]:
    """Return what `outside_objects` returned for *functions*, which wrap one another, when first called."""
    holders = [holder for one in functions for holder in (*(one.__closure__ or ()), one.__globals__)]
    known = _OUTSIDE.get(functions[0])
    if known is not None:
        return [(name, holders[at], key, changed) for name, at, key, changed in known]
    places = outside_objects(functions[0])
    positions = {id(holder): at for at, holder in enumerate(holders)}
    # A cell, or a class, often leads to an object that holds the function, which would then never be freed.
    if all(id(holder) in positions for _, holder, *_ in places):
        _OUTSIDE[functions[0]] = tuple(
            (name, positions[id(holder)], key, changed) for name, holder, key, changed in places
        )
    return places


def dependencies(name: str, value: Any) -> tuple[Handed, ...]:
    """Return the notes of an object that a framework passes to tools, and of the objects directly inside it."""
    found = list(_judged(name, value))
    fields = _named_fields(value) if found and type_safety(type(value)) == "unknown" else ()
    for field, inner in fields:
        found += _judged(f"{name}.{field}", inner)
    return tuple(found[:_MOST_PARTS])


def outside_objects(function: Any) -> tuple[Place, ...]:
    """Return where a function's closure and globals hold objects that are not known to be safe."""
    found: dict[str, Place] = {}
    own = plain_functions(function)
    for one in functions_run(function):
        changed = changed_names(one)
        for operation, name in accesses(one):
            holder = holder_of(one, operation, name)
            if len(found) >= _MOST_OUTSIDE or holder is None:
                continue
            if operation.startswith(("STORE_GLOBAL", "DELETE_GLOBAL")) or operation in {"STORE_DEREF", "DELETE_DEREF"}:
                found[name] = (name, holder, "", True)
            elif name not in found:
                value = held(holder, name)
                looked_up = one not in own and type(value) in _CONTAINERS and type(holder) is dict
                if looked_up and not is_changed_by_functions(name, one.__globals__):
                    # Tools look up much through other functions, in containers that no call changes.
                    continue
                if _is_noted(value):
                    found[name] = (name, holder, name, name in changed)
                elif type(value) is type and (value.__module__ == one.__module__ or is_class_of_program(value)):
                    found |= _containers_of(name, value, changed)
    return tuple(found.values())


def _containers_of(name: str, kind: type, changed: Container[str]) -> dict[str, Place]:
    """Return where the class *kind* of the program holds containers, which all that use it share."""
    fields = vars(kind)
    return {
        f"{name}.{field}": (f"{name}.{field}", fields, field, f"{name}.{field}" in changed)
        for field, value in list(fields.items())[:_MOST_PARTS]
        if type(value) in {list, dict, set} and not field.startswith("__")
    }


def hold_outside(node: CallNode, places: Iterable[Place]) -> None:
    """Add to *node* the notes of what the closure and the globals of its function hold now."""
    noted: list[Handed] = []
    for name, holder, key, changed in places:
        if not key:
            noted.append((name, hash((id(holder), name)), None, None, (), True))
            continue
        noted += _judged(name, held(holder, key), changed=changed)
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


def _judged(name: str, value: Any, *, changed: bool = False) -> tuple[Handed, ...]:
    return (handed_object(name, value, _fields(value), changed=changed),) if _is_noted(value) else ()


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


def _named_fields(value: Any, most: int = _MOST_PARTS) -> tuple[tuple[str, Any], ...]:
    fields = value if type(value) is dict else instance_dict(value)
    private = {} if type(value) is dict else _private_fields(value)
    found = list({**(fields or {}), **private}.items())
    return tuple((key, inner) for key, inner in found[:most] if type(key) is str)


def _private_fields(value: Any) -> dict[Any, Any]:
    """Return the private fields of a model of pydantic, which are not among its others."""
    for base in bases_of(type(value)):
        slot = namespace_of(base).get("__pydantic_private__")
        if type(slot) is MemberDescriptorType:
            found = slot.__get__(value)
            return found if type(found) is dict else {}
    return {}
