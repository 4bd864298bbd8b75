"""
The workers of a bounded map, and the transfer of their results to the consumer.

A fixed number of worker tasks take items from one source, each when its last call has ended. There is no task,
semaphore or queue per item, and an item is created only when a worker is ready for it. At most *limit* calls run, and
at most *limit* results wait for their turn or for a slow consumer. Invariant: once ``stop`` returns, no task of the
batch is left, and no thread except those whose calls timed out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from otel_parallelism import clock

from .sources import Feed, chunks

if TYPE_CHECKING:
    from otel_parallelism.execution.calling.invocation import Invocation
    from otel_parallelism.execution.calling.worker_threads import WorkerThreads

    from .progress import Progress

R = TypeVar("R")
ErrorPolicy: TypeAlias = Literal["raise", "return", "skip"]

_SKIPPED: Any = object()
_BREATH = 32
"""The number of items after which a worker yields to the event loop, even if none of its calls waited."""


class Batch(Generic[R]):
    """One run over one source of items; ``collect`` or ``stream`` starts it, once."""

    def __init__(
        self,
        items: Iterable[Any] | AsyncIterable[Any],
        invocation: Invocation,
        threads: WorkerThreads,
        *,
        limit: int,
        total: int | None,
        chunk: int | None,
        ordered: bool,
        on_error: ErrorPolicy,
        progress: Progress | None,
    ) -> None:
        self._items = items
        self._invocation = invocation
        self._threads = threads
        self._limit = limit
        self._total = total
        self._chunk = chunk
        self._ordered = ordered
        self._on_error = on_error
        self._progress = progress
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers = self._active = 0
        self._pairs: Iterator[tuple[int, Any]] = iter(())
        self._feed: Feed | None = None
        self._context = Context()
        self._started_ns = 0
        self._stopping = False
        self._error: BaseException | None = None
        # The bound on items that are taken and whose results have not left, and both counts.
        self._window: int | None = None
        self._taken = self._left = 0
        self._space: deque[asyncio.Future[None]] = deque()
        self._ready: dict[int, Any] = {}
        self._arrived = 0
        self._consumer: asyncio.Future[None] | None = None

    async def collect(self) -> list[R]:
        """Run to the end and return all results."""
        try:
            self._start()
            while self._active and self._error is None:
                await self._news()
            self._raise()
        finally:
            await self.stop()
        ready = self._ready
        numbers = range(len(ready)) if self._ordered else ready
        return [ready[number] for number in numbers if ready[number] is not _SKIPPED]

    async def stream(self) -> AsyncGenerator[R, None]:
        """Yield the results in the order of completion, or of the items if ordered."""
        self._window = 2 * self._limit
        ready = self._ready
        try:
            self._start()
            while True:
                while self._left in ready:
                    result = ready.pop(self._left)
                    self._left += 1
                    if self._space:
                        _wake(self._space.popleft())
                    if result is not _SKIPPED:
                        yield result
                if not self._active or self._error is not None:
                    break
                await self._news()
            self._raise()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Cancel the running calls and wait until they have ended."""
        self._stopping = True
        cancelled: asyncio.CancelledError | None = None
        self._cancel_others()
        while self._tasks:
            try:
                await asyncio.wait(self._tasks)
            except asyncio.CancelledError as error:
                # Raised after the calls have ended.
                cancelled = error
                self._cancel_others()
        self._threads.close()
        if self._progress is not None:
            self._progress.close()
        if cancelled is not None:
            try:
                raise cancelled
            finally:
                del cancelled  # breaks the reference cycle through its traceback

    def _start(self) -> None:
        self._context = copy_context()
        if self._progress is not None:
            self._progress.start()
        self._started_ns = clock.now_ns()
        if isinstance(self._items, AsyncIterable):
            self._feed = Feed(self._items, self._chunk)
            self._run(self._feeding(self._feed))
        else:
            self._pairs = enumerate(self._items if self._chunk is None else chunks(self._items, self._chunk))
        # If the number of items is known, all workers start at once; else each starts the next after it got an item.
        needed = 1 if self._total is None else -(-self._total // (self._chunk or 1))
        for _ in range(min(self._limit, needed)):
            self._hire()

    def _hire(self) -> None:
        if self._workers < self._limit and not self._stopping:
            self._workers += 1
            self._active += 1
            self._run(self._work(hires=self._total is None))

    def _run(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine, context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _feeding(self, feed: Feed) -> None:
        try:
            await feed.run()
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, Exception):
                raise

    async def _work(self, *, hires: bool) -> None:
        try:
            await self._work_off(hires=hires)
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._active -= 1
            if not self._active:
                self._tell()

    async def _work_off(self, *, hires: bool) -> None:
        invocation, ready = self._invocation, self._ready
        breath = _BREATH
        while not self._stopping:
            while self._window is not None and self._taken - self._left >= self._window:
                await self._room()
            self._taken += 1
            pair = next(self._pairs, None) if self._feed is None else await self._feed.take()
            if pair is None:
                self._taken -= 1
                return
            if hires:
                hires = False
                asyncio.get_running_loop().call_soon(self._hire)
            number, item = pair
            try:
                result = await invocation((item,), submitted_ns=self._started_ns if self._total else clock.now_ns())
            except Exception as error:
                if self._on_error == "raise":
                    raise
                result = error if self._on_error == "return" else _SKIPPED
            ready[number if self._ordered else self._arrived] = result
            self._arrived += 1
            if self._window is not None:
                self._tell()
            if self._progress is not None:
                self._progress.add(len(item) if self._chunk else 1)
            breath -= 1
            if not breath:
                breath = _BREATH
                await asyncio.sleep(0)

    def _fail(self, error: BaseException) -> None:
        """End the batch with *error*, unless it is ending already."""
        if not self._stopping:
            self._stopping = True
            self._error = error
            self._cancel_others()
            self._tell()

    def _cancel_others(self) -> None:
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()

    def _raise(self) -> None:
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # breaks the reference cycle through its traceback

    def _tell(self) -> None:
        if self._consumer is not None:
            _wake(self._consumer)

    async def _news(self) -> None:
        self._consumer = asyncio.get_running_loop().create_future()
        await self._consumer

    async def _room(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._space.append(waiter)
        await waiter


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
