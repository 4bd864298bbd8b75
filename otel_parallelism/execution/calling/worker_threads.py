"""
Threads for functions that are not async.

A thread cannot be stopped. So one whose call was cancelled is waited for, that nothing is left running; and one whose
call took longer than its timeout is not, that is what a timeout is for: it goes on, and keeps its place in the pool
until it ends, so that never more than the limit run.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


class Threads:
    """At most *most* threads, started when first needed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool: ThreadPoolExecutor | None = None

    async def run(self, function: Callable[[], R], deadline: asyncio.Timeout, drop: Callable[[R], None]) -> R:
        """
        Return what *function* returns in a thread; *drop* is given what it returns when nobody waits any more.

        To be awaited inside *deadline*, which so counts the wait for a thread as well: a call that never got one,
        because earlier ones hang, is dropped.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="parallelism")
        running = self._pool.submit(function)
        try:
            await _end_of(running)
        except asyncio.CancelledError:
            if not running.cancel():
                running.add_done_callback(lambda done: drop(done.result()))
            while not running.done() and not deadline.expired():
                with suppress(asyncio.CancelledError):
                    await _end_of(running)
            raise
        return running.result()

    def close(self) -> None:
        """Let the threads go, without waiting for those whose call timed out."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


async def _end_of(running: Future[R]) -> None:
    """Wait until *running* is done, whatever came of it; being cancelled does not touch it."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def notify() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def done(_: object) -> None:
        # A loop that was closed meanwhile has nobody left to tell.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(notify)

    running.add_done_callback(done)
    await waiter
