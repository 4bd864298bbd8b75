"""The type of what is known, in tests only, about how a call was dispatched."""

from __future__ import annotations

import msgspec


class Dispatch(msgspec.Struct, frozen=True, gc=False):
    """
    The unit that ran a call or asked a model, and what other units did as that began.

    A unit runs one thing at a time: an asyncio task, with the thread that it waits for, a job of a thread pool, or a
    thread. Units have numbers from 1, which are not reused during a test.

    Attributes:
        unit: The number of the unit.
        alone: Whether no other unit runs the same function. Workers that take items from one queue do, and the first
            may then take all items, because calls of mocks end at once.
        pending: Units that existed and had not begun to run: nothing that they start first can need the call.
        beside: Other units that had begun to run, and did not wait for this one.
        waiting: Units that waited until this one ends.
    """

    unit: int
    alone: bool = True
    pending: frozenset[int] = frozenset()
    beside: frozenset[int] = frozenset()
    waiting: frozenset[int] = frozenset()
