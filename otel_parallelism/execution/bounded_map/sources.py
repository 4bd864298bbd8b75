"""Takes items from sync and async iterables, one at a time, when a worker is ready."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator, Sized
from itertools import islice
from typing import Any


def total_of(items: Iterable[Any] | AsyncIterable[Any]) -> int | None:
    """Return the number of *items*; None if they have no length."""
    return len(items) if isinstance(items, Sized) else None


def chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """
    Yield lists of *size* items, the last may be shorter.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


async def async_chunks(items: AsyncIterator[Any], size: int) -> AsyncIterator[list[Any]]:
    """Yield lists of *size* items, the last may be shorter."""
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
    Distributes the items of an async iterable to several workers.

    One task iterates, since an async generator may keep a timeout or a cancel scope open between two items, and these
    belong to the task that opened them. It takes an item only when a worker waits for one.
    """

    def __init__(self, items: AsyncIterable[Any], chunk: int | None) -> None:
        self._source: AsyncIterator[Any] = aiter(items)
        self._iterator = self._source if chunk is None else async_chunks(self._source, chunk)
        self._waiting: deque[asyncio.Future[tuple[int, Any] | None]] = deque()
        self._requested = asyncio.Event()
        self._ended = False

    async def take(self) -> tuple[int, Any] | None:
        """Return the next item and its number, from 0; None after the last."""
        if self._ended:
            return None
        waiter: asyncio.Future[tuple[int, Any] | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._requested.set()
        return await waiter

    async def run(self) -> None:
        """Distribute items until the last one, or until cancelled; exceptions of the iterable are raised."""
        number = 0
        try:
            while True:
                while not self._waiting:
                    self._requested.clear()
                    await self._requested.wait()
                try:
                    item = await anext(self._iterator)
                except StopAsyncIteration:
                    break
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_result((number, item))
                number += 1
        finally:
            self._ended = True
            await self._close()
            for waiter in self._waiting:
                if not waiter.done():
                    waiter.set_result(None)

    async def _close(self) -> None:
        for iterator in (self._iterator, self._source):
            if isinstance(iterator, AsyncGenerator):
                await iterator.aclose()
