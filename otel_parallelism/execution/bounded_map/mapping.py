"""``parallel_map``: a function over many items, so many at once, with results as they come or in order."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, Unpack, overload

from otel_parallelism.execution.calling.call_spans import Recording, place_of
from otel_parallelism.execution.calling.invocation import Invocation, Pace, check_timeout, rate_gates
from otel_parallelism.execution.calling.worker_threads import WorkerThreads

from .batch import Batch, ErrorPolicy
from .progress import Callback, Progress
from .sources import total_of

if TYPE_CHECKING:
    from otel_parallelism.execution.calling.retry import Retrying

T = TypeVar("T")
R = TypeVar("R")


class ParallelMap(AsyncIterator[R], Awaitable[list[R]], Generic[R]):
    """
    A map that has not begun: await it for a list, or iterate over it; once.

    Leaving ``async for`` early ends the calls that still run, a moment later; ``await aclose()``, or
    ``async with contextlib.aclosing(...)`` around the loop, ends them there and then.
    """

    def __init__(self, batch: Batch[R]) -> None:
        self._batch = batch
        self._results: AsyncGenerator[R, None] | None = None
        self._begun = False

    def __await__(self) -> Generator[Any, Any, list[R]]:
        """Return all results, in a list."""
        self._begin()
        return self._batch.collect().__await__()

    def __aiter__(self) -> AsyncIterator[R]:  # noqa: PYI034 - a loop that is left early lets go of it, which ends the calls
        """Return an iterator of the results."""
        if self._results is not None:
            return self._results
        self._begin()
        # Not kept here: a loop that is left early then lets go of it, which ends the calls.
        return self._batch.stream()

    async def __anext__(self) -> R:
        """Return the next result."""
        if self._results is None:
            self._begin()
            self._results = self._batch.stream()
        return await anext(self._results)

    async def aclose(self) -> None:
        """End the calls that still run, and wait until they have ended."""
        self._begun = True
        if self._results is not None:
            await self._results.aclose()
        await self._batch.stop()

    def _begin(self) -> None:
        if self._begun:
            raise RuntimeError("a parallel_map can be awaited or iterated over once")
        self._begun = True


class _Options(TypedDict, total=False):
    rate: Pace | None
    ordered: bool
    timeout: float | None
    retry: Retrying | None
    progress: bool | Callback | None
    name: str | None
    spans: bool


# An async function is tried first: a function that returns an awaitable matches the plain one as well.
@overload
def parallel_map(
    items: Iterable[T] | AsyncIterable[T],
    fn: Callable[[T], Awaitable[R]],
    *,
    limit: int,
    on_error: Literal["raise", "skip"] = "raise",
    chunk: None = None,
    **options: Unpack[_Options],
) -> ParallelMap[R]: ...
@overload
def parallel_map(
    items: Iterable[T] | AsyncIterable[T],
    fn: Callable[[T], Awaitable[R]],
    *,
    limit: int,
    on_error: Literal["return"],
    chunk: None = None,
    **options: Unpack[_Options],
) -> ParallelMap[R | Exception]: ...
@overload
def parallel_map(
    items: Iterable[T] | AsyncIterable[T],
    fn: Callable[[list[T]], Awaitable[R]],
    *,
    limit: int,
    on_error: Literal["raise", "skip"] = "raise",
    chunk: int,
    **options: Unpack[_Options],
) -> ParallelMap[R]: ...
@overload
def parallel_map(
    items: Iterable[T] | AsyncIterable[T],
    fn: Callable[[list[T]], Awaitable[R]],
    *,
    limit: int,
    on_error: Literal["return"],
    chunk: int,
    **options: Unpack[_Options],
) -> ParallelMap[R | Exception]: ...
@overload
def parallel_map(
    items: Iterable[T] | AsyncIterable[T],
    fn: Callable[[T], R],
    *,
    limit: int,
    on_error: Literal["raise", "skip"] = "raise",
    chunk: None = None,
    **options: Unpack[_Options],
) -> ParallelMap[R]: ...
@overload
def parallel_map(
    items: Iterable[T] | AsyncIterable[T],
    fn: Callable[[T], R],
    *,
    limit: int,
    on_error: Literal["return"],
    chunk: None = None,
    **options: Unpack[_Options],
) -> ParallelMap[R | Exception]: ...
@overload
def parallel_map(
    items: Iterable[T] | AsyncIterable[T],
    fn: Callable[[list[T]], R],
    *,
    limit: int,
    on_error: Literal["raise", "skip"] = "raise",
    chunk: int,
    **options: Unpack[_Options],
) -> ParallelMap[R]: ...
@overload
def parallel_map(
    items: Iterable[T] | AsyncIterable[T],
    fn: Callable[[list[T]], R],
    *,
    limit: int,
    on_error: Literal["return"],
    chunk: int,
    **options: Unpack[_Options],
) -> ParallelMap[R | Exception]: ...
def parallel_map(
    items: Iterable[Any] | AsyncIterable[Any],
    fn: Callable[[Any], Any],
    *,
    limit: int,
    rate: Pace | None = None,
    ordered: bool = True,
    on_error: ErrorPolicy = "raise",
    timeout: float | None = None,
    retry: Retrying | None = None,
    chunk: int | None = None,
    progress: bool | Callback | None = None,
    name: str | None = None,
    spans: bool = True,
) -> ParallelMap[Any]:
    """
    Call *fn* on every item, at most *limit* at once: ``await`` it for a list, or ``async for`` over the results.

    Items are taken only when there is room, so *items* may be endless: beside the calls that run, at most *limit*
    results wait for their turn or for a slow consumer. Each call runs in a context of its own and is a tool call of
    the turn around, with the time it waited as its queue time.

    Args:
        items: What to call *fn* on; an async generator is closed when the map ends.
        fn: Async, or else it is run in a thread.
        limit: Calls at once, 1 or more.
        rate: Calls a second, besides; or a ``Rate``, which has a burst and may be shared, or any async context
            manager that a call has to pass, such as a semaphore or a limiter of ``aiolimiter``.
        ordered: Results in the order of the items, rather than as they come.
        on_error: What an exception in *fn* does: ``raise`` ends the map with it and cancels the calls that still run,
            ``return`` makes it the result, ``skip`` leaves the item out.
        timeout: Seconds an attempt may take, from when its body runs; then it is a ``TimeoutError``.
        retry: How many more attempts an item gets (with growing pauses), a ``Retry``, or a decorator that makes them,
            such as ``tenacity.retry(...)``. The call keeps its place meanwhile.
        chunk: Call *fn* on lists of so many items; there is one result a list.
        progress: Called with the items done and all items (None where *items* does not know); True draws a bar in
            a terminal.
        name: The calls' tool name; the function's own if not given.
        spans: Whether the calls are recorded.

    Raises:
        TypeError: *items* is not iterable, *fn* is no function or a generator function, or an option is of the wrong
            type.
        ValueError: An option is out of its range.

    >>> import asyncio
    >>> async def double(number: int) -> int:
    ...     return 2 * number
    >>> async def main() -> list[int]:
    ...     return await parallel_map(range(5), double, limit=2)
    >>> asyncio.run(main())
    [0, 2, 4, 6, 8]
    """
    if not isinstance(items, Iterable | AsyncIterable):
        raise TypeError(f"items must be iterable, not {type(items).__name__}")
    if on_error not in ("raise", "return", "skip"):
        raise ValueError(f"on_error= must be 'raise', 'return' or 'skip', not {on_error!r}")
    check_count("limit", limit)
    if chunk is not None:
        check_count("chunk", chunk)
    check_timeout(timeout)
    place = place_of(sys._getframe(1))  # noqa: SLF001 - as inspect's, cheaper
    recording = Recording(fn, name=name, place=place, spans=spans)
    threads = WorkerThreads(limit)
    total = total_of(items)
    return ParallelMap(
        Batch(
            items,
            Invocation(recording, threads, gates=rate_gates(rate), timeout_s=timeout, retry=retry),
            threads,
            limit=limit,
            total=total,
            chunk=chunk,
            ordered=ordered,
            on_error=on_error,
            progress=Progress(progress, total, recording.name) if progress else None,
        )
    )


def check_count(option: str, value: int) -> None:
    """
    Raises:
        TypeError: *value* is no whole number.
        ValueError: It is below 1.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{option}= must be a whole number, not {value!r}")
    if value < 1:
        raise ValueError(f"{option}= must be 1 or more, not {value!r}")
