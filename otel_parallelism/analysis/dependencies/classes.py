"""Classes of calls that are alike in all that effects and content say of their pairs, as bits of one integer."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Effect

Edge: TypeAlias = Literal["hard", "unknown", "none"]


class Classes:
    """Calls sorted by what decides about their pairs: effect, resource, whether their result was seen in full."""

    def __init__(self, calls: Sequence[Call], effects: Sequence[Effect], seen: Sequence[bool]) -> None:
        """Sort *calls*; *effects* and whether each result was *seen* in full are given in the same order."""
        by_class: dict[tuple[Effect, str, bool], int] = {}
        for index, call in enumerate(calls):
            bit = 1 << index
            key = (effects[index], call.resource, seen[index])
            by_class[key] = by_class.get(key, 0) | bit
        self._by_resource: dict[str, list[tuple[Effect, bool, int]]] = {}
        overall: dict[tuple[Effect, bool], int] = {}
        for (found, resource, whole), mask in by_class.items():
            self._by_resource.setdefault(resource, []).append((found, whole, mask))
            overall[found, whole] = overall.get((found, whole), 0) | mask
        self._everything: list[tuple[Effect, bool, int, bool]] = [
            (found, whole, mask, False) for (found, whole), mask in overall.items()
        ]

    def around(self, resource: str) -> list[tuple[Effect, bool, int, bool]]:
        """Classes not on another resource than *resource*: effect, result seen, bits, whether it is the same one."""
        if not resource:
            return self._everything
        groups: list[tuple[Effect, bool, int, bool]] = [(*one, True) for one in self._by_resource.get(resource, ())]
        groups += [(*one, False) for one in self._by_resource.get("", ())]
        return groups


def ended_before(calls: Sequence[Call]) -> list[int]:
    """For each call the bits of those before it that had ended when it began."""
    by_end = sorted(range(len(calls)), key=lambda i: (calls[i].end_ns, i))
    ends = [calls[i].end_ns for i in by_end]
    prefix = [0]
    for index in by_end:
        prefix.append(prefix[-1] | 1 << index)
    # Empty calls at one instant each end before the other begins; their order breaks the circle.
    return [prefix[bisect_right(ends, call.start_ns)] & ((1 << index) - 1) for index, call in enumerate(calls)]


def edge_of_effects(a: Effect, b: Effect, *, shared: bool) -> Edge:
    """What the effects of two calls make of their order; *shared* where both declare one resource."""
    if a == "read" and b == "read":
        return "none"
    # Beside a write of the same resource it does not matter whether the other one reads or writes.
    if a == b == "write" or (shared and "write" in {a, b}):
        return "hard"
    return "unknown"
