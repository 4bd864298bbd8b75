"""What earlier turns showed: tools that ran at the same time without an error, which makes a guess a better one."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Turn

_MOST_PAIRS = 10_000


class Experience:
    """
    In how many turns two tools overlapped and neither call failed; bounded, for one process or one analysis.

    It never makes anything safe: two writes that happened to overlap unharmed are still two writes.
    """

    def __init__(self) -> None:
        self._turns: dict[tuple[str, str], int] = {}

    def learn(self, turn: Turn) -> None:
        """Remember which tools of *turn* overlapped in one scope without an error."""
        scopes: dict[str, list[Call]] = {}
        for call in turn.calls:
            if call.tool and not call.error and call.end_ns > call.start_ns:
                scopes.setdefault(call.scope, []).append(call)
        pairs: set[tuple[str, str]] = set()
        for calls in scopes.values():
            pairs |= _overlapping(calls)
        for pair in pairs:
            if pair in self._turns or len(self._turns) < _MOST_PAIRS:
                self._turns[pair] = self._turns.get(pair, 0) + 1

    def turns(self, tools: Sequence[str]) -> int:
        """In how many turns every two of *tools* were seen to overlap, at the least; 0 where two never were."""
        distinct = sorted(set(tools))
        pairs = list(combinations(distinct, 2))
        pairs += [(tool, tool) for tool in distinct if tools.count(tool) > 1]
        return min((self._turns.get(pair, 0) for pair in pairs), default=0)


def _overlapping(calls: Sequence[Call]) -> set[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    # The latest end seen of each tool is enough: calls come in order of start.
    latest: dict[str, int] = {}
    for call in calls:
        for tool, end_ns in latest.items():
            if end_ns > call.start_ns:
                pairs.add((tool, call.tool) if tool <= call.tool else (call.tool, tool))
        latest[call.tool] = max(call.end_ns, latest.get(call.tool, 0))
    return pairs
