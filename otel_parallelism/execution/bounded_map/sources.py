"""Where a batch takes its items from: one at a time, only when one is asked for, from sync and async iterables."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator, Sized
from itertools import islice
from typing import Any


def total_of(items: Iterable[Any] | AsyncIterable[Any]) -> int | None:
    """Return how many *items* there are, where they know."""
    return len(items) if isinstance(items, Sized) else None


def chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """
    Yield lists of *size* items, the last perhaps shorter.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


async def async_chunks(items: AsyncIterator[Any], size: int) -> AsyncIterator[list[Any]]:
    """Yield lists of *size* items, the last perhaps shorter."""
    chunk: list[Any] = []
    async for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


class Feed:
    """
    Hands the items of an async iterable to several workers.

    One task takes them all: an async generator may hold a timeout or a cancel scope open between two items, which
    belong to the task that opened them. It takes an item when a worker asks, not before.
    """

    def __init__(self, items: AsyncIterable[Any], chunk: int | None) -> None:
        self._source: AsyncIterator[Any] = aiter(items)
        self._iterator = self._source if chunk is None else async_chunks(self._source, chunk)
        self._asking: deque[asyncio.Future[tuple[int, Any] | None]] = deque()
        self._asked = asyncio.Event()
        self._ended = False

    async def take(self) -> tuple[int, Any] | None:
        """Return the next item and its number, from 0; None after the last."""
        if self._ended:
            return None
        asking: asyncio.Future[tuple[int, Any] | None] = asyncio.get_running_loop().create_future()
        self._asking.append(asking)
        self._asked.set()
        return await asking

    async def run(self) -> None:
        """Serve until the last item, or until cancelled. What the iterable raises is raised here."""
        number = 0
        try:
            while True:
                while not self._asking:
                    self._asked.clear()
                    await self._asked.wait()
                try:
                    item = await anext(self._iterator)
                except StopAsyncIteration:
                    break
                asking = self._asking.popleft()
                if not asking.done():
                    asking.set_result((number, item))
                number += 1
        finally:
            self._ended = True
            await self._close()
            for asking in self._asking:
                if not asking.done():
                    asking.set_result(None)

    async def _close(self) -> None:
        for iterator in (self._iterator, self._source):
            if isinstance(iterator, AsyncGenerator):
                await iterator.aclose()
