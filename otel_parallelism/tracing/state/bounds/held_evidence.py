"""Bounds the memory of the evidence that open turns hold: the oldest is let go first."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from typing import Any, Protocol

from otel_parallelism.analysis.dependencies.contents.leaves import instance_dict
from otel_parallelism.model import Call, Step
from otel_parallelism.settings import Settings

LEAST_SIZE = 4_096
"""The least evidence of one call, in bytes, that is counted; the amount of less is bounded by the number of calls."""

LET_GO = -1
"""Stands for the size of evidence that was let go."""

_TEXTS = frozenset({str, bytes})
_NUMBERS = frozenset({int, float, bool, type(None), complex})
_CONTAINERS = frozenset({list, dict, set, tuple, frozenset})
_MAX_ITEMS = 32
_MAX_ENTERED = 4
_MAX_DEPTH = 4
_ITEM_SIZE = 8


class Holder(Protocol):
    """Holds evidence. ``held_size`` is its size in bytes where it is counted, else 0; or `LET_GO`."""

    held_size: int

    def let_go(self) -> None:
        """Hold the evidence no longer."""


class HeldEvidence:
    """
    The large arguments, results and messages that this process holds for open turns.

    Attributes:
        size: Their size together, in bytes.
        most: The largest size; past it, the oldest are let go.
    """

    def __init__(self) -> None:
        self._holders: OrderedDict[int, Holder] = OrderedDict()
        self._lock = threading.RLock()
        self.size: int = 0
        self.most: int = Settings().max_held_bytes

    def add(self, holder: Holder, size: int) -> None:
        """Count *size* more bytes of *holder*, and let the oldest evidence go while there is too much."""
        if size < LEAST_SIZE:
            return
        with self._lock:
            self._add(holder, size)

    def _add(self, holder: Holder, size: int) -> None:
        holder.held_size = max(0, holder.held_size) + size
        self._holders[id(holder)] = holder
        self.size += size
        while self.size > self.most and self._holders:
            self._let_oldest_go()

    def let_all_go(self) -> None:
        """Let all large evidence go."""
        for _ in range(len(self._holders)):
            with self._lock:
                if self._holders:
                    self._let_oldest_go()

    def _let_oldest_go(self) -> None:
        _, oldest = self._holders.popitem(last=False)
        self.size -= oldest.held_size
        oldest.let_go()
        oldest.held_size = LET_GO

    def remove(self, holder: Holder) -> None:
        """Stop counting what *holder* holds, which is released."""
        with self._lock:
            if self._holders.pop(id(holder), None) is not None:
                self.size -= holder.held_size
                holder.held_size = 0

    def clear(self) -> None:
        """Forget all evidence; nothing counts as held. A forked process calls this, so the lock is a new one."""
        self._lock = threading.RLock()
        self._holders.clear()
        self.size = 0


HELD = HeldEvidence()
"""The large evidence of this process."""


def contents_size(span: Call | Step) -> int:
    """Return about how many bytes the contents of a call or a model request hold."""
    contents = (span.arguments, span.result) if isinstance(span, Call) else (span.messages, span.answer)
    return sum(evidence_size(content.value) for content in contents if content is not None)


def evidence_size(value: Any, depth: int = 0) -> int:
    """
    Return about how many bytes *value* holds, without running code of the program.

    Of a container or an object, the first items are looked at, and the others are taken to be like them.

    >>> evidence_size("text"), evidence_size(["text"] * 100), evidence_size([{"name": "x" * 92}] * 10)
    (4, 1200, 1080)
    """
    kind = type(value)
    if kind in _TEXTS:
        return len(value)
    items = value
    if kind is dict:
        items = value.values()
    elif kind not in _CONTAINERS:
        fields = instance_dict(value)
        if not fields:
            return 0
        items = fields.values()
    count = len(items)
    # Copied at once, as other threads may change it.
    first = tuple(items) if count <= _MAX_ITEMS else tuple(itertools.islice(items, _MAX_ITEMS))
    size = inner = nested = entered = 0
    for item in first:
        kind = type(item)
        if kind in _TEXTS:
            size += len(item)
        elif kind not in _NUMBERS and depth < _MAX_DEPTH:
            nested += 1
            if entered < _MAX_ENTERED:
                entered += 1
                inner += evidence_size(item, depth + 1)
    if entered:
        size += inner * nested // entered
    return size * count // max(1, len(first)) + _ITEM_SIZE * count
