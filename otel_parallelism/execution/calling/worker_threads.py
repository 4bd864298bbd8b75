"""
Runs sync functions in worker threads.

A thread cannot be stopped. If a call is cancelled, its thread is awaited, so that nothing is left running. If a call
exceeds its timeout, its thread is not awaited: it keeps its place in the pool until it ends, so that never more
threads than the limit run.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


class WorkerThreads:
    """A pool of at most *most* threads, which are started when needed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool: ThreadPoolExecutor | None = None

    async def run(self, function: Callable[[], R], deadline: asyncio.Timeout, drop: Callable[[R], None]) -> R:
        """
        Run *function* in a thread and return its result.

        Await it inside *deadline*: the timeout includes the wait for a thread, and a call that is still waiting for
        one is dropped.

        Args:
            function: The function to run; it must not raise.
            deadline: The timeout of the call.
            drop: Called with the result if the caller no longer waits for it.
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
        """Shut the pool down, without waiting for threads whose calls timed out."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


async def _end_of(running: Future[R]) -> None:
    """Wait until *running* is done; a cancellation does not affect it."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def notify() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def done(_: object) -> None:
        # The loop may have been closed meanwhile.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(notify)

    running.add_done_callback(done)
    await waiter
