"""
Finds sibling calls of different instrumentations that are duplicates: each is the only possible match of the other.

Thousands of calls of one tool may overlap, so calls are not compared pair by pair. To find out whether a call lies
within another, it is compared with the two calls that end last among those that do not start later. To find out
whether others lie within it, it is compared with the two that end first among those that do not start earlier. Two
matches are enough to know that a match is ambiguous.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from otel_parallelism.model import Call, Observation

TOLERANCE_NS = 1_000_000
"""How far a call may reach outside of its duplicate, in nanoseconds."""

_SEPARATORS = ("__", ".", "/", ":")
_MAX_OPEN_PER_ID = 64
"""How many open calls of one id are compared with the next call of that id."""

_Two: TypeAlias = tuple[int, ...]
"""Positions of at most two calls."""


def unambiguous_matches(calls: Sequence[Call]) -> list[tuple[Call, Call]]:
    """
    Return the outer and the inner call of each pair of duplicates among *calls*.

    Args:
        calls: The calls of one scope in order of (start, longest first, id).
    """
    groups = _CallGroups(calls)
    counterparts: list[dict[str, _Two]] = [groups.counterparts(index) for index in range(len(calls))]

    def only_match(index: int, other: int) -> bool:
        return len(counterparts[index].get(calls[other].instrumentation, ())) <= 1

    found = {
        (max(index, other), min(index, other))
        for index, by_instrumentation in enumerate(counterparts)
        for some in by_instrumentation.values()
        for other in some
    }
    found.update(_of_one_id(calls))
    pairs = []
    for later, earlier in sorted(found):
        if only_match(later, earlier) and only_match(earlier, later):
            pairs.append(_outer_and_inner(calls[earlier], calls[later]))
    return pairs


def _outer_and_inner(one: Call, two: Call) -> tuple[Call, Call]:
    """Return the longer call first."""
    return (one, two) if one.duration_ns >= two.duration_ns else (two, one)


def simultaneous_matches(calls: Sequence[Call]) -> list[tuple[Call, Call]]:
    """
    Return pairs of *calls* of tools whose calls two instrumentations recorded equally often, and at the same times.

    Where calls run together, each has several possible matches. So they are matched in order of start.

    Args:
        calls: The calls of one scope without unambiguous matches, in order of (start, longest first, id).
    """
    by_tool: dict[tuple[str, str], dict[str, list[Call]]] = {}
    for call in calls:
        if call.tool:
            by_tool.setdefault((call.tool, call.source), {}).setdefault(call.instrumentation, []).append(call)
    pairs: list[tuple[Call, Call]] = []
    for recorded in by_tool.values():
        if len(recorded) == 2:  # noqa: PLR2004 - of three instrumentations, no two are known to record the same calls
            ones, others = recorded.values()
            if len(ones) == len(others) and all(map(_is_same_time, ones, others)):
                pairs += map(_outer_and_inner, ones, others)
    return pairs


def _is_same_time(one: Call, two: Call) -> bool:
    """Return whether two calls began and ended at the same time, and do not have different ids."""
    apart_ns = max(abs(one.start_ns - two.start_ns), abs(one.end_ns - two.end_ns))
    return apart_ns <= TOLERANCE_NS and not (one.call_id and two.call_id and one.call_id != two.call_id)


def _of_one_id(calls: Sequence[Call]) -> Iterator[tuple[int, int]]:
    """Yield the positions of the later and the earlier of two overlapping calls with one id; names may differ."""
    still_open: dict[str, list[int]] = {}
    for index, call in enumerate(calls):
        if not call.call_id:
            continue
        before = [other for other in still_open.get(call.call_id, ()) if _overlap(calls[other], call)]
        yield from ((index, other) for other in before if calls[other].instrumentation != call.instrumentation)
        still_open[call.call_id] = [*before, index][-_MAX_OPEN_PER_ID:]


class _CallGroup:
    """The calls of one instrumentation, source and tool, in order of start, with running extremes of their ends."""

    __slots__ = ("calls", "earliest", "latest", "positions", "starts_ns")

    def __init__(self, calls: Sequence[Call], positions: Sequence[int]) -> None:
        self.calls = calls
        self.positions = positions
        self.starts_ns: list[int] = [calls[index].start_ns for index in positions]
        self.latest: list[_Two] = list(_extremes(positions, key=lambda index: -calls[index].end_ns))
        self.earliest: list[_Two] = list(_extremes(positions[::-1], key=lambda index: calls[index].end_ns))[::-1]

    def counterparts(self, call: Call, index: int) -> set[int]:
        """Return the positions of the possible duplicates of *call*, at position *index*: all, or at least two."""
        found: set[int] = set()
        around = bisect_right(self.starts_ns, call.start_ns + TOLERANCE_NS) - 1
        inside = bisect_left(self.starts_ns, call.start_ns - TOLERANCE_NS)
        if around >= 0:
            found.update(other for other in self.latest[around] if lies_within(self.calls[other], call))
        if inside < len(self.positions):
            found.update(other for other in self.earliest[inside] if lies_within(call, self.calls[other]))
        if all(_overlap(*_in_order(self.calls, index, other)) for other in found):
            return found
        # An empty call at the edge of the interval does not overlap, but may hide one that does: compare all.
        return {
            other
            for other in self.positions
            if _overlap(*_in_order(self.calls, index, other)) and nested_in_time(self.calls[other], call)
        }


def _extremes(positions: Iterable[int], key: Callable[[int], int]) -> Iterator[_Two]:
    """Yield for each of *positions* the two with the smallest *key* among the positions up to it."""
    best: _Two = ()
    for position in positions:
        best = tuple(sorted((*best, position), key=key)[:2])
        yield best


class _CallGroups:
    """All calls, grouped, so that the possible duplicates of a call are found in a few groups."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        by_key: dict[tuple[str, str, str, bool], list[int]] = {}
        self._instrumentations: set[str] = set()
        self._namesakes: dict[str, set[str]] = {}
        for index, call in enumerate(calls):
            if call.tool:
                by_key.setdefault((call.instrumentation, call.source, call.tool, bool(call.call_id)), []).append(index)
                self._instrumentations.add(call.instrumentation)
        for tool in {key[2] for key in by_key}:
            for name in (tool, *_short_names(tool)):
                self._namesakes.setdefault(name, set()).add(tool)
        self._groups = {key: _CallGroup(calls, positions) for key, positions in by_key.items()}

    def counterparts(self, index: int) -> dict[str, _Two]:
        """Map each other instrumentation to the positions of possible duplicates of a call, at most two."""
        call = self._calls[index]
        if not call.tool:
            return {}
        # Calls with different ids never match; equal ids are matched in `_of_one_id`.
        with_ids = (False,) if call.call_id else (False, True)
        tools = self._namesakes.get(call.tool, set()).union(_short_names(call.tool))
        counterparts: dict[str, _Two] = {}
        for instrumentation in self._instrumentations - {call.instrumentation}:
            found: set[int] = set()
            for tool in tools:
                for with_id in with_ids:
                    group = self._groups.get((instrumentation, call.source, tool, with_id))
                    if group is not None and len(found) <= 1:
                        found |= group.counterparts(call, index)
            if found:
                counterparts[instrumentation] = tuple(sorted(found)[:2])
        return counterparts


