"""Sequential chains: calls of one scope that ran one after another though none needs an earlier one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call

MOST_OPEN = 256


class Chain(msgspec.Struct, frozen=True):
    """
    Indices of a chain's calls in order of start; ``mask`` has their bits.

    ``beside`` are calls of no chain that ran beside its later calls, and like those need none of the earlier ones:
    where one response asked for two and the one before for another, the second of the two.
    """

    members: tuple[int, ...]
    mask: int
    beside: tuple[int, ...] = ()


class Chains(msgspec.Struct, frozen=True):
    """The chains of a scope; ``bounded`` where so many were open at once that the search stopped adding more."""

    chains: tuple[Chain, ...]
    bounded: bool = False


def find(calls: Sequence[Call], after: Sequence[int], *, leave_out: int = 0) -> Chains:
    """
    Take chains first-fit.

    Args:
        calls: One scope's, in order of (start, end, id); empty intervals are passed over.
        after: Bit a of ``after[b]`` is set where b follows a of need, directly or through other calls.
        leave_out: Bits of calls that belong to no chain.

    Returns:
        Chains of two calls or more that share no call, in order of their first call; a call that could be in none,
        because its places were taken by calls beside it, is beside the first chain that it fits.
    """
    open_members: list[list[int]] = []
    masks: list[int] = []
    ends: list[int] = []
    bounded = False
    for index, call in enumerate(calls):
        if call.end_ns <= call.start_ns or leave_out >> index & 1:
            continue
        needs = after[index]
        for position, end_ns in enumerate(ends):
            if end_ns <= call.start_ns and not needs & masks[position]:
                open_members[position].append(index)
                masks[position] |= 1 << index
                ends[position] = call.end_ns
                break
        else:
            if len(ends) >= MOST_OPEN:
                bounded = True
                continue
            open_members.append([index])
            masks.append(1 << index)
            ends.append(call.end_ns)
    beside: dict[int, list[int]] = {}
    linked = [position for position, members in enumerate(open_members) if len(members) > 1]
    for members in open_members:
        alone = members[0]
        for position in linked if len(members) == 1 else ():
            first = calls[open_members[position][0]]
            if first.end_ns <= calls[alone].start_ns and not after[alone] & masks[position]:
                beside.setdefault(position, []).append(alone)
                break
    chains = tuple(
        Chain(tuple(open_members[position]), masks[position], tuple(beside.get(position, ()))) for position in linked
    )
    return Chains(chains, bounded)
