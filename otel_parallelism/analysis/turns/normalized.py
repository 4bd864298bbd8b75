"""What normalisation gives: turns, the calls outside them, and counts."""

from __future__ import annotations

import msgspec

from otel_parallelism.model import Call, Coverage, Turn


class Normalized(msgspec.Struct, frozen=True):
    """Turns in order of start, and what lies outside them."""

    turns: tuple[Turn, ...]
    uncovered: tuple[Call, ...] = ()
    spans: int = 0
    anomalies: int = 0

    @property
    def coverage(self) -> Coverage:
        """Calls with and without a turn; sub-agents count as turns here, not as calls."""
        covered = sum(1 for turn in self.turns for call in turn.calls if not call.sub_agent)
        return Coverage(
            calls=covered + len(self.uncovered),
            calls_without_turn=len(self.uncovered),
            spans=self.spans,
            anomalies=self.anomalies,
        )