def _short_names(tool: str) -> Iterator[str]:
    """Yield the names of *tool* without a server's name in front."""
    for at in range(1, len(tool)):
        if tool[:at].endswith(_SEPARATORS):
            yield tool[at:]


def same_tool(one: str, two: str) -> bool:
    """Return whether *one* and *two* name one tool; either may have the name of its server in front."""
    if not one or not two:
        return False
    if one == two:
        return True
    longer, shorter = (one, two) if len(one) > len(two) else (two, one)
    return longer.endswith(shorter) and longer[: -len(shorter)].endswith(_SEPARATORS)


def nested_in_time(one: Call, two: Call) -> bool:
    """Return whether two calls have the same source and one lies within the other in time."""
    return one.source == two.source and (lies_within(one, two) or lies_within(two, one))


def lies_within(outer: Observation, inner: Observation) -> bool:
    """Return whether *inner* reaches at most `TOLERANCE_NS` outside of *outer*."""
    return outer.start_ns <= inner.start_ns + TOLERANCE_NS and inner.end_ns <= outer.end_ns + TOLERANCE_NS


def _in_order(calls: Sequence[Call], one: int, two: int) -> tuple[Call, Call]:
    return calls[min(one, two)], calls[max(one, two)]


def _overlap(earlier: Call, later: Call) -> bool:
    return earlier.end_ns + TOLERANCE_NS > later.start_ns
