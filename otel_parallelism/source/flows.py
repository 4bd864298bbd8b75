"""The state of the walk through a function: what comes from the earlier call, and what it may have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Scope: TypeAlias = Literal["block", "iteration", "loop", "function"]

ELEMENT = ".[]"
"""What follows the path of a container in the path of its elements."""
_DEEPEST = 5
_MOST_OBJECTS = 100
_NO_PART = frozenset({"conditions", "known_holders"})


class TooLongError(Exception):
    """The function has too many nested loops, or too many objects, to be followed."""


class Tracked(msgspec.Struct, frozen=True):
    """
    What is known of the value of an expression.

    Attributes:
        flow: What in it comes from the earlier call, in words; empty if nothing does.
        doubt: Why it may come from the earlier call, or may depend on when it is computed; empty if it does not.
        objects: The paths of the mutable objects that it may be.
        derived: The paths of objects passed to the earlier call, from which it was read afterwards.
        late: The variables that it reads when it is called: it is a function defined here.
    """

    flow: str = ""
    doubt: str = ""
    objects: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()

    def plain(self) -> Tracked:
        """Return the value without its objects: text or a number made of it."""
        return msgspec.structs.replace(self, objects=frozenset(), late=frozenset())


NOTHING = Tracked()


def any_of(values: Iterable[Tracked]) -> Tracked:
    """Return a value that may be, or may be made of, any of *values*."""
    values = [value for value in values if value is not NOTHING]
    if len(values) == 1:
        return values[0]
    return Tracked(
        next((value.flow for value in values if value.flow), ""),
        next((value.doubt for value in values if value.doubt), ""),
        frozenset().union(*(value.objects for value in values)),
        frozenset().union(*(value.derived for value in values)),
        frozenset().union(*(value.late for value in values)),
    )


class Condition(msgspec.Struct, frozen=True):
    """
    A condition that decides whether the code from here on runs.

    It holds until the end of the block, of the iteration, of the loop or of the function. ``sure`` is false if it only
    may depend on the earlier call.
    """

    scope: Scope
    sure: bool
    reason: str


class State:
    """
    What is known at one place of a function.

    Attributes:
        after: Whether the earlier call has been made.
        failed: Whether this place is reached only if the earlier call failed.
        looped: Whether a later iteration of a loop has begun since the earlier call.
        paused: Whether the function has slept since.
        waited: Whether it has awaited such a sleep, in which other calls may run.
        end: Why nothing can be said of what follows; empty if something can.
        seen: What was changed since that the later call reads by itself, in words; empty if nothing is known to be.
        names: The values of local variables.
        changed: Paths of objects into which something of the earlier call was or may have been stored: whether it is
            sure, and what.
        contains: Paths of the objects that were put into an object.
        known_holders: How many these objects are, and their paths by their first names.
        passed: Paths of the objects that the earlier call was given.
        conditions: The conditions that decide whether this place is reached.
    """

    def __init__(self) -> None:
        self.after = False
        self.failed = False
        self.looped = False
        self.paused = False
        self.waited = False
        self.end = ""
        self.seen = ""
        self.names: dict[str, Tracked] = {}
        self.changed: dict[str, tuple[bool, str]] = {}
        self.contains: dict[str, frozenset[str]] = {}
        self.known_holders: tuple[int, dict[str, list[str]]] = 0, {}
        self.passed: frozenset[str] = frozenset()
        self.conditions: tuple[Condition, ...] = ()

    def copy(self) -> State:
        """Return a copy that changes by itself."""
        other = State()
        other.__dict__.update(self.__dict__)
        other.names, other.changed, other.contains = dict(self.names), dict(self.changed), dict(self.contains)
        return other

    def key(self) -> object:
        """Return a value that is equal for equal states."""
        return {name: value for name, value in self.__dict__.items() if name not in _NO_PART}, {*self.conditions}

    def reach(self, objects: Iterable[str]) -> set[str]:
        """Return *objects* and all that were put into them."""
        found: set[str] = set()
        rest = set(objects)
        while rest:
            found |= rest
            if len(found) > _MOST_OBJECTS:
                raise TooLongError
            rest = self.held_by(rest) - found
        return found

    def held_by(self, objects: Iterable[str]) -> set[str]:
        """Return what was put into *objects*, into parts of them, or into what they are parts of."""
        found: set[str] = set()
        if len(self.contains) != self.known_holders[0]:
            self.known_holders = len(self.contains), _by_root(self.contains)
        holders = self.known_holders[1]
        for path in objects:
            for holder in holders.get(_root(path), ()):
                if overlaps(holder, path):
                    found |= self.contains[holder]
        return found

    def looked_at(self, value: Tracked) -> Tracked:
        """Return *value* with what its objects hold by now of the earlier call."""
        if not (value.objects or value.late) or not (self.changed or value.late):
            return value
        flow, doubt = value.flow, value.doubt
        for name in value.late:
            captured = self.names.get(name, NOTHING)
            if captured.late or captured.flow or captured.doubt or captured.objects:
                inner = self.looked_at(msgspec.structs.replace(captured, late=captured.late - value.late))
                flow, doubt = flow or inner.flow, doubt or inner.doubt
        by_root = _by_root(self.changed)
        for path in sorted(self.reach(value.objects)):
            for changed in by_root.get(_root(path), ()):
                sure, what = self.changed[changed]
                if overlaps(path, changed):
                    # An attribute of an object that is passed as a whole may never be read.
                    seen = not changed.startswith(path + ".") or changed.startswith(path + ELEMENT)
                    flow, doubt = (flow or what, doubt) if sure and seen else (flow, doubt or what)
        return msgspec.structs.replace(value, flow=flow, doubt=doubt)

    def store(self, paths: Iterable[str], value: Tracked) -> None:
        """Note that *value* is stored in the objects at *paths*."""
        value = self.looked_at(value)
        if self.after:
            value = any_of([value, self.condition()])
        for path in paths:
            if value.objects:
                self.contains[path] = self.contains.get(path, frozenset()) | value.objects
            if value.flow:
                self.changed[path] = (True, value.flow)
            elif value.doubt:
                self.changed.setdefault(path, (False, value.doubt))
            elif any(overlaps(path, passed) for passed in self.passed):
                self.changed.setdefault(path, (False, f"{shown(path)}, which is changed in between"))

    def under(self, scope: Scope, value: Tracked) -> None:
        """Note that what follows runs only if the condition *value* allows it."""
        value = self.looked_at(value)
        if not self.after:
            return
        if value.flow or value.doubt:
            self.require(Condition(scope, bool(value.flow), value.flow or value.doubt))
        elif value.derived:
            why = f"{', '.join(map(shown, sorted(value.derived)))}, which the call before was given"
            self.require(Condition(scope, sure=False, reason=why))

    def require(self, condition: Condition) -> None:
        """Note that what follows runs only under *condition*."""
        if condition not in self.conditions:
            self.conditions = (*self.conditions, condition)

    def condition(self) -> Tracked:
        """Return the conditions of this place as a value: what is assigned here depends on them."""
        sure = next((condition.reason for condition in self.conditions if condition.sure), "")
        unsure = next((condition.reason for condition in self.conditions if not condition.sure), "")
        return Tracked(sure, unsure) if sure or unsure else NOTHING

    def leave(self, before: tuple[Condition, ...], *scopes: Scope) -> None:
        """Drop the conditions of these *scopes* that did not hold *before*, where the scope began."""
        self.conditions = tuple(c for c in self.conditions if c in before or c.scope not in scopes)


def joined(states: Iterable[State | None]) -> State | None:
    """Return what holds in any of *states*; None is a place that is not reached."""
    reached = [state for state in states if state is not None]
    if len(reached) < 2:  # noqa: PLR2004 - nothing to join
        return reached[0] if reached else None
    result = reached[0].copy()
    earlier = [state for state in reached if state.after]
    result.after = bool(earlier)
    result.failed = bool(earlier) and all(state.failed for state in earlier)
    result.looped = any(state.looped for state in earlier)
    result.paused = any(state.paused for state in earlier)
    result.waited = any(state.waited for state in earlier)
    result.end = next((state.end for state in reached if state.end), "")
    result.seen = next((state.seen for state in reached if state.seen), "")
    result.passed = frozenset().union(*(state.passed for state in reached))
    for state in reached[1:]:
        for name, value in state.names.items():
            known = result.names.get(name, NOTHING)
            result.names[name] = value if value is known else any_of([known, value])
        for path, change in state.changed.items():
            if path not in result.changed or change[0]:
                result.changed[path] = change
        for path, held in state.contains.items():
            result.contains[path] = result.contains.get(path, frozenset()) | held
        result.conditions += tuple(condition for condition in state.conditions if condition not in result.conditions)
    return result


def overlaps(one: str, other: str) -> bool:
    """
    Return whether one of two paths lies within the other.

    >>> overlaps("self", "self.client"), overlaps("self.client", "self.cache"), overlaps("self", "selfish")
    (True, False, False)
    """
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def wholes(path: str) -> list[str]:
    """
    Return the paths of what the object at *path* is a part of.

    >>> wholes("self.client.name")
    ['self', 'self.client']
    """
    return [path[:at] for at, character in enumerate(path) if character == "."]


def overlapping(paths: frozenset[str], others: frozenset[str]) -> set[str]:
    """
    Return those of *paths* that lie within one of *others*, or within which one of them lies.

    >>> sorted(overlapping(frozenset({"a", "b.c", "d"}), frozenset({"a.x", "b", "e"})))
    ['a', 'b.c']
    """
    around = {whole for path in others if "." in path for whole in wholes(path)} if paths else frozenset[str]()
    return {path for path in paths if path in others or path in around or not others.isdisjoint(wholes(path))}


def _root(path: str) -> str:
    return path.partition(".")[0]


def _by_root(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return *paths* by their first names: no others overlap."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(_root(path), []).append(path)
    return found


def shown(path: str) -> str:
    """
    Return *path* as it is written in the program.

    >>> shown("self.pages.[]")
    'self.pages'
    """
    if path.startswith("<"):
        return "an object that is made in the function"
    return path.partition(ELEMENT)[0]


def extended(path: str, step: str) -> str:
    """
    Return the path of a part of the object at *path*; a long path stays as it is, and stands for all parts.

    >>> extended("self", ".client"), extended("a.b.c.d.e.f", ".g")
    ('self.client', 'a.b.c.d.e.f')
    """
    return path if path.count(".") >= _DEEPEST else path + step
