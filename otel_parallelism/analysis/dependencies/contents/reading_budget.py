"""Bounds how much of one turn's contents is read, since a turn's end runs in the program's event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from otel_parallelism.settings import Settings

    from .leaves import Leaves


class ReadingBudget(msgspec.Struct):
    """How much of a turn's contents may still be read: values and characters. ``left_out`` counts contents not read."""

    leaves: int
    characters: int
    left_out: int = 0

    def is_spent(self) -> bool:
        """Return whether nothing more may be read."""
        return self.leaves <= 0 or self.characters <= 0

    def spend(self, leaves: Leaves) -> None:
        """Take off what has been read."""
        self.leaves -= len(leaves.texts) + len(leaves.numbers) + len(leaves.keys)
        self.characters -= sum(map(len, leaves.texts)) + sum(map(len, leaves.keys))


class TurnBudget(msgspec.Struct):
    """What may still be read of one turn: of its calls' arguments, and as much of its results and messages."""

    arguments: ReadingBudget
    results: ReadingBudget

    def copy(self) -> TurnBudget:
        """Return another budget that is as much spent."""
        return TurnBudget(msgspec.structs.replace(self.arguments), msgspec.structs.replace(self.results))

    def reset(self, before: TurnBudget) -> None:
        """Take back what was spent since it was as *before*."""
        self.arguments, self.results = before.arguments, before.results

    @property
    def left_out(self) -> int:
        """How many contents were not read because the budget was spent."""
        return self.arguments.left_out + self.results.left_out


def turn_budget(settings: Settings) -> TurnBudget:
    """Return the budget of a turn that begins to be analyzed."""
    leaves, characters = settings.max_leaves_per_turn, settings.max_bytes_per_turn
    return TurnBudget(ReadingBudget(leaves, characters), ReadingBudget(leaves, characters))
