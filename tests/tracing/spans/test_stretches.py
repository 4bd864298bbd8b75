"""How long a call holds the event loop's thread between two suspensions."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, names, profiled
from tests.virtual_time import exactly
from tests.virtual_time import run as run_virtually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from conftest import Kit


def hold(seconds: float) -> None:
    """Hold the event loop on purpose."""
    time.sleep(seconds)


@profiled(effect="read")
async def ask_and_block(key: str) -> str:
    await asyncio.sleep(0.5)
    hold(0.2)
    await asyncio.sleep(0.5)
    hold(0.3)
    return f"value of {key}"


@profiled(effect="read")
def block(key: str) -> str:
    hold(0.4)
    return f"value of {key}"


@profiled(effect="read")
async def wait(key: str) -> str:
    await asyncio.sleep(0.4)
    hold(0.009)
    return f"value of {key}"


@profiled(effect="read")
def promise(key: str) -> Any:
    return asyncio.ensure_future(asyncio.sleep(0.4, key))


@profiled(effect="read")
def make_coroutine(key: str) -> Any:
    async def body() -> str:
        await asyncio.sleep(0.2)
        hold(0.3)
        return key

    return body()


@profiled(effect="read")
async def stream(key: str) -> AsyncIterator[str]:
    for _ in range(2):
        await asyncio.sleep(0.1)
        hold(0.2)
        yield key


@profiled(effect="read")
def list_pages(key: str) -> Iterator[str]:
    for _ in range(2):
        hold(0.2)
        yield key


async def held(kit: Kit, run: Any) -> float | None:
    """Return what the one call that *run* makes is said to have held the loop for, on its span and in the report."""
    async with agent_turn("assistant"):
        await run()
    (found,) = kit.reports[-1].turn.calls
    (span,) = kit.calls()
    written = (span.attributes or {}).get(names.BLOCKED)
    assert found.blocked_ns == (round(written * 1e9) if isinstance(written, float) else 0)
    return written if isinstance(written, float) else None


async def test_stretches_between_suspensions_are_added_up(kit: Kit) -> None:
    assert await held(kit, lambda: ask_and_block("a")) == exactly(0.5)


async def test_a_plain_function_in_the_loop_holds_it_all_the_time(kit: Kit) -> None:
    async def run() -> None:
        block("a")

    assert await held(kit, run) == exactly(0.4)


async def test_a_plain_function_in_a_thread_holds_no_loop(kit: Kit) -> None:
    assert await held(kit, lambda: asyncio.to_thread(block, "a")) is None


def test_a_plain_function_without_a_loop_holds_none(kit: Kit) -> None:
    with agent_turn("assistant"):
        block("a")
    assert kit.reports[-1].turn.calls[0].blocked_ns == 0


@pytest.mark.parametrize("tool", [wait, promise])
async def test_waiting_holds_nothing(kit: Kit, tool: Any) -> None:
    assert await held(kit, lambda: tool("a")) is None


async def test_a_coroutine_that_a_plain_function_returns_is_measured(kit: Kit) -> None:
    assert await held(kit, lambda: make_coroutine("a")) == exactly(0.3)


async def test_the_consumers_time_is_not_the_generators(kit: Kit) -> None:
    async def consume() -> None:
        async for _ in stream("a"):
            hold(1)

    assert await held(kit, consume) == exactly(0.4)


async def test_the_consumers_time_is_not_the_plain_generators(kit: Kit) -> None:
    async def consume() -> None:
        for _ in list_pages("a"):
            hold(1)

    assert await held(kit, consume) == exactly(0.4)


async def test_a_cancelled_call_passes_the_cancellation_on(kit: Kit) -> None:
    seen: list[str] = []

    @profiled
    async def clean_up() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            seen.append("cancelled")
            hold(0.1)
            await asyncio.sleep(0.1)
            raise

    async def run() -> None:
        task = asyncio.ensure_future(clean_up())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await held(kit, run) == exactly(0.1)
    assert seen == ["cancelled"]


async def test_an_error_that_a_future_raises_is_not_the_context_of_later_ones(kit: Kit) -> None:
    @profiled
    async def recover() -> BaseException | None:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 0.1)
        try:
            int("later")
        except ValueError as error:
            return error.__context__
        return None

    async with agent_turn("assistant"):
        assert await recover() is None


async def test_async_functions_that_block_after_an_await_are_named(kit: Kit) -> None:
    @profiled(effect="read")
    async def fetch(key: str) -> str:
        await asyncio.sleep(0.01)
        hold(0.3)
        return f"value of {key}"

    async with agent_turn("assistant"):
        await asyncio.gather(*(fetch(key) for key in "abc"))
    report = kit.reports[-1]
    assert (report.verdict, report.avoidable) == ("contended", exactly(0.6))
    (finding,) = report.findings
    assert (report.cause, finding.cause) == ("blocking", "blocking")
    assert finding.location is not None
    assert finding.location.file_path == __file__
    assert "await async clients, or move the code that blocks" in finding.recommendation
    assert f"{__file__}:{finding.location.line_number}" in finding.recommendation
    (stored,) = kit.stored().reports
    assert (stored.verdict, stored.cause, stored.avoidable_potential) == (
        report.verdict,
        report.cause,
        exactly(report.avoidable_potential),
    )
    assert stored.effective_ratio == exactly(report.effective_ratio or 0)


async def test_advice_for_a_plain_and_an_async_function_is_for_each_its_own(kit: Kit) -> None:
    async with agent_turn("assistant", input="alpha or beta"):
        block("alpha")
        await wait("beta")
    (finding,) = kit.reports[-1].findings
    assert finding.cause == "code"
    assert finding.recommendation.endswith(": asyncio.gather, with asyncio.to_thread for block.")


def test_the_thread_is_that_of_the_loop_and_not_the_one_that_made_the_call(kit: Kit) -> None:
    with agent_turn() as turn:
        made = ask_and_block("a")
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(run_virtually, made))
        thread.start()
        thread.join()
    assert turn.report is not None
    (call,) = turn.report.turn.calls
    assert call.thread == thread.ident
    assert kit.span("execute_tool ask_and_block").attributes["thread.id"] == call.thread  # type: ignore[index] # it has some
    (stored,) = kit.stored().reports[0].turn.calls
    assert (stored.thread, stored.blocked_ns) == (call.thread, call.blocked_ns)
