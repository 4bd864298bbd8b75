"""Limits the rate at which calls start, with a burst after a pause."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Self

from otel_parallelism import clock

if TYPE_CHECKING:
    from types import TracebackType


class Rate(AbstractAsyncContextManager[Any]):
    """
    Lets at most *per_second* calls start per second: a token bucket, also known as GCRA.

    In any stretch of *t* seconds at most ``burst + per_second * t`` calls start. Several maps,
    tool runs and graphs may share one object. Calls start in the order in which they wait.

    Timers have a resolution of about a millisecond: above about 100 calls per second, the rate is reached only with a
    *burst* of several calls.

    >>> Rate(10, burst=2)
    Rate(10, burst=2)
    """

    def __init__(self, per_second: float, *, burst: int = 1) -> None:
        """
        Args:
            per_second: Calls per second; ``1 / 60`` is one call per minute.
            burst: Calls that may start at once after a pause.

        Raises:
            ValueError: *per_second* is not above 0, or *burst* is below 1.
        """
        if not per_second > 0:
            raise ValueError(f"a rate must be above 0 calls per second, not {per_second!r}")
        if burst < 1:
            raise ValueError(f"burst= must be 1 or more, not {burst!r}")
        self.per_second = per_second
        self.burst = burst
        self._interval_s = 1 / per_second
        self._slack_s = (burst - 1) * self._interval_s
        self._due_s = 0.0
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    def __repr__(self) -> str:
        """Show both values."""
        return f"Rate({self.per_second!r}, burst={self.burst!r})"

    async def __aenter__(self) -> Self:
        """Wait until the next call may start."""
        # The bucket is charged when a call starts, not when it begins to wait: after a late timer the next call would
        # follow too closely. So one call waits for the clock, the others for the lock.
        async with self._lock():
            # A timer may fire slightly early.
            while (wait_s := self._due_s - self._slack_s - clock.monotonic_s()) > 0:  # noqa: ASYNC110 - it waits for the clock
                await asyncio.sleep(wait_s)
            self._due_s = max(self._due_s, clock.monotonic_s()) + self._interval_s
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: failed calls count too."""

    def _lock(self) -> asyncio.Lock:
        """Return the lock of the running loop; a rate may be used in several loops in turn."""
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = (loop, asyncio.Lock())
        return self._turn[1]
