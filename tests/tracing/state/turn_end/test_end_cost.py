"""The estimated cost of a turn's end follows from counts and sizes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings, agent_turn, profiled
from otel_parallelism.tracing.state.turn_end import ending, source_files
from otel_parallelism.tracing.state.turn_end.end_cost import end_cost_ns

if TYPE_CHECKING:
    from tests.conftest import Kit

MS = 1_000_000
_original = ending._is_late


@profiled(effect="read")
async def look_up(key: int, size: int, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "x" * size


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch, kit: Kit) -> list[float]:
    """Collect the estimate for each turn that ends, in ms."""
    found: list[float] = []

    def note(node: Any, end_ns: int) -> bool:
        found.append(end_cost_ns(node, end_ns, Settings(), inf) / MS)
        return _original(node, end_ns)

    monkeypatch.setattr(ending, "_is_late", note)
    return found


async def one_by_one(count: int, size: int = 10, seconds: float = 1.0) -> None:
    with agent_turn("agent"):
        for number in range(count):
            await look_up(number, size, seconds)


async def at_once(count: int, size: int = 10) -> None:
    with agent_turn("agent"):
        await asyncio.gather(*(look_up(number, size, 1.0) for number in range(count)))


async def test_estimates(costs: list[float]) -> None:
    await one_by_one(2)  # the file of this test is read
    del costs[:]
    await one_by_one(2)
    await one_by_one(20)
    await one_by_one(2, size=10_000)
    await one_by_one(200, seconds=0.000_1)
    await at_once(20, size=10_000)
    await at_once(400)
    serial, many, large, short, parallel, wide = costs
    assert serial < 1 < many < 10
    assert 2 < large < 10
    assert short < 1.2
    assert parallel < 0.5
    assert 1 < wide < 5


async def test_first_turn_of_a_file_costs_more(costs: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    await one_by_one(2)
    monkeypatch.setattr(source_files, "_files", OrderedDict())
    await one_by_one(2)
    assert costs[1] > 20


async def test_estimate_ends_at_the_budget(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[float] = []

    def note(node: Any, end_ns: int) -> bool:
        found.append(end_cost_ns(node, end_ns, Settings(), 1 * MS) / MS)
        return False

    monkeypatch.setattr(ending, "_is_late", note)
    await one_by_one(100)
    await at_once(1_000)
    assert max(found) < 30
    assert min(found) > 1
