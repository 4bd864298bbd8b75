"""Live reports equal reports that are made from the exported spans."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_parallelism import Settings, agent_turn, profiled, uninstall
from tests import virtual_time
from tests.conftest import Kit

if TYPE_CHECKING:
    from otel_parallelism.model import Report

Program = tuple[str, tuple[Any, ...]]

TICK_S = 0.001


@profiled(effect="read", name="nap")
async def nap() -> None:
    await asyncio.sleep(TICK_S)


@profiled(name="group")
async def group(parts: tuple[Program, ...], how: str, kit: Kit) -> None:
    await run_all(parts, how, kit)


async def run_all(parts: tuple[Program, ...], how: str, kit: Kit) -> None:
    if how == "gather":
        await asyncio.gather(*(run(part, kit) for part in parts))
    else:
        for part in parts:
            await run(part, kit)


async def run(program: Program, kit: Kit) -> None:
    kind, parts = program
    how = "gather" if kind.endswith("gather") else "one by one"
    if kind == "nap":
        await nap()
    elif kind == "foreign":
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "fetch"}
        with kit.tracer().start_as_current_span("fetch", attributes=attributes):
            await asyncio.sleep(TICK_S)
    elif kind == "late":
        with kit.tracer().start_as_current_span("late") as span:
            await asyncio.sleep(TICK_S)
            span.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "late"})
    elif kind == "step":
        with kit.tracer().start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
            await asyncio.sleep(TICK_S)
    elif kind.startswith("turn"):
        with agent_turn("sub"):
            await run_all(parts, how, kit)
    elif kind.startswith("agent"):
        with kit.tracer().start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
            await run_all(parts, how, kit)
    elif kind.startswith("passage"):
        with kit.tracer().start_as_current_span("passage"):
            await run_all(parts, how, kit)
    else:
        await group(parts, how, kit)


BRANCHES = ("turn", "agent", "passage", "group")
LEAVES = st.tuples(st.sampled_from(["nap", "foreign", "late", "step"]), st.just(()))
PROGRAMS = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.sampled_from([f"{kind} {how}" for kind in BRANCHES for how in ("gather", "serial")]),
        st.lists(inner, min_size=1, max_size=4).map(tuple),
    ),
    max_leaves=12,
)


def summary(report: Report) -> dict[str, Any]:
    """What of a report comes neither from what only this process knows nor from what ends after the turn."""
    return {
        "id": report.turn.span_id,
        "calls": sorted(
            (call.span_id, call.tool, call.start_ns, call.end_ns, call.scope) for call in report.turn.calls
        ),
        "steps": sorted(step.span_id for step in report.turn.steps),
        "ratio": report.ratio,
        "work": report.work,
        "makespan": report.makespan,
        "busy": report.busy,
        "peak": report.peak_concurrency,
        "coverage": report.coverage,
    }


@example(root="turn", parts=(("passage gather", (("step", ()), ("turn gather", (("nap", ()),)))),), how="gather")
@given(
    root=st.sampled_from(["turn", "agent"]),
    parts=st.lists(PROGRAMS, min_size=1, max_size=4).map(tuple),
    how=st.sampled_from(["gather", "serial"]),
)
def test_live_and_stored_reports_are_equal(root: str, parts: tuple[Program, ...], how: str) -> None:
    kit = Kit(Settings())
    try:
        virtual_time.run(run((f"{root} {how}", parts), kit))
        live = sorted((summary(report) for report in kit.reports), key=lambda told: str(told["id"]))
        stored = sorted((summary(report) for report in kit.stored().reports), key=lambda told: str(told["id"]))
        assert live == stored
    finally:
        kit.close()


def test_live_and_stored_turns_are_equal_in_every_field(kit: Kit) -> None:
    @profiled(effect="read")
    def look(key: int) -> int:
        time.sleep(0.03)
        return key

    with agent_turn("clerk") as turn:
        for key in range(3):
            look(key)
    (stored,) = kit.stored().reports
    assert turn.report is not None
    assert summary(turn.report) == summary(stored)
    # Only live, the callers show that the nanoseconds between the calls were the program's.
    assert stored.efficiency_floor == pytest.approx(turn.report.efficiency_floor, abs=1e-3)
    uninstall()
