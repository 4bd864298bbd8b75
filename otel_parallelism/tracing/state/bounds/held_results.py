"""Bounds the memory of the results that open turns hold: the oldest large results are let go first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, TypeAlias

Call: TypeAlias = Any
"""A `CallNode`, whose module imports this one."""

LEAST_SIZE = 4_096
"""The smallest result, in bytes, that is counted; the number of smaller ones is bounded by that of the calls."""


class HeldResults:
    """
    The large results that calls of this process hold.

    Attributes:
        size: Their size together, in bytes.
    """

    def __init__(self) -> None:
        self._nodes: OrderedDict[int, Call] = OrderedDict()
        self.size: int = 0

    def add(self, node: Call, size: int, most: int) -> None:
        """Count the result of *node*, of *size* bytes, and let the oldest go while there are more than *most* bytes."""
        node.held_size = size
        self._nodes[id(node)] = node
        self.size += size
        while self.size > most and self._nodes:
            _, oldest = self._nodes.popitem(last=False)
            self.size -= oldest.held_size
            oldest.held_size = 0
            oldest.result, oldest.result_whole, oldest.result_state = None, False, ()

    def remove(self, node: Call) -> None:
        """Stop counting the result of *node*, which is released."""
        if self._nodes.pop(id(node), None) is not None:
            self.size -= node.held_size
            node.held_size = 0

    def clear(self) -> None:
        """Forget all results; nothing counts as held."""
        self._nodes.clear()
        self.size = 0


HELD = HeldResults()
"""The large results of this process."""
