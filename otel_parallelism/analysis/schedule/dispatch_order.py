"""
Whether a program asked for two calls together, or for one after the other had ended, however short the calls are.

Calls of mocks end at once. So calls that were started together, as with ``asyncio.gather``, still run one after
another, and the order of their times shows nothing. The tasks and threads that ran them do.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, TypeAlias

from otel_parallelism.analysis.dependencies.kept_order import limit_of
from otel_parallelism.model import Dispatch

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from otel_parallelism.model import Call, Step

Order: TypeAlias = Literal["together", "apart", "unknown"]
"""Whether two calls were asked for together, or the second one after the first had ended."""

_UNKNOWN = Dispatch(0, alone=False)
_NOT_AT_ONCE_NS = 50_000_000
"""Calls started together with one that waited for this long have begun before it ended."""


class DispatchOrder:
    """
    Compares the calls of one scope.

    Args:
        calls: The calls in order of (start, end, id).
        steps: The turn's model requests if the calls are the turn's own.
        unrequested: The span ids of calls that code made, whatever round their time suggests.
    """

    def __init__(self, calls: Sequence[Call], steps: Sequence[Step] = (), unrequested: Collection[str] = ()) -> None:
        self._calls = calls
        self._unrequested = unrequested
        self._steps = sorted(steps, key=lambda step: step.start_ns)
        self._starts_ns = [step.start_ns for step in self._steps]
        self._asked_by: Mapping[str, Step] = {call_id: step for step in steps for call_id in step.requested or ()}

    def of(self, earlier: int, later: int) -> Order:  # noqa: PLR0911 - one return for each row
        """Return the order of ``calls[earlier]`` and ``calls[later]``, which starts no earlier; first rule wins."""
        a, b = self._calls[earlier], self._calls[later]
        if b.start_ns < a.end_ns:
            return "together"
        one, other = a.dispatch or _UNKNOWN, b.dispatch or _UNKNOWN
        if one.unit == other.unit and one.alone and other.alone:
            return "apart"
        if a.switch and a.switch == b.switch and a.round == b.round and limit_of(a.switch) <= 1:
            return "apart"
        # A thread may take the later of two jobs first.
        if 0 < b.called_ns < a.end_ns or other.unit in one.pending or one.unit in other.pending:
            return "together"
        if other.unit in one.waiting:
            return "apart"
        if other.unit in one.beside:
            return "unknown"
        if self._in_later_round(a, b) or a.duration_ns - a.blocked_ns - a.stalled_ns >= _NOT_AT_ONCE_NS:
            return "apart"
        return "unknown"

    def _in_later_round(self, a: Call, b: Call) -> bool:
        """Return whether the model asked for *b* after it saw the result of *a*."""
        if a.round is None or b.round is None or a.round >= b.round:
            return False
        if not (a.proved and b.proved) and (a.span_id in self._unrequested or b.span_id in self._unrequested):
            return False
        return self._one_agent_asked(a, b)

    def _one_agent_asked(self, a: Call, b: Call) -> bool:
        """
        Return whether the agent whose model asked for *a* is the one whose model asked for *b*, as far as is known.

        Two agents may run beside one another, and wait for their models by turns. Then rounds follow one another in
        time, but the calls of one agent do not wait for those of the other.
        """
        before, asker, first = a.dispatch or _UNKNOWN, self._asker(b), self._asker(a)
        if not asker:
            return not before.beside
        if asker in {before.unit, first} or asker in before.waiting:
            return True
        if asker in before.beside or asker in before.pending or asker == _unit(b):
            return False
        # A unit that came later, where others would have been seen: threads show no others.
        return bool(before.beside or before.pending or before.waiting)

    def _asker(self, call: Call) -> int:
        """Return the unit that asked the model for *call*; 0 if that is unknown."""
        step = self._asked_by.get(call.call_id) if call.call_id else None
        if step is None:
            at = bisect_right(self._starts_ns, call.start_ns)
            step = self._steps[at - 1] if at else None
        return 0 if step is None else _unit(step)


def _unit(of: Call | Step) -> int:
    return 0 if of.dispatch is None else of.dispatch.unit
