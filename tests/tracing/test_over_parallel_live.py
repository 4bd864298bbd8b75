"""Too much parallelism is found while the program runs, written on the turn's span, and found again in its spans."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings, agent_turn, names, profiled
from tests import virtual_time
from tests.conftest import Kit

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from otel_parallelism.model import Finding

USER = "usr_83f1c2"
ASKED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "ship what Ada ordered"}]}]',
}


class RateLimitedError(Exception):
    """An error of an HTTP client."""

    def __init__(self, status_code: int) -> None:
        super().__init__("the server said no")
        self.status_code = status_code


class Service:
    """Answers three requests at once."""

    running = 0


@profiled(effect="read")
async def search(query: str) -> str:
    Service.running += 1
    try:
        if Service.running > 3:
            raise RateLimitedError(429)
        await asyncio.sleep(0.5)
    finally:
        Service.running -= 1
    return f"rows of {query}"


@profiled(effect="read")
async def read_page(number: int) -> str:
    await asyncio.sleep(1)
    return f"text of page {number}"


@profiled(effect="read")
async def get_price(item: str) -> int:
    await asyncio.sleep(0.5)
    if item == "lamp":
        raise ValueError(item)
    return 12


@profiled(effect="read")
async def find_user(name: str) -> dict[str, str]:
    await asyncio.sleep(0.2)
    return {"name": name, "id": USER}


@profiled
async def ship_order(user: str | None) -> str:
    await asyncio.sleep(0.4)
    if user is None:
        raise TypeError("user")
    return "shipped"


async def too_wide() -> None:
    found = await asyncio.gather(*(search(f"q{at}") for at in range(8)), return_exceptions=True)
    for at, one in enumerate(found):
        if isinstance(one, RateLimitedError):
            await search(f"q{at}")


async def one_fails() -> None:
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(get_price("lamp"))
            for number in (1, 2):
                group.create_task(read_page(number))
    except* ValueError:
        pass
    await asyncio.gather(read_page(1), read_page(2), get_price("desk lamp"))


async def one_needs_another() -> None:
    found, _ = await asyncio.gather(find_user("Ada"), ship_order(None), return_exceptions=True)
    assert isinstance(found, dict)
    await ship_order(found["id"])


@pytest.fixture
def capturing() -> Iterator[Kit]:
    kit = Kit(Settings(capture_content=True))
    yield kit
    kit.close()


@pytest.mark.parametrize(
    ("program", "tools", "advice"),
    [
        (too_wide, ("search",) * 5, "Run no more than 3 calls of search at once"),
        (one_fails, ("get_price", "read_page", "read_page"), "Let read_page ×2 finish when get_price fails"),
        (one_needs_another, ("find_user", "ship_order", "ship_order"), "Await find_user before ship_order."),
    ],
)
def test_found_live_and_in_stored_spans(
    program: Callable[[], Coroutine[Any, Any, None]], tools: tuple[str, ...], advice: str, capturing: Kit
) -> None:
    async def run() -> None:
        async with agent_turn("assistant", input="ship what Ada ordered"):
            with capturing.tracer().start_as_current_span("chat", attributes=ASKED):
                await asyncio.sleep(0.1)
            await program()

    virtual_time.run(run())
    (live,) = of_kind(capturing.reports[-1].findings)
    (stored,) = of_kind(capturing.stored().reports[-1].findings)
    assert (live.calls, live.recommendation.startswith(advice)) == (tools, True)
    assert (stored.calls, stored.span_ids, stored.avoidable) == (live.calls, live.span_ids, live.avoidable)
    (event,) = [
        event.attributes
        for event in capturing.span("invoke_agent assistant").events
        if event.attributes and event.attributes.get(names.FINDING_KIND) == "over_parallel"
    ]
    assert (event[names.FINDING_CAUSE], event[names.FINDING_ADVICE]) == ("over_parallel", "potential")
    counted = [
        point
        for point in capturing.points("agent.parallelism.findings")
        if point.attributes["agent.parallelism.cause"] == "over_parallel"
    ]
    assert [point.value for point in counted] == [1]


def of_kind(findings: tuple[Finding, ...]) -> list[Finding]:
    return [one for one in findings if one.kind == "over_parallel"]
