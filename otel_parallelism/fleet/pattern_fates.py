"""What became of each pattern: gone, new, changed or unchanged; unsure where too few turns call its tools."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

from otel_parallelism.model import BESIDE_EFFICIENCY
from otel_parallelism.model.comparison_types import PatternChange, PatternFate

from .agent_samples import LEAST_TURNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model.fleet_types import Pattern

    from .compared_side import ComparedSide
    from .pattern_sums import PatternSums

MOST_COMPARED: Final = 1_000
_Key: TypeAlias = tuple[object, ...]


class _Seen:
    """The findings of one side that are the same but for the line, which an edit of the file moves."""

    def __init__(self) -> None:
        self.all: list[PatternSums] = []

    @property
    def turns(self) -> int:
        return sum(sums.turns for sums in self.all)

    @property
    def lost_ns(self) -> int:
        return sum(sums.lost_ns for sums in self.all)

    def pattern(self) -> Pattern:
        """Return the one that loses most, with the sums of all."""
        largest = min(self.all, key=lambda sums: sums.order)
        found = largest.pattern(None)
        if len(self.all) == 1:
            return found
        import msgspec  # noqa: PLC0415 - seldom

        return msgspec.structs.replace(found, turns=self.turns, lost=self.lost_ns / 1e9)


def pattern_changes(before: ComparedSide, after: ComparedSide, level: float) -> tuple[PatternChange, ...]:
    """
    Return what became of the patterns of both sides: those that lose most first.

    A pattern is gone if Fisher's exact test says so: with a probability below *level* divided by the number of
    patterns, none of so many turns with its tools would show it by chance, and each side has at least ten such turns.
    It is new in the same way. Only agents with turns on both sides are compared.

    Args:
        before: The turns before.
        after: The turns after.
        level: The probability that any pattern is called gone or new by chance.
    """
    ours, theirs = _seen(before), _seen(after)
    agents = before.samples.keys() & after.samples.keys()
    keys = [key for key in {**ours, **theirs} if key[0] in agents]
    keys.sort(key=lambda key: (-max(_lost(ours, key), _lost(theirs, key)), str(key)))
    keys = keys[:MOST_COMPARED]
    each = level / max(1, len(keys))
    return tuple(change for key in keys for change in _changes(key, (ours, theirs), (before, after), each))


def _changes(
    key: _Key,
    seen_on: tuple[dict[_Key, _Seen], dict[_Key, _Seen]],
    sides: tuple[ComparedSide, ComparedSide],
    level: float,
) -> Iterator[PatternChange]:
    (ours, theirs), (before, after) = seen_on, sides
    here, there = ours.get(key), theirs.get(key)
    seen = here or there
    if seen is None:
        return
    pattern = seen.pattern()
    turns_before = before.turns_with(pattern.agent, pattern.calls)
    turns_after = after.turns_with(pattern.agent, pattern.calls)
    shown_before = min(here.turns if here else 0, turns_before)
    shown_after = min(there.turns if there else 0, turns_after)
    shares = (
        shown_before / turns_before if turns_before else 0.0,
        shown_after / turns_after if turns_after else 0.0,
    )
    if here and there:
        yield PatternChange("unchanged", pattern, *shares)
        return
    other = _of_the_same_calls(key, theirs if here else ours)
    if other is not None:
        if here:  # once, not again from the other side
            yield PatternChange("changed", pattern, *shares, other.pattern())
        return
    enough = min(turns_before, turns_after) >= LEAST_TURNS
    if here:
        rare = enough and chance_of_none(shown_before, turns_before, turns_after) < level
        fate: PatternFate = "gone" if rare else "unsure"
    else:
        rare = enough and chance_of_none(shown_after, turns_after, turns_before) < level
        fate = "new" if rare else "unsure"
    yield PatternChange(fate, pattern, *shares)


def chance_of_none(shown: int, turns: int, others: int) -> float:
    """
    Return the probability that all *shown* turns are among *turns*, and none among *others*, by chance.

    >>> round(chance_of_none(5, 10, 10), 4), chance_of_none(5, 10, 0)
    (0.0163, 1.0)
    """
    return math.exp(
        math.lgamma(turns + 1)
        - math.lgamma(turns - shown + 1)
        + math.lgamma(turns + others - shown + 1)
        - math.lgamma(turns + others + 1)
    )


def _seen(side: ComparedSide) -> dict[_Key, _Seen]:
    found: dict[_Key, _Seen] = {}
    for (recommended, kind, cause, tools, _, around, location), sums in side.sums.patterns.items():
        file = getattr(location, "file_path", "")
        key = (sums.agent, around, tools, kind in BESIDE_EFFICIENCY, kind, cause, recommended, file)
        found.setdefault(key, _Seen()).all.append(sums)
    return found


def _of_the_same_calls(key: _Key, seen: dict[_Key, _Seen]) -> _Seen | None:
    """Return the findings about the same calls as *key*, whatever their cause, advice and place."""
    return next((seen[other] for other in sorted(seen, key=str) if other[:4] == key[:4]), None)


def _lost(seen: dict[_Key, _Seen], key: _Key) -> int:
    return seen[key].lost_ns if key in seen else 0
