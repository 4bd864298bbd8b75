"""Decides whether a failed call is retried, and after which pause."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec

Attempt: TypeAlias = Callable[[], Awaitable[Any]]
"""Makes one attempt at a call; each has its own span."""

Retrying: TypeAlias = "int | Retry | Callable[[Attempt], Attempt]"
"""A number of further attempts, a policy, or a decorator such as ``tenacity.retry(...)`` or ``stamina.retry(...)``."""


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """
    Retries a failed call, after pauses of growing length.

    The first pause is *wait* seconds, each later one *factor* times as long as the one before, at most *longest*. Each
    is shortened at random by up to half, so that calls that failed together are not retried together. A cancelled call
    is never retried.

    Attributes:
        times: Attempts after the first.
        on: The exceptions after which a call is retried.
        wait: The first pause, in seconds.
        factor: The ratio of each pause to the one before.
        longest: The longest pause, in seconds.
    """

    times: int = 2
    on: type[Exception] | tuple[type[Exception], ...] = Exception
    wait: float = 0.1
    factor: float = 2.0
    longest: float = 30.0

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: *times* or a pause is below 0, or *factor* is below 1.
        """
        if self.times < 0:
            raise ValueError(f"times= must be 0 or more, not {self.times!r}")
        if self.wait < 0 or self.longest < 0:
            raise ValueError("wait= and longest= must be 0 seconds or more")
        if self.factor < 1:
            raise ValueError(f"factor= must be 1 or more, not {self.factor!r}")

    def __call__(self, attempt: Attempt) -> Attempt:
        """Return a function that calls *attempt* until it succeeds or this policy ends."""

        async def attempts() -> Any:
            wait_s = min(self.wait, self.longest)
            for _ in range(self.times):
                try:
                    return await attempt()
                except self.on:
                    await asyncio.sleep(wait_s * random.uniform(0.5, 1))  # noqa: S311 - spreads load, hides nothing
                    wait_s = min(wait_s * self.factor, self.longest)
            return await attempt()

        return attempts


def retry_policy(retry: Retrying | None) -> Callable[[Attempt], Attempt] | None:
    """
    Return the decorator for *retry*; None if calls are not retried.

    Raises:
        TypeError: *retry* is neither a number nor callable.
        ValueError: *retry* is a number below 0.
    """
    if retry is None or retry == 0:
        return None
    if isinstance(retry, int):
        return Retry(times=retry)
    if not callable(retry):
        raise TypeError(f"retry= must be a number, a Retry or a decorator, not {type(retry).__name__}")
    return retry
