"""Runs calls that depend on each other; each starts as soon as its dependencies have ended."""

from __future__ import annotations

import asyncio

from otel_parallelism.execution import TaskGraph

graph = TaskGraph(on_failure="dependents")


@graph.task(expected=0.3)
async def user(name: str) -> int:
    """Return the user's number; *name* is an input of the run."""
    await asyncio.sleep(0.3)
    return len(name)


@graph.task(expected=0.2, timeout=2, retry=2)
async def orders(user: int) -> list[int]:
    """Take the result of the task *user*, because the parameter has its name."""
    await asyncio.sleep(0.2)
    return [user, user + 1]


@graph.task(expected=0.2)
async def invoices(orders: list[int]) -> str:
    """Take the result of the task *orders*."""
    await asyncio.sleep(0.2)
    return f"{len(orders)} invoices"


@graph.task(expected=0.4)
async def news() -> str:
    """Depend on no task, and so start at once."""
    await asyncio.sleep(0.4)
    return "no news"


@graph.task(expected=0)
def page(invoices: str, news: str) -> str:
    """Take two results. The function is not async, so it runs in a thread."""
    return f"{invoices}, {news}"


async def main() -> None:
    """Print the plan, run the graph, and print what it did."""
    print(graph.plan().text())
    results = await graph.run(name="ana")
    print(results[page])  # a str, as a type checker knows
    print(graph.report().text())


if __name__ == "__main__":
    asyncio.run(main())
