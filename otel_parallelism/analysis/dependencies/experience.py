"""Remembers which tools overlapped in earlier turns without an error, as evidence for findings."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

from otel_parallelism.pace import paced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.model import Call, Turn

_MAX_PAIRS = 10_000
_MOST_TOOLS = 141
"""No more tools have all their pairs among so many."""


class Experience:
    """
    Counts for each pair of tools the turns in which they overlapped and neither call failed.

    At most 10 000 pairs are remembered. Experience never makes a pair safe: two writes remain two writes.
    """

    def __init__(self) -> None:
        self._turns: dict[tuple[str, str], int] = {}

    def learn(self, turn: Turn) -> None:
        """Count the pairs of tools that overlapped in one scope of *turn* without an error."""
        self.learn_pairs(overlapping_pairs(turn))

    def learn_pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Count *pairs* of tools that overlapped in one turn, each given once and in alphabetical order."""
        for pair in sorted(pairs):
            if pair in self._turns or len(self._turns) < _MAX_PAIRS:
                self._turns[pair] = self._turns.get(pair, 0) + 1

    def turns(self, tools: Sequence[str]) -> int:
        """Return the smallest number of turns in which any two of *tools* overlapped; 0 if some pair never did."""
        return min((self._turns.get(pair, 0) for pair in pairs_of(tools)), default=0)


def pairs_of(tools: Sequence[str]) -> list[tuple[str, str]]:
    """
    Return the pairs of *tools*, each once and in alphabetical order; a tool that occurs twice is a pair too.

    Of more tools than any turns were remembered to overlap in, none are returned.
    """
    times = Counter(tools)
    if len(times) > _MOST_TOOLS:
        return []
    distinct = sorted(times)
    return [*combinations(distinct, 2), *((tool, tool) for tool in distinct if times[tool] > 1)]


def overlapping_pairs(turn: Turn) -> frozenset[tuple[str, str]]:
    """
    Return the pairs of tools, in alphabetical order, that overlapped in one scope of *turn* without an error.

    They are at most as many as are remembered.
    """
    if len(turn.calls) < 2:  # noqa: PLR2004 - one call overlaps nothing
        return frozenset()
    scopes: dict[str, list[Call]] = {}
    for call in paced(turn.calls):
        if call.tool and not call.error and call.end_ns > call.start_ns:
            scopes.setdefault(call.scope, []).append(call)
    pairs: set[tuple[str, str]] = set()
    for calls in scopes.values():
        if len(calls) > 1:
            _add_overlapping(calls, pairs)
    return frozenset(pairs)


def _add_overlapping(calls: Sequence[Call], pairs: set[tuple[str, str]]) -> None:
    # Calls are in order of start, so the latest end of each tool is enough.
    latest: dict[str, int] = {}
    for call in paced(calls):
        latest = {tool: end_ns for tool, end_ns in latest.items() if end_ns > call.start_ns}
        pairs.update((tool, call.tool) if tool <= call.tool else (call.tool, tool) for tool in latest)
        if len(pairs) >= _MAX_PAIRS:
            break
        latest[call.tool] = max(call.end_ns, latest.get(call.tool, 0))
