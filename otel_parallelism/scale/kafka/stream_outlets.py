"""What a stream of turns hands over: turns, offsets, metrics, and the numbers of spans that are not analysed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_parallelism.model import Report

    from .turn_file import TurnLine

LATE: Final = "spans that came after their trace was analysed"
UNREADABLE: Final = "messages that cannot be read"
NO_ID: Final = "spans without a valid id"
LARGE: Final = "spans of traces with too many spans"
MEMORY: Final = "spans of traces for which there was no memory"
OLD: Final = "spans of traces that were open for too long"
IN_PARTS: Final = "spans of traces that may have parts at other consumers"
BEGUN_BEFORE: Final = "spans of traces that began before the first message that was read"
FAILED: Final = "spans of traces whose analysis failed"


class Outlets(Protocol):
    """Where the results go."""

    def write(self, turns: Sequence[TurnLine]) -> None:
        """Write *turns*, and return when they are safe."""

    def commit(self, positions: Mapping[int, tuple[int, str]]) -> bool:
        """Commit the offset and text of each partition; return whether that was possible."""
        ...

    def record(self, reports: Iterable[Report]) -> None:
        """Record metrics of turns that no program has recorded."""

    def left_out(self, what: str, number: int, example: str) -> None:
        """Tell that a *number* of *what*, such as `LATE` spans, is not analysed; *example* says which."""

    def wait(self, traces: int) -> None:
        """Tell that so many complete *traces* wait, because the text to commit would become too long."""
