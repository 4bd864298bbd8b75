"""What the model asked for in one response, as bits: it is asked again only when all of that has been answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call


class Responses:
    """The calls of each round that has several; only those of *proved* rounds, or of inferred ones as well."""

    def __init__(self, calls: Sequence[Call], *, proved: bool) -> None:
        self._calls = calls
        # Those that follow all of each round of which they follow any: what is declared outranks what is inferred.
        self._whole = 0
        asked: dict[int | None, int] = {}
        for index, call in enumerate(calls):
            if call.round is not None and (call.proved or not proved):
                asked[call.round] = asked.get(call.round, 0) | 1 << index
                if proved or (call.depends_on is None and not call.resource):
                    self._whole |= 1 << index
        self._asked = {number: mask for number, mask in asked.items() if mask & (mask - 1)}
        self._several = 0
        for mask in self._asked.values():
            self._several |= mask

    def asked_with(self, call: Call) -> int:
        """Bits of the calls of *call*'s proved round."""
        return self._asked.get(call.round, 0) if call.proved else 0

    def beside(self, followed: int, call: Call, after: Sequence[int]) -> int:
        """
        Bits of what was asked for, by another response than *call*, together with anything that *call* follows.

        Args:
            followed: Bits of all that *call* follows.
            call: The call that waits.
            after: For each call before it, bits of all that that one follows.
        """
        found = 0
        followed &= self._several
        while followed:
            index = followed.bit_length() - 1
            number = self._calls[index].round
            asked = self._asked[number]
            if number != call.round:
                found |= asked
            followed &= ~asked
            if self._whole >> index & 1:  # what it follows has brought along what was asked for with that
                followed &= ~after[index]
        return found
