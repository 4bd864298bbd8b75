"""A rate: so many calls a second, and how many of them at once after a pause."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Self

from otel_parallelism import clock

if TYPE_CHECKING:
    from types import TracebackType


class Rate(AbstractAsyncContextManager[Any]):
    """
    Lets at most *per_second* calls a second start: a token bucket, also known as GCRA.

    In any stretch of *t* seconds at most ``burst + per_second * t`` calls start. One object may be given to several
    maps, tool runs and graphs, which then share it. Calls get their turn in the order in which they ask.

    Timers are no finer than a millisecond: above about 100 calls a second only a *burst* of some calls reaches the
    rate, without one it stays below.

    >>> Rate(10, burst=2)
    Rate(10, burst=2)
    """

    def __init__(self, per_second: float, *, burst: int = 1) -> None:
        """
        Args:
            per_second: Calls a second; below 1 for less than one, as in ``1 / 60``.
            burst: Calls that may start at once after a pause.

        Raises:
            ValueError: *per_second* is not above 0, or *burst* is below 1.
        """
        if not per_second > 0:
            raise ValueError(f"a rate must be above 0 calls a second, not {per_second!r}")
        if burst < 1:
            raise ValueError(f"burst= must be 1 or more, not {burst!r}")
        self.per_second = per_second
        self.burst = burst
        self._interval_s = 1 / per_second
        self._slack_s = (burst - 1) * self._interval_s
        self._due_s = 0.0
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    def __repr__(self) -> str:
        """Show what was asked for."""
        return f"Rate({self.per_second!r}, burst={self.burst!r})"

    async def __aenter__(self) -> Self:
        """Wait until the next call may start."""
        # The bucket is charged when a call starts, not when it asks: a timer that fires late must not let the next
        # call follow too closely. So only one waits for the clock, the others for their turn.
        async with self._lock():
            # A loop's timer may fire a little early.
            while (wait_s := self._due_s - self._slack_s - clock.monotonic_s()) > 0:  # noqa: ASYNC110 - it waits for the clock
                await asyncio.sleep(wait_s)
            self._due_s = max(self._due_s, clock.monotonic_s()) + self._interval_s
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is given back: a call counts whether it succeeded or not."""

    def _lock(self) -> asyncio.Lock:
        """Return the lock of the running loop: a rate may outlive the loop that it was first used in."""
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = (loop, asyncio.Lock())
        return self._turn[1]
