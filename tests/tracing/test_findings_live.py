"""Findings that need live data: functions that block the loop, silenced tools, evidence from earlier turns."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from otel_parallelism import agent_turn, profiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Kit


@profiled(effect="read")
def look_up(key: str) -> str:
    time.sleep(0.06)
    return f"value-of-{key}-1"


@profiled(effect="read", silence=True)
def look_up_quietly(key: str) -> str:
    time.sleep(0.06)
    return f"value-of-{key}-1"


@profiled
async def ponder(key: str) -> None:
    await asyncio.sleep(0.06)


@profiled
async def wonder(key: str) -> None:
    await asyncio.sleep(0.06)


async def test_plain_functions_in_tasks_block_the_loop(kit: Kit) -> None:
    async def task(key: str) -> str:
        return look_up(key)

    async with agent_turn("assistant", input="k0 k1 k2"):
        await asyncio.gather(*(task(f"k{i}") for i in range(3)))
    (finding,) = kit.reports[-1].findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("blocking", "recommended", 3)
    assert "asyncio.to_thread" in finding.recommendation


@profiled(effect="read")
async def load(page: object) -> str:
    time.sleep(0.06)  # noqa: ASYNC251 - it blocks the loop
    return f"page {page}"


async def test_gathered_calls_that_block_in_a_loop_are_all_found(kit: Kit) -> None:
    for find in (load,):
        for pages in (range(4), ("Oslo", "Rome", "Lima", "Bern")):
            async with agent_turn("assistant"):
                await asyncio.gather(*[find(page) for page in pages])
        async with agent_turn("assistant"):
            await asyncio.gather(*(find(page) for page in "abcd"))
    found = [(one.cause, one.advice, len(one.calls)) for report in kit.reports for one in report.findings]
    assert found == [("blocking", "recommended", 4)] * 3


async def test_a_call_beside_others_that_block_the_loop_is_no_reason_for_green(kit: Kit) -> None:
    async def task(key: str) -> str:
        return look_up(key)

    async with agent_turn("assistant", input="k0 k1 k2"):
        await asyncio.gather(ponder("x"), *(task(f"k{i}") for i in range(3)))
    report = kit.reports[-1]
    (finding,) = report.findings
    assert (report.verdict, finding.cause, finding.advice) == ("contended", "blocking", "potential")


async def test_advice_for_sequential_plain_functions_is_threads(kit: Kit) -> None:
    async with agent_turn("assistant"):
        for i in range(3):
            look_up(f"k{i}")
    (finding,) = kit.reports[-1].findings
    assert finding.cause == "code"
    assert "asyncio.gather over asyncio.to_thread at" in finding.recommendation


def test_advice_without_event_loop_is_a_thread_pool(kit: Kit) -> None:
    with agent_turn("assistant"):
        for i in range(3):
            look_up(f"k{i}")
    (finding,) = kit.reports[-1].findings
    assert "ThreadPoolExecutor" in finding.recommendation
    assert finding.location is not None
    assert finding.location.file_path.endswith("test_findings_live.py")


def test_silenced_tool_has_no_finding(kit: Kit) -> None:
    with agent_turn("assistant", input="k0 k1 k2"):
        for i in range(3):
            look_up_quietly(f"k{i}")
    report = kit.reports[-1]
    assert report.findings == ()
    assert len(report.silenced) == 1
    assert (report.avoidable, report.efficiency, report.verdict) == (0, pytest.approx(1.0), "accepted")
    assert kit.result("invoke_agent assistant").get("avoidable", 0) == 0
    assert not kit.points("agent.parallelism.findings")


async def test_earlier_overlap_is_named_as_evidence(kit: Kit) -> None:
    async def turn(order: Callable[..., object]) -> None:
        async with agent_turn("assistant"):
            await order()  # type: ignore[misc]

    async def together() -> None:
        await asyncio.gather(ponder("a"), wonder("b"))

    async def apart() -> None:
        await ponder("a")
        await wonder("b")

    await turn(apart)
    await turn(together)
    await turn(apart)
    before, after = kit.reports[-3], kit.reports[-1]
    assert (before.verdict, after.verdict) == ("possibly_sequential", "possibly_sequential")
    assert not any("earlier turn" in sentence for sentence in before.findings[0].evidence)
    assert any("in 1 earlier turn without an error" in sentence for sentence in after.findings[0].evidence)
