"""
Finds pairs of calls that were handed one object, and judges from its type whether they may use it at once.

The object of a method counts as handed over, and so does what a framework passes along. An object that holds one of an
unsafe type is unsafe, too. An object of a type that no table names is harmless if it holds only immutable values and
safe objects, and holds the same in all calls. One that a call was seen to change is unsafe, unless both calls are
declared to read: that the model asked for both at once does not show that neither needs what the other leaves there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.pace import paced
from otel_parallelism.shown_names import pair_names

from .object_types import is_limiter, type_name, type_safety

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_parallelism.model import Call, HandedObject

_MOST_OBJECTS = 64


class SharedObjects:
    """
    The objects that calls of one scope share.

    Attributes:
        unsafe: For each call the bits of earlier calls that share an object with it that must not be used at once, a
            lock for which one of them may wait, or an object that a call was seen to change.
        doubtful: Likewise, where whether the object may be used at once is not known.
    """

    def __init__(self, calls: Sequence[Call], declared_reads: Callable[[], int]) -> None:
        """
        Find the objects that *calls* share.

        Args:
            calls: The calls of one scope, in order of start.
            declared_reads: Returns the bits of the calls that are declared to read.
        """
        self._calls = calls
        self._handed: list[tuple[HandedObject, ...]] = [_handed(call) for call in paced(calls)]
        states: dict[int, set[tuple[object, ...] | None]] = {}
        self._seen_to_change: set[int] = set()
        for objects in paced(self._handed):
            for one in objects:
                states.setdefault(one.identity, set()).add(one.state)
                if one.changed or len(states[one.identity] - {None}) > 1:
                    self._seen_to_change.add(one.identity)
        self._changed: set[int] = {identity for identity, seen in states.items() if len(seen) > 1 or None in seen}
        reads = declared_reads() if self._seen_to_change else 0
        self.unsafe: list[int] = []
        self.doubtful: list[int] = []
        holders: dict[int, int] = {}
        for index, objects in paced(enumerate(self._handed)):
            unsafe = doubtful = 0
            for one in objects:
                earlier = holders.get(one.identity, 0)
                holders[one.identity] = earlier | 1 << index
                if earlier and self._is_unsafe(one):
                    unsafe |= earlier
                elif earlier and self._is_doubtful(one):
                    doubtful |= earlier
                    if one.identity in self._seen_to_change:
                        unsafe |= earlier & ~(reads if reads >> index & 1 else 0)
            self.unsafe.append(unsafe)
            self.doubtful.append(doubtful)

    def sentence(self, earlier: int, later: int) -> str:
        """Return a sentence that names the object that two calls share, and its type."""
        a, b = pair_names(self._calls[earlier].tool, self._calls[later].tool)
        one = self._shared(earlier, later)
        if one is None:
            return f"{a} and {b} were handed one object, which either may change"
        kind = described_object(one)
        if is_lock(one):
            return f"{a} and {b} use {kind}, so one may wait for the other even if both are called at once"
        if self._is_unsafe(one):
            return f"{a} and {b} share {kind}, which two calls must not use at once"
        return f"{a} and {b} were handed one object, {kind}, which either may change"

    def is_for_one(self, earlier: int, later: int) -> bool:
        """Return whether two calls share an object that only one call at once may use."""
        return bool((self.unsafe[later] & ~self.doubtful[later]) >> earlier & 1)

    def unsafe_object(self, earlier: int, later: int) -> str:
        """Return the name of the type of the unsafe object that two calls share; empty if they share none."""
        if not self.unsafe[later] >> earlier & 1:
            return ""
        one = self._shared(earlier, later)
        unsafe = None if one is None or is_lock(one) else _unsafe_type(one)
        return "" if unsafe is None else type_name(unsafe)

    def _shared(self, earlier: int, later: int) -> HandedObject | None:
        """Return the object that matters most among those that two calls share."""
        before = {one.identity for one in self._handed[earlier]}
        shared = [one for one in self._handed[later] if one.identity in before]
        unsafe = [one for one in shared if self._is_unsafe(one)]
        doubtful = [one for one in shared if self._is_doubtful(one)]
        return next(iter(unsafe or doubtful), None)

    @staticmethod
    def _is_unsafe(one: HandedObject) -> bool:
        return is_lock(one) or _unsafe_type(one) is not None

    def _is_doubtful(self, one: HandedObject) -> bool:
        """Return whether neither the type of an object nor its unchanged state shows that calls may use it at once."""
        if one.kind is not None and type_safety(one.kind) == "safe":
            return False
        changed = one.identity in self._changed or one.identity in self._seen_to_change
        return changed or any(type_safety(part) != "safe" for part in one.parts)


def is_lock(one: HandedObject) -> bool:
    """Return whether *one* is a lock, or a semaphore or an executor that let one call in as the call started."""
    return one.kind is not None and is_limiter(one.kind)


def _unsafe_type(one: HandedObject) -> type | None:
    """Return the type that two calls must not use at once: that of an object, or of what it holds."""
    safety = "unknown" if one.kind is None else type_safety(one.kind)
    if safety == "unknown":
        return next((part for part in one.parts if type_safety(part) == "unsafe"), None)
    return one.kind if safety == "unsafe" else None


def _handed(call: Call) -> tuple[HandedObject, ...]:
    return () if call.arguments is None else call.arguments.handed[:_MOST_OBJECTS]


def described_object(one: HandedObject) -> str:
    """Return the name of *one* and its type in words."""
    if one.kind is None:
        return one.name or "an argument"
    article = "an" if type_name(one.kind)[:1].lower() in "aeiou" else "a"
    kind = f"{article} {type_name(one.kind)}"
    unsafe = _unsafe_type(one)
    if unsafe is not None and unsafe is not one.kind:
        kind += f" with a {type_name(unsafe)}"
    return f"{one.name} ({kind})" if one.name else kind
