"""Builds a page from three services, one of them down: with calls one by one, and with asyncio.gather."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from otel_parallelism import agent_turn, profiled

if TYPE_CHECKING:
    from collections.abc import Awaitable


@profiled(effect="read")
async def get_profile(user: str) -> str:
    """Return the user's profile."""
    await asyncio.sleep(0.2)
    return f"profile of {user}"


@profiled(effect="read")
async def get_orders(user: str) -> str:
    """Return the user's orders."""
    await asyncio.sleep(0.2)
    return f"orders of {user}"


@profiled(effect="read")
async def get_reviews(user: str) -> str:
    """Fail, because this service is down."""
    await asyncio.sleep(0.1)
    raise ConnectionError(f"no reviews of {user}")


SOURCES = (get_profile, get_orders, get_reviews)


async def one_by_one(user: str) -> dict[str, str]:
    """Call one source after another, and leave out a source that fails."""
    page = {}
    for source in SOURCES:
        try:
            page[source.__name__] = await source(user)
        except ConnectionError as error:
            print(f"left out: {error}")
    return page


async def together(user: str) -> dict[str, str]:
    """Call all sources at once. A failure does not cancel the other calls; its source is left out."""
    results = await asyncio.gather(*(source(user) for source in SOURCES), return_exceptions=True)
    page = {}
    for source, result in zip(SOURCES, results, strict=True):
        if isinstance(result, ConnectionError):
            print(f"left out: {result}")
        elif isinstance(result, BaseException):
            raise result  # a bug here, not a failure of the service
        else:
            page[source.__name__] = result
    return page


async def show(name: str, page: Awaitable[dict[str, Any]]) -> None:
    """Build a page inside a turn, and print the turn's report."""
    async with agent_turn(name) as turn:
        found = await page
    if turn.report:
        print(f"{name}: {', '.join(found)} in {turn.report.makespan:.1f} s, ratio {turn.report.ratio:.1f}")


async def main() -> None:
    """Build the page in both ways."""
    await show("one by one", one_by_one("ana"))
    await show("together", together("ana"))


if __name__ == "__main__":
    asyncio.run(main())
