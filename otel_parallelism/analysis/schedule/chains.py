"""Sequential chains: calls of one scope that ran one after another although none needs an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.pace import paced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call

MOST_OPEN = 256
"""How many chains the search extends at the same time."""


class Chain(msgspec.Struct, frozen=True):
    """
    The positions of a chain's calls in order of start; ``mask`` has their bits.

    ``alongside`` are calls that are in no chain, overlap later calls of this one, and need none of its calls. For
    example, one response requests one call and the next requests two: the second of the two is alongside.
    """

    members: tuple[int, ...]
    mask: int
    alongside: tuple[int, ...] = ()


class Chains(msgspec.Struct, frozen=True):
    """The chains of a scope; ``bounded`` is true if the search reached `MOST_OPEN` and left calls out."""

    chains: tuple[Chain, ...]
    bounded: bool = False


def sequential_chains(calls: Sequence[Call], after: Sequence[int], *, leave_out: int = 0) -> Chains:
    """
    Add each call to the first chain that it fits (first-fit).

    Args:
        calls: The calls of one scope, in order of (start, end, id); calls without duration are skipped.
        after: Bit a of ``after[b]`` is set if b needs a, directly or through other calls.
        leave_out: Bits of calls that belong to no chain.

    Returns:
        Chains of at least two calls, in order of their first call. No call is in two chains. A call that is in none
        is alongside the first chain whose first call ended before it started and whose calls it does not need.
    """
    open_members: list[list[int]] = []
    masks: list[int] = []
    ends_ns: list[int] = []
    bounded = False
    for index, call in paced(enumerate(calls)):
        if call.end_ns <= call.start_ns or leave_out >> index & 1:
            continue
        needs = after[index]
        for position, end_ns in enumerate(ends_ns):
            if end_ns <= call.start_ns and not needs & masks[position]:
                open_members[position].append(index)
                masks[position] |= 1 << index
                ends_ns[position] = call.end_ns
                break
        else:
            if len(ends_ns) >= MOST_OPEN:
                bounded = True
                continue
            open_members.append([index])
            masks.append(1 << index)
            ends_ns.append(call.end_ns)
    alongside: dict[int, list[int]] = {}
    linked = [position for position, members in enumerate(open_members) if len(members) > 1]
    for members in open_members:
        alone = members[0]
        for position in linked if len(members) == 1 else ():
            first = calls[open_members[position][0]]
            if first.end_ns <= calls[alone].start_ns and not after[alone] & masks[position]:
                alongside.setdefault(position, []).append(alone)
                break
    chains = tuple(
        Chain(tuple(open_members[position]), masks[position], tuple(alongside.get(position, ()))) for position in linked
    )
    return Chains(chains, bounded)
