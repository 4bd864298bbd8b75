"""
A turn in which every call lasts one unit, so that only order and dependence count.

The order is that in which the program asked for the calls, not that of their times: see `dispatch_order`. Each call
starts as soon as the calls have ended that it was asked for after. A call that makes calls lasts as long as they do. A
model request takes no time: it stands where the calls before it have ended.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.model import Call, Step, Turn

from .dispatch_order import DispatchOrder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNIT_NS: Final = 1_000_000_000
"""The length of a call, in nanoseconds: a second, so that reports show numbers of calls as seconds."""

MOST_CALLS: Final = 300
"""Calls of one scope are compared pair by pair, up to this number."""


class UnitTurn(msgspec.Struct, frozen=True):
    """
    A turn with unit lengths.

    ``undecided`` are pairs of tools: for some calls of the two, it is not known whether the program asked for them
    together. Each pair is there once. ``whole`` is false if the turn has too many calls to compare.
    """

    turn: Turn
    undecided: tuple[tuple[str, str], ...] = ()
    whole: bool = True


def with_unit_lengths(turn: Turn, *, apart: bool = False) -> UnitTurn:
    """
    Return *turn* with calls of one unit, in the order in which the program asked for them.

    Args:
        turn: A turn after normalisation.
        apart: Whether calls whose order is not known run one after another, as their times suggest, rather than
            together.
    """
    scopes: dict[str, list[Call]] = {}
    for call in turn.calls:
        scopes.setdefault(call.scope, []).append(call)
    if turn.past_bound is not None or any(len(calls) > MOST_CALLS for calls in scopes.values()):
        return UnitTurn(turn, whole=False)
    placing = _Placing(turn, scopes, apart=apart)
    length_ns = placing.place("", turn.start_ns, frozenset())
    clock = _Clock(scopes.get("", ()), placing.ends_ns, turn.start_ns)
    calls = [_retimed(call, placing, clock) for call in turn.calls if call.span_id in placing.starts_ns]
    calls.sort(key=lambda call: (call.start_ns, call.end_ns, call.span_id))
    return UnitTurn(
        msgspec.structs.replace(
            turn,
            end_ns=turn.start_ns + length_ns,
            calls=tuple(calls),
            steps=tuple(_moved_step(step, clock) for step in turn.steps),
            hand_offs=tuple(clock.at(at_ns) for at_ns in turn.hand_offs),
            waiting=(),
        ),
        tuple(dict.fromkeys(placing.undecided)),
    )


class _Placing:
    """Gives each call a start and an end, scope by scope."""

    def __init__(self, turn: Turn, scopes: Mapping[str, Sequence[Call]], *, apart: bool) -> None:
        self._turn = turn
        self._scopes = scopes
        self._apart = apart
        self.starts_ns: dict[str, int] = {}
        self.ends_ns: dict[str, int] = {}
        self.undecided: list[tuple[str, str]] = []

    def place(self, scope: str, start_ns: int, around: frozenset[str]) -> int:
        """Place the calls of *scope* from *start_ns* on, and return how long they take, in nanoseconds."""
        calls = self._scopes.get(scope, ())
        own = not scope
        order = DispatchOrder(calls, self._turn.steps if own else (), self._turn.unrequested if own else ())
        last_ns = start_ns
        for index, call in enumerate(calls):
            at_ns = start_ns
            for before in range(index):
                verdict = order.of(before, index)
                if verdict == "unknown":
                    self.undecided.append((calls[before].tool, call.tool))
                if verdict == "apart" or (verdict == "unknown" and self._apart):
                    at_ns = max(at_ns, self.ends_ns[calls[before].span_id])
            # With broken ids a call can be inside itself.
            inside = call.span_id in self._scopes and call.span_id not in around and call.span_id not in self.starts_ns
            self.starts_ns[call.span_id] = at_ns
            length_ns = self.place(call.span_id, at_ns, around | {call.span_id}) if inside else 0
            self.ends_ns[call.span_id] = at_ns + max(length_ns, UNIT_NS)
            last_ns = max(last_ns, self.ends_ns[call.span_id])
        return last_ns - start_ns


class _Clock:
    """Moves other times of a turn: to when the calls end that had ended by then."""

    def __init__(self, calls: Sequence[Call], ends_ns: Mapping[str, int], origin_ns: int) -> None:
        ended = sorted(calls, key=lambda call: call.end_ns)
        self._before_ns = [call.end_ns for call in ended]
        self._reached_ns = [origin_ns]
        for call in ended:
            self._reached_ns.append(max(self._reached_ns[-1], ends_ns.get(call.span_id, origin_ns)))

    def at(self, at_ns: int) -> int:
        """Return the new time that stands for *at_ns*."""
        return self._reached_ns[bisect_right(self._before_ns, at_ns)]


def _retimed(call: Call, placing: _Placing, clock: _Clock) -> Call:
    start_ns = placing.starts_ns[call.span_id]
    called_ns = min(start_ns, clock.at(call.called_ns)) if call.called_ns and not call.scope else 0
    return msgspec.structs.replace(
        call,
        start_ns=start_ns,
        end_ns=placing.ends_ns[call.span_id],
        called_ns=called_ns,
        queue_ns=0,
        blocked_ns=0,
        stalled_ns=0,
        waiting=(),
        outlived_ns=None,
    )


def _moved_step(step: Step, clock: _Clock) -> Step:
    at_ns = clock.at(step.start_ns)
    return msgspec.structs.replace(step, start_ns=at_ns, end_ns=at_ns)
