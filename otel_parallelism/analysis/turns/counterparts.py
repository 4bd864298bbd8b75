"""
Which spans of different instrumentations, side by side, each have just the one counterpart: accounts of one call.

Thousands of calls of one tool may overlap, so counterparts are not looked for pair by pair. Whether a call lies within
another, or others within it, shows at the extremes: of those that begin no later, the two that end last; of those that
begin no earlier, the two that end first. A second one found is one too many, whichever else there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from otel_parallelism.model import Call, Observation

TOLERANCE_NS = 1_000_000
"""How far one account of a call may reach outside of another."""

_SEPARATORS = ("__", ".", "/", ":")
_MOST_OF_ONE_ID = 64
"""Calls of one id that are open at once and compared; an id that more of them carry names none of them."""

_Two: TypeAlias = tuple[int, ...]
"""Positions of at most two calls."""


def sole_pairs(calls: Sequence[Call]) -> list[tuple[Call, Call]]:
    """
    Return the outer and the inner of every two *calls* that are accounts of one.

    Args:
        calls: With one parent, in order of (start, longest first, id).
    """
    shelves = _Shelves(calls)
    counterparts: list[dict[str, _Two]] = [shelves.counterparts(index) for index in range(len(calls))]

    def sole(index: int, other: int) -> bool:
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
        if sole(later, earlier) and sole(earlier, later):
            one, two = calls[earlier], calls[later]
            pairs.append((one, two) if one.duration_ns >= two.duration_ns else (two, one))
    return pairs


def _of_one_id(calls: Sequence[Call]) -> Iterator[tuple[int, int]]:
    """Positions of the later and the earlier of calls that carry one id and overlap, whatever else they say."""
    still_open: dict[str, list[int]] = {}
    for index, call in enumerate(calls):
        if not call.call_id:
            continue
        before = [other for other in still_open.get(call.call_id, ()) if _overlap(calls[other], call)]
        yield from ((index, other) for other in before if calls[other].instrumentation != call.instrumentation)
        still_open[call.call_id] = [*before, index][-_MOST_OF_ONE_ID:]


class _Shelf:
    """Calls of one instrumentation, source and tool, by their start, with the extremes of their ends."""

    __slots__ = ("calls", "earliest", "latest", "positions", "starts_ns")

    def __init__(self, calls: Sequence[Call], positions: Sequence[int]) -> None:
        self.calls = calls
        self.positions = positions
        self.starts_ns: list[int] = [calls[index].start_ns for index in positions]
        self.latest: list[_Two] = list(_extremes(positions, key=lambda index: -calls[index].end_ns))
        self.earliest: list[_Two] = list(_extremes(positions[::-1], key=lambda index: calls[index].end_ns))[::-1]

    def counterparts(self, call: Call, index: int) -> set[int]:
        """Return the positions of calls that may be the same as *call*, at position *index*: all, or at least two."""
        found: set[int] = set()
        around = bisect_right(self.starts_ns, call.start_ns + TOLERANCE_NS) - 1
        inside = bisect_left(self.starts_ns, call.start_ns - TOLERANCE_NS)
        if around >= 0:
            found.update(other for other in self.latest[around] if lies_within(self.calls[other], call))
        if inside < len(self.positions):
            found.update(other for other in self.earliest[inside] if lies_within(call, self.calls[other]))
        if all(_overlap(*_in_order(self.calls, index, other)) for other in found):
            return found
        # An empty call at the very edge is no counterpart, and hides who may be one.
        return {
            other
            for other in self.positions
            if _overlap(*_in_order(self.calls, index, other)) and nested_in_time(self.calls[other], call)
        }


def _extremes(positions: Iterable[int], key: Callable[[int], int]) -> Iterator[_Two]:
    """For each of *positions* the two that come first by *key* among those up to it."""
    best: _Two = ()
    for position in positions:
        best = tuple(sorted((*best, position), key=key)[:2])
        yield best


class _Shelves:
    """All calls, on shelves, and which shelves hold a call's possible counterparts."""

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
            for name in (tool, *_shorter(tool)):
                self._namesakes.setdefault(name, set()).add(tool)
        self._shelves = {key: _Shelf(calls, positions) for key, positions in by_key.items()}

    def counterparts(self, index: int) -> dict[str, _Two]:
        """For each other instrumentation the call's counterparts there; two stand for any number of them."""
        call = self._calls[index]
        if not call.tool:
            return {}
        # Who has an id has no counterpart with another, and finds the one of its own id by that.
        with_ids = (False,) if call.call_id else (False, True)
        tools = self._namesakes.get(call.tool, set()).union(_shorter(call.tool))
        counterparts: dict[str, _Two] = {}
        for instrumentation in self._instrumentations - {call.instrumentation}:
            found: set[int] = set()
            for tool in tools:
                for with_id in with_ids:
                    shelf = self._shelves.get((instrumentation, call.source, tool, with_id))
                    if shelf is not None and len(found) <= 1:
                        found |= shelf.counterparts(call, index)
            if found:
                counterparts[instrumentation] = tuple(sorted(found)[:2])
        return counterparts


def _shorter(tool: str) -> Iterator[str]:
    """The names that *tool* may go by where its server's name is not put in front."""
    for at in range(1, len(tool)):
        if tool[:at].endswith(_SEPARATORS):
            yield tool[at:]


def same_tool(one: str, two: str) -> bool:
    """Whether *one* and *two* name one tool: servers' tools often carry the server's name in front."""
    if not one or not two:
        return False
    if one == two:
        return True
    longer, shorter = (one, two) if len(one) > len(two) else (two, one)
    return longer.endswith(shorter) and longer[: -len(shorter)].endswith(_SEPARATORS)


def nested_in_time(one: Call, two: Call) -> bool:
    """Whether one of two spans of one source lies within the other."""
    return one.source == two.source and (lies_within(one, two) or lies_within(two, one))


def lies_within(outer: Observation, inner: Observation) -> bool:
    """Whether *inner* reaches no more than the tolerance outside of *outer*."""
    return outer.start_ns <= inner.start_ns + TOLERANCE_NS and inner.end_ns <= outer.end_ns + TOLERANCE_NS


def _in_order(calls: Sequence[Call], one: int, two: int) -> tuple[Call, Call]:
    return calls[min(one, two)], calls[max(one, two)]


def _overlap(earlier: Call, later: Call) -> bool:
    return earlier.end_ns + TOLERANCE_NS > later.start_ns
