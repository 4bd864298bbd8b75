"""
Where calls that started while their response streamed may start, if they are asked for earlier.

A response asks for its calls one after another, so a later one of them keeps its distance from the first. None starts
before a response could have asked for it: as long after the first call of the first response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call

    from .own_time import CallTiming


class StreamedResponses:
    """The responses of one scope, by round; calls must be placed in order of start. Times are in nanoseconds."""

    def __init__(self, calls: Sequence[Call | CallTiming]) -> None:
        self._calls = calls
        self._firsts: dict[int | None, tuple[int, int]] = {}
        self._asked_ns: int | None = None

    def place(self, call: Call | CallTiming, ready_ns: int) -> tuple[int, int]:
        """
        Return how long after the first streamed call of its response *call* started, and when it is ready if held.

        Args:
            call: The next call that is streamed or bound; one that is bound has no known response.
            ready_ns: When it is ready if only the calls that ended before it hold it.
        """
        if not call.streamed:
            return 0, ready_ns
        first_ns, first_ready_ns = self._firsts.setdefault(call.round, (call.start_ns, ready_ns))
        into_ns = call.start_ns - first_ns
        return into_ns, max(ready_ns, first_ready_ns + into_ns)

    def floor_ns(self, call: Call | CallTiming, into_ns: int) -> int:
        """Return when *call*, which started *into_ns* after the first of its response, could start at the earliest."""
        if not call.streamed:
            return call.start_ns
        if self._asked_ns is None:
            asked = (one for one in self._calls if one.round is not None and one.end_ns > one.start_ns)
            first = min(asked, key=lambda one: (one.round or 0, one.start_ns), default=call)
            self._asked_ns = first.start_ns
        return min(self._asked_ns + into_ns, call.start_ns)
