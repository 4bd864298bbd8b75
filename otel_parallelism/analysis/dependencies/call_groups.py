"""Groups of calls as bit sets: by effect and resource, and by the round that requested them."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Effect
from otel_parallelism.pace import empty, ordered, paced

from .particular_edges import have_different_resources, in_same_proved_round

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call


class EffectGroup(msgspec.Struct, frozen=True):
    """Calls with one effect and resource; ``mask`` has the bits of their positions."""

    effect: Effect
    resource: str
    mask: int


class EffectGroups:
    """The calls of one scope, grouped by effect and resource."""

    def __init__(self, calls: Sequence[Call], effects: Sequence[Effect]) -> None:
        """Group *calls*; *effects* are in the same order."""
        masks: dict[tuple[Effect, str], int] = {}
        for index, call in paced(enumerate(calls)):
            key = (effects[index], call.resource)
            masks[key] = masks.get(key, 0) | 1 << index
        self._by_resource: dict[str, list[EffectGroup]] = {}
        overall: dict[Effect, int] = {}
        for (effect, resource), mask in masks.items():
            self._by_resource.setdefault(resource, []).append(EffectGroup(effect, resource, mask))
            overall[effect] = overall.get(effect, 0) | mask
        self._all = [EffectGroup(effect, "", mask) for effect, mask in overall.items()]

    def related(self, resource: str) -> list[EffectGroup]:
        """
        Return the groups that are not on a resource other than *resource*.

        If *resource* is empty, these are all calls, and the resources of the groups are left empty.
        """
        if not resource:
            return self._all
        return [*self._by_resource.get(resource, ()), *self._by_resource.get("", ())]


class RoundGroups:
    """The calls of each round with several calls: only those of proved rounds, or also those of inferred ones."""

    def __init__(self, calls: Sequence[Call], *, proved: bool) -> None:
        self._calls = calls
        # Calls that follow every call of a round if they follow one of them. For inferred rounds, declarations
        # take precedence.
        self._follow_whole_rounds = 0
        requested: dict[int | None, int] = {}
        for index, call in paced(enumerate(calls)):
            if call.round is not None and (call.proved or not proved):
                requested[call.round] = requested.get(call.round, 0) | 1 << index
                if proved or (call.depends_on is None and not call.resource):
                    self._follow_whole_rounds |= 1 << index
        self._members = {number: mask for number, mask in paced(requested.items()) if mask & (mask - 1)}
        self.in_groups: int = 0
        for mask in paced(self._members.values()):
            self.in_groups |= mask

    def proved_round(self, call: Call) -> int:
        """Return the bits of all calls of the proved round of *call*, 0 if its round is not proved."""
        return self._members.get(call.round, 0) if call.proved else 0

    def same_round(self, followed: int, call: Call, after: Sequence[int]) -> int:
        """
        Return the bits of all calls of the earlier rounds that *call* follows in part.

        Args:
            followed: Bits of all calls that *call* follows.
            call: The waiting call.
            after: For each earlier call, bits of all calls that it follows.
        """
        found = 0
        followed &= self.in_groups
        while followed:
            index = followed.bit_length() - 1
            number = self._calls[index].round
            members = self._members[number]
            if number != call.round:
                found |= members
            followed &= ~members
            if self._follow_whole_rounds >> index & 1:
                # What the followed call follows already includes the rest of those rounds.
                followed &= ~after[index]
        return found


def ended_before(calls: Sequence[Call]) -> list[int]:
    """Return for each call the bits of the calls before it that had ended when it started."""
    by_end = ordered(range(len(calls)), key=lambda index: calls[index].end_ns)
    ends = [calls[index].end_ns for index in paced(by_end)]
    prefix = [0]
    for index in paced(by_end):
        prefix.append(prefix[-1] | 1 << index)
    # Each of several empty calls at one instant ends before the others start. Their order breaks the cycle.
    found = [prefix[bisect_right(ends, call.start_ns)] & ((1 << index) - 1) for index, call in paced(enumerate(calls))]
    empty(prefix)
    return found


def ran_in_order(calls: Sequence[Call], ended: Sequence[int]) -> bool:
    """
    Return whether *calls* ran one after another, in order of their rounds, and none while its response streamed.

    Then an edge between two calls changes no schedule if other edges lead from one to the other: no pause that it keeps
    is longer than theirs.

    Args:
        calls: The calls of one scope in order of (start, end, id).
        ended: What `ended_before` returns for them.
    """
    rounds = [call.round for call in paced(calls)]
    known = [number for number in rounds if number is not None]
    return (
        all(before + 1 == 1 << index for index, before in paced(enumerate(ended)))
        and len(known) in {0, len(rounds)}
        and all(one <= other for one, other in paced(pairwise(known)))
        and not any(call.streamed or call.bound for call in paced(calls))
    )


def asked_at_once(calls: Sequence[Call]) -> bool:
    """Return whether the model is known to have asked for all *calls* in one response, and for each once."""
    return all(in_same_proved_round(calls[0], call) for call in paced(calls[1:])) and _have_own_ids(calls)


def _have_own_ids(calls: Sequence[Call]) -> bool:
    ids = [call.call_id for call in paced(calls) if call.call_id]
    return len(set(ids)) == len(ids)


def reached_calls(direct: int, after: Sequence[int]) -> int:
    """Return the bits of all calls reached from a call with the edges *direct*; *after* has those of earlier calls."""
    total = rest = direct
    while rest:
        index = rest.bit_length() - 1
        total |= after[index]
        rest &= ~(after[index] | 1 << index)
    return total


def on_other_resources(calls: Sequence[Call], mask: int, call: Call) -> int:
    """Return the bits of *mask* whose *calls* declare a resource other than that of *call*."""
    found = 0
    while mask and call.resource:
        index = mask.bit_length() - 1
        found |= have_different_resources(calls[index], call) << index
        mask ^= 1 << index
    return found
