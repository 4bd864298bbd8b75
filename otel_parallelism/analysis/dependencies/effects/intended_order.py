"""The order that is intended although no value is passed on: around a screen, a session, a hand-off or a message."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from otel_parallelism.pace import paced
from otel_parallelism.shown_names import pair_names

from .sessions import acts_on_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, EffectSource


class IntendedOrder:
    """
    The pairs of calls of one scope whose order is intended.

    A call whose effect, resource or dependencies are declared takes no part: the declarations decide. Nothing can be
    called before the user has asked for it, whatever is declared.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        sources: Sequence[EffectSource],
        hand_offs_ns: Sequence[int],
        asked_again_ns: Sequence[int] = (),
    ) -> None:
        """
        Find the calls that act on a session.

        Args:
            calls: The calls of one scope, in order of start.
            sources: How the effect of each is known.
            hand_offs_ns: Start times, in order, of hand-offs to another agent.
            asked_again_ns: Start times, in order, of the first model request after another message of the user.
        """
        self._calls = calls
        self._starts_ns = [call.start_ns for call in paced(calls)]
        self._hand_offs_ns, self._asked_again_ns = hand_offs_ns, asked_again_ns
        self._free = self._sessions = 0
        for index, call in paced(enumerate(calls)):
            given = sources[index] in {"declared", "framework", "settings"}
            if given or call.resource or call.depends_on is not None:
                self._free |= 1 << index
            elif acts_on_session(call.tool, call.arguments):
                self._sessions |= 1 << index

    def before(self, index: int) -> int:
        """Return the bits of the calls that keep their order with a call, if they are earlier."""
        start_ns = self._calls[index].start_ns
        asked_before = started_before(self._starts_ns, self._asked_again_ns, start_ns)
        if self._free >> index & 1:
            return asked_before
        sessions = -1 if self._sessions >> index & 1 else self._sessions
        handed_over = started_before(self._starts_ns, self._hand_offs_ns, start_ns)
        return ((sessions | handed_over) & ~self._free) | asked_before

    def sentence(self, earlier: int, later: int) -> str:
        """Return a sentence that says why two calls keep their order."""
        a, b = pair_names(self._calls[earlier].tool, self._calls[later].tool)
        if started_before(self._starts_ns, self._asked_again_ns, self._calls[later].start_ns) >> earlier & 1:
            return f"between {a} and {b} the model had answered, and the user may have asked for more"
        acting = [self._calls[at].tool for at in (earlier, later) if self._sessions >> at & 1]
        if acting:
            return f"{acting[0]} acts on a screen or a session"
        return f"between {a} and {b} the turn was handed over to another agent"


def started_before(starts_ns: Sequence[int], instants_ns: Sequence[int], until_ns: int) -> int:
    """
    Return the bits of the starts before the last instant that is not after *until_ns*.

    >>> bin(started_before([1, 5, 9], [4, 7], 9))
    '0b11'
    """
    last = bisect_right(instants_ns, until_ns) - 1
    return (1 << bisect_left(starts_ns, instants_ns[last])) - 1 if last >= 0 else 0
