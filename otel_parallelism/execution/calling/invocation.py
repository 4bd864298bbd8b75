"""Makes a call: waits for its rate, applies its timeout, and retries it if it fails."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeAlias

from otel_parallelism import clock
from otel_parallelism.errors import CancelledCallError

from .call_spans import Outcome, Recording, discard_outcome, outcome_result
from .isolation import is_cancelled
from .rate import Rate
from .retry import Retrying, retry_policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from .worker_threads import WorkerThreads

Gate: TypeAlias = AbstractAsyncContextManager[Any]
"""A context that a call enters before it runs: a rate, a semaphore, or a limiter of ``aiolimiter``."""

Pace: TypeAlias = float | Gate
"""A rate: calls per second, or a gate such as ``Rate``, which other calls may share."""

_NOTHING: Mapping[str, Any] = {}


class Invocation:
    """
    Calls one function with its rate, timeout and retries.

    Timeout and gates apply to each attempt: a retried call waits for the rate again and has the full timeout again.
    """

    __slots__ = ("_gates", "_plain", "_recording", "_retry", "_threads", "_timeout_s")

    def __init__(
        self,
        recording: Recording,
        threads: WorkerThreads,
        *,
        gates: tuple[Gate, ...] = (),
        timeout_s: float | None = None,
        retry: Retrying | None = None,
    ) -> None:
        self._recording = recording
        self._threads = threads
        self._gates = gates
        self._timeout_s = timeout_s
        self._retry = retry_policy(retry)
        self._plain = recording.is_async and timeout_s is None and not gates and self._retry is None

    def __call__(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] = _NOTHING,
        submitted_ns: int = 0,
        call_id: str = "",
    ) -> Awaitable[Any]:
        """
        Return an awaitable that makes the call and gives its result.

        Args:
            args: Positional arguments.
            kwargs: Keyword arguments.
            submitted_ns: When the call began to wait, in nanoseconds since the epoch; 0 for now.
            call_id: The model's id of the call.

        Raises:
            TimeoutError: The last attempt took longer than the timeout.
            CancelledCallError: The function cancelled itself.
        """
        if self._plain:  # the same result at less cost
            return self._recording.isolated(args, kwargs, submitted_ns, call_id, whole=True)
        return self._attempts(args, kwargs, submitted_ns, call_id)

    async def _attempts(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str) -> Any:
        try:
            if self._retry is None:
                return await self._attempt(args, kwargs, submitted_ns, call_id)
            since_ns = submitted_ns

            async def attempt() -> Any:
                nonlocal since_ns
                # A later attempt waits from its own start: the pause before it is no queue time.
                this_ns, since_ns = since_ns or clock.now_ns(), 0
                try:
                    return await self._attempt(args, kwargs, this_ns, call_id)
                except Exception as error:
                    if is_cancelled():
                        # The function turned the cancellation into another error; a retry would ignore it.
                        raise asyncio.CancelledError from error
                    raise

            return await self._retry(attempt)()
        except asyncio.CancelledError as error:
            if not is_cancelled():
                raise CancelledCallError(f"{self._recording.name} was cancelled from within") from error
            raise

    async def _attempt(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str) -> Any:
        if not self._gates:
            return await self._body(args, kwargs, submitted_ns, call_id)
        async with AsyncExitStack() as stack:
            for gate in self._gates:
                await stack.enter_async_context(gate)
            return await self._body(args, kwargs, submitted_ns, call_id)

    async def _body(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str) -> Any:
        recording = self._recording
        if not recording.is_async:
            return await self._in_thread(args, kwargs, submitted_ns, call_id)
        if self._timeout_s is None:
            return await recording.isolated(args, kwargs, submitted_ns, call_id, whole=False)
        deadline = asyncio.timeout(self._timeout_s)
        try:
            async with deadline:
                return await recording.isolated(args, kwargs, submitted_ns, call_id, whole=False)
        except TimeoutError:
            if deadline.expired():
                raise self._too_late() from None
            raise

    async def _in_thread(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str
    ) -> Any:
        context = copy_context()

        def call() -> Outcome:
            return context.run(self._recording.run, args, kwargs, submitted_ns, call_id)

        deadline = asyncio.timeout(self._timeout_s)
        try:
            async with deadline:
                return await outcome_result(await self._threads.run(call, deadline, discard_outcome))
        except TimeoutError:
            if deadline.expired():
                raise self._too_late() from None
            raise

    def _too_late(self) -> TimeoutError:
        return TimeoutError(f"{self._recording.name} took longer than {self._timeout_s:g} s")


def rate_gates(rate: Pace | None) -> tuple[Gate, ...]:
    """
    Return the gates for *rate*.

    Raises:
        TypeError: *rate* is neither a number nor an async context manager.
        ValueError: *rate* is a number that is not above 0.
    """
    if rate is None:
        return ()
    if isinstance(rate, int | float):
        return (Rate(rate),)
    if not hasattr(rate, "__aenter__"):
        raise TypeError(f"rate= must be a number, a Rate or an async context manager, not {type(rate).__name__}")
    return (rate,)


def check_timeout(timeout_s: float | None) -> None:
    """
    Check a timeout.

    Raises:
        ValueError: *timeout_s* is not above 0 seconds.
    """
    if timeout_s is not None and not timeout_s > 0:
        raise ValueError(f"timeout= must be above 0 seconds, not {timeout_s!r}")
