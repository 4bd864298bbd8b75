"""Limits on the number of concurrent calls, such as a semaphore or a connection pool, inferred from start times."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Interval
from otel_parallelism.pace import empty, ordered, paced, pause

from .intervals import concurrency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.model import Call

_FOLLOWS_NS = 5_000_000
_FOLLOWS_SHARE = 0.05
_LEAST_LIMIT = 2
_MOST_PLACES = 200


class Limit(msgspec.Struct, frozen=True):
    """The highest number of concurrent calls (``most``), and the positions of the calls that the limit delayed."""

    most: int
    members: tuple[int, ...]


def limit_of_scope(calls: Sequence[Call]) -> Limit | None:
    """
    Return the limit under which *calls*, the calls of one scope, ran; None if there is no sign of one.

    The model spaces rounds out, so each round is examined alone. If several rounds show a limit, the result has the
    largest of them and the members of all.
    """
    by_round: dict[int | None, list[int]] = {}
    for index, call in paced(enumerate(calls)):
        by_round.setdefault(call.round, []).append(index)
    seen = [found for members in by_round.values() if (found := limit(calls, members)) is not None]
    if not seen:
        return None
    members = ordered(index for found in paced(seen) for index in paced(found.members))
    return Limit(max(found.most for found in seen), tuple(members))


def limit(calls: Sequence[Call], members: Sequence[int]) -> Limit | None:
    """
    Return the limit of P ≥ 2 concurrent calls under which the calls at *members* ran; None if there is no sign of one.

    There is a limit P if the overlap reaches P and never exceeds it, there are more than P calls, and most of the
    starts after the first P each follow an end of their own, within 5 ms or 5 % of the median duration. An end counts
    only if P calls ran until then or until shortly before, because only then could another call be waiting. A call that
    code makes at a place where it made none before follows in the order of the code, not because of a limit.
    """
    some = [index for index in paced(members) if calls[index].end_ns > calls[index].start_ns]
    levels = concurrency([calls[index] for index in paced(some)])
    most = max((level for _, level in paced(levels)), default=0)
    if most < _LEAST_LIMIT or len(some) <= most:
        return None
    near_ns = max(_FOLLOWS_NS, int(_FOLLOWS_SHARE * median_of(calls[index].duration_ns for index in paced(some))))
    full = [
        Interval(at_ns, after_ns)
        for (at_ns, level), (after_ns, _) in paced(itertools.pairwise(levels))
        if level == most
    ]
    del levels
    pause()
    ends_ns = [
        end_ns
        for end_ns in paced(ordered(calls[index].end_ns for index in some))
        if _recently_in(full, end_ns, near_ns)
    ]
    following: list[int] = []
    position = 0
    for index in paced(some[most:]):
        start_ns = calls[index].start_ns
        while position < len(ends_ns) and ends_ns[position] < start_ns - near_ns:
            position += 1
        if position < len(ends_ns) and ends_ns[position] <= start_ns:
            following.append(index)
            position += 1
    empty(full, ends_ns)
    least = (len(some) - most) // 2
    if len(following) > least and len(following) - _at_new_places(calls, some, following) > least:
        return Limit(most, tuple(some))
    return None


def _at_new_places(calls: Sequence[Call], some: Sequence[int], following: Sequence[int]) -> int:
    """Return how many of the first calls at *following* were made at a place where none of *some* was made before."""
    waiting = set(following[:_MOST_PLACES])
    seen: set[tuple[str, int]] = set()
    new = 0
    for index in paced(some):
        place = _place(calls[index])
        new += index in waiting and place is not None and place not in seen
        if place is not None:
            seen.add(place)
        waiting.discard(index)
        if not waiting:
            break
    return new


def _place(call: Call) -> tuple[str, int] | None:
    """Return the file and the line where *call* was made; None if that is not known."""
    frame = call.caller if call.stack is None else next(iter(call.stack.frames()), None)
    return None if frame is None else (frame.file_path, frame.line_number)


def median_of(values: Iterable[float]) -> float:
    """Return what ``statistics.median`` does, a module that would lengthen every import of this package."""
    some = ordered(values)
    middle = len(some) // 2
    return some[middle] if len(some) % 2 else (some[middle - 1] + some[middle]) / 2


def _recently_in(intervals: Sequence[Interval], at_ns: int, near_ns: int) -> bool:
    """Return whether one of the sorted *intervals* contains the time before *at_ns*, or ended at most *near_ns* ago."""
    last = bisect_left(intervals, at_ns, key=lambda interval: interval.start_ns) - 1
    return last >= 0 and intervals[last].end_ns >= at_ns - near_ns
