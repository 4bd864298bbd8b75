"""
Lets a long analysis pause, so that it does not hold up the program that it runs beside.

The core knows neither threads nor time. Its long loops iterate over `paced` items. Where an analysis runs in a thread
of its own, that thread sets the pace: it decides what happens between two items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import merge
from typing import Any, TypeVar

T = TypeVar("T")

Pace = Callable[[Iterable[Any]], Iterable[Any]]
"""Returns the same items, with pauses between them where pauses are due."""

_pace: Pace | None = None
_ONE = (None,)
_SORTED_AT_ONCE = 500


def paced(items: Iterable[T]) -> Iterable[T]:
    """Return *items* for a loop that may be long, with pauses between them if there is a pace; see `set_pace`."""
    return items if _pace is None else _pace(items)


def pause() -> None:
    """Pause here if there is a pace and a pause is due."""
    if _pace is not None:
        for _ in _pace(_ONE):
            pass


def ordered(items: Iterable[T], key: Callable[[T], Any] | None = None) -> list[T]:
    """Return *items* in order, as `sorted` does, with pauses if there is a pace: to sort many at once takes long."""
    some: list[Any] = list(items)
    if _pace is None:
        some.sort(key=key)
        return some
    starts = range(0, len(some), _SORTED_AT_ONCE)
    runs = [sorted(some[start : start + _SORTED_AT_ONCE], key=key) for start in paced(starts)]
    return list(paced(merge(*runs, key=key))) if len(runs) > 1 else [item for run in runs for item in run]


def empty(*containers: list[Any] | dict[Any, Any] | set[Any]) -> None:
    """Remove all items of *containers*, with pauses: to free many objects at once takes long."""
    for container in containers:
        if _pace is None:
            container.clear()
            continue
        for _ in paced(range(len(container))):
            if isinstance(container, dict):
                container.popitem()
            else:
                container.pop()


def set_pace(pace: Pace | None) -> None:
    """Let *pace* make the pauses of all loops over `paced` items, in every thread; None ends that."""
    global _pace  # noqa: PLW0603 - read by every long loop, so it must cost nothing
    _pace = pace
