"""``parallel_map``: calls a function on many items, at most *limit* at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, Unpack, overload

from otel_parallelism.execution.calling.call_spans import Recording, calling_place
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
    A map that starts when it is awaited, for a list, or iterated over; once.

    If ``async for`` is left early, the running calls are cancelled shortly after. ``await aclose()``, or
    ``async with contextlib.aclosing(...)`` around the loop, cancels them and waits for their end.
    """

    def __init__(self, batch: Batch[R]) -> None:
        self._batch = batch
        self._results: AsyncGenerator[R, None] | None = None
        self._begun = False

    def __await__(self) -> Generator[Any, Any, list[R]]:
        """Return all results, in a list."""
        self._begin()
        return self._batch.collect().__await__()

    def __aiter__(self) -> AsyncIterator[R]:  # noqa: PYI034 - a loop that is left early drops it, which cancels the calls
        """Return an iterator of the results."""
        if self._results is not None:
            return self._results
        self._begin()
        # No reference is kept: a loop that is left early drops the iterator, which cancels the calls.
        return self._batch.stream()

    async def __anext__(self) -> R:
        """Return the next result."""
        if self._results is None:
            self._begin()
            self._results = self._batch.stream()
        return await anext(self._results)

    async def aclose(self) -> None:
        """Cancel the running calls and wait until they have ended."""
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


# Async functions come first: a function that returns an awaitable matches the sync overloads too.
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
    Call *fn* on every item, at most *limit* at a time: ``await`` it for a list, or ``async for`` over the results.

    *items* may be endless: an item is taken only when a call can start, and at most *limit* results wait for their turn
    or for a slow consumer. Each call runs in its own copy of the context and is recorded as a tool call of the
    enclosing turn, with its queue time. Exceptions from *items* or from the progress callback always end the map,
    regardless of *on_error*.

    Args:
        items: The items; an async generator is closed when the map ends.
        fn: The function; a sync one runs in a thread.
        limit: Maximum number of concurrent calls, at least 1.
        rate: Maximum number of calls per second; or a ``Rate``, which has a burst and may be shared; or an async
            context manager that each call enters, such as a semaphore or a limiter of ``aiolimiter``.
        ordered: Whether results come in the order of the items rather than of completion.
        on_error: Whether an exception of *fn* ends the map and cancels the running calls (``raise``), is the result
            (``return``), or leaves the item out (``skip``).
        timeout: Maximum duration of an attempt, in seconds, from the start of its body; then a ``TimeoutError``.
        retry: Number of further attempts (with growing pauses), a ``Retry``, or a decorator such as
            ``tenacity.retry(...)``. A call counts for *limit* during its pauses.
        chunk: Call *fn* on lists of this many items; each list has one result.
        progress: Called with the number of items done and the total (None if *items* has no length); True draws a
            bar in a terminal.
        name: The tool name of the calls; by default the function's.
        spans: Whether the calls are recorded as spans.

    Raises:
        TypeError: *items* is not iterable, *fn* is not a function or is a generator function, or an option has the
            wrong type.
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
    place = calling_place()
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
    Check an option that is a count.

    Raises:
        TypeError: *value* is not an integer.
        ValueError: *value* is below 1.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{option}= must be an integer, not {value!r}")
    if value < 1:
        raise ValueError(f"{option}= must be 1 or more, not {value!r}")
