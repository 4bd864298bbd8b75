"""Finds calls that ran at the same time and share a lock, so that they may have waited for one another inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_parallelism.pace import ordered, paced

from .shared_objects import described_object, is_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, HandedObject

_LEAST_SPREAD = 0.3
_MOST_LOCKS = 64


class SharedLock(NamedTuple):
    """The tools of calls that overlap in time and share a lock, in order of end, and the lock in words."""

    tools: tuple[str, ...]
    lock: str


def shared_locks(calls: Sequence[Call]) -> list[SharedLock]:
    """
    Return the locks that overlapping *calls* share, where their ends lie apart as those of calls that wait.

    The ends of calls that hold a lock only for a moment lie close to one another. They count as apart if from the first
    to the last one it takes at least 30 % of the time of all of them.

    Args:
        calls: The calls of one scope, in order of start.
    """
    holders: dict[int, tuple[HandedObject, list[Call]]] = {}
    for call in paced(calls):
        for one in () if call.arguments is None else call.arguments.handed:
            if is_lock(one) and (one.identity in holders or len(holders) < _MOST_LOCKS):
                members = holders.setdefault(one.identity, (one, []))[1]
                if not members or members[-1] is not call:
                    members.append(call)
    found = []
    for lock, members in holders.values():
        for batch in _overlapping(members):
            if _lie_apart(batch):
                in_order = ordered(batch, key=lambda call: (call.end_ns, call.span_id))
                found.append(SharedLock(tuple(call.tool for call in in_order), described_object(lock)))
    return found


def _overlapping(calls: Sequence[Call]) -> list[list[Call]]:
    """Split *calls*, in order of start, where one starts only after all before have ended."""
    batches: list[list[Call]] = []
    reached_ns = 0
    for call in paced(calls):
        if not batches or call.start_ns >= reached_ns:
            batches.append([])
        batches[-1].append(call)
        reached_ns = max(reached_ns, call.end_ns)
    return batches


def _lie_apart(batch: Sequence[Call]) -> bool:
    ends_ns = [call.end_ns for call in paced(batch)]
    return len(batch) > 1 and max(ends_ns) - min(ends_ns) >= _LEAST_SPREAD * (max(ends_ns) - batch[0].start_ns)
