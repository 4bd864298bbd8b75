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

_MOST_INSTRUMENTATIONS = 32
"""The calls of a tool that more instrumentations recorded have no counterparts."""
_MOST_NAMESAKES = 64
"""If more tools have one name behind the name of a server, that name alone stands for none of them."""

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
    """
    Some calls in order of start, with running extremes of their ends; either all are empty or none is.

    An empty call at the very edge of an interval lies within it and does not overlap it.
    """

    __slots__ = ("calls", "earliest", "empty", "latest", "positions", "starts_ns")

    def __init__(self, calls: Sequence[Call], positions: Sequence[int], *, empty: bool) -> None:
        self.calls = calls
        self.positions = positions
        self.empty = empty
        self.starts_ns: list[int] = [calls[index].start_ns for index in positions]
        if not empty:
            self.latest: list[_Two] = list(_extremes(positions, key=lambda index: -calls[index].end_ns))
            self.earliest: list[_Two] = list(_extremes(positions[::-1], key=lambda index: calls[index].end_ns))[::-1]

    def counterparts(self, call: Call) -> set[int]:
        """Return the positions of possible duplicates of *call*, which is of another group: all, or at least two."""
        calls = self.calls
        if self.empty:
            first = bisect_right(self.starts_ns, call.start_ns - TOLERANCE_NS)
            some = self.positions[first : first + 2]
            return {other for other in some if calls[other].start_ns < call.end_ns + TOLERANCE_NS}
        if _is_empty(call):
            around = bisect_left(self.starts_ns, call.start_ns + TOLERANCE_NS) - 1
            longest = self.latest[around] if around >= 0 else ()
            return {other for other in longest if calls[other].end_ns > call.start_ns - TOLERANCE_NS}
        found: set[int] = set()
        around = bisect_right(self.starts_ns, call.start_ns + TOLERANCE_NS) - 1
        inside = bisect_left(self.starts_ns, call.start_ns - TOLERANCE_NS)
        if around >= 0:
            found.update(other for other in self.latest[around] if lies_within(calls[other], call))
        if inside < len(self.positions):
            found.update(other for other in self.earliest[inside] if lies_within(call, calls[other]))
        return found


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
        positions: dict[tuple[str, str], dict[tuple[str, bool, bool], list[int]]] = {}
        for index, call in enumerate(calls):
            if call.tool:
                kind = (call.instrumentation, bool(call.call_id), _is_empty(call))
                positions.setdefault((call.source, call.tool), {}).setdefault(kind, []).append(index)
        self._groups: dict[tuple[str, str], dict[tuple[str, bool, bool], _CallGroup]] = {
            key: {kind: _CallGroup(calls, some, empty=kind[2]) for kind, some in of_tool.items()}
            for key, of_tool in positions.items()
            if len({instrumentation for instrumentation, _, _ in of_tool}) <= _MOST_INSTRUMENTATIONS
        }
        namesakes: dict[str, set[str]] = {}
        for tool in {tool for _, tool in self._groups}:
            for name in (tool, *_short_names(tool)):
                namesakes.setdefault(name, set()).add(tool)
        self._namesakes = {name: tools for name, tools in namesakes.items() if len(tools) <= _MOST_NAMESAKES}

    def counterparts(self, index: int) -> dict[str, _Two]:
        """Map each other instrumentation to the positions of possible duplicates of a call, at most two."""
        call = self._calls[index]
        if (call.source, call.tool) not in self._groups:
            return {}
        tools = {call.tool, *self._namesakes.get(call.tool, ())}
        tools.update(name for name in _short_names(call.tool) if name in self._namesakes)
        counterparts: dict[str, set[int]] = {}
        for tool in tools:
            for (instrumentation, has_ids, _), group in self._groups.get((call.source, tool), {}).items():
                # Calls with different ids never match; equal ids are matched in `_of_one_id`.
                if instrumentation == call.instrumentation or (has_ids and call.call_id):
                    continue
                found = counterparts.setdefault(instrumentation, set())
                if len(found) <= 1:
                    found |= group.counterparts(call)
        return {name: tuple(sorted(found)[:2]) for name, found in counterparts.items() if found}


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


def _is_empty(call: Call) -> bool:
    return call.end_ns <= call.start_ns


def _overlap(earlier: Call, later: Call) -> bool:
    return earlier.end_ns + TOLERANCE_NS > later.start_ns
