from __future__ import annotations

import pytest

from otel_parallelism.model import Analysis, Call, Caller, Content, Coverage, Finding, Report, Step, Turn

TRACE = "5b8efff798038103d269b633813fc60c"
MS = 1_000_000
START_NS = 1_700_000_000_000_000_000


def call(number: int, tool: str, start_ms: float, end_ms: float, scope: str = "", *, error: bool = False) -> Call:
    return Call(
        TRACE,
        f"{number:016x}",
        "00f067aa0ba902b7",
        tool,
        START_NS + int(start_ms * MS),
        START_NS + int(end_ms * MS),
        scope=scope,
        error=error,
        arguments=Content({"query": "an argument"}),
        result=Content("a result"),
    )


def step(number: int, start_ms: float, end_ms: float) -> Step:
    return Step(TRACE, f"{number:016x}", "00f067aa0ba902b7", START_NS + int(start_ms * MS), START_NS + int(end_ms * MS))


def turn(calls: tuple[Call, ...], steps: tuple[Step, ...] = (), agent: str = "travel", name: str = "plan") -> Turn:
    return Turn(TRACE, "00f067aa0ba902b7", name, agent, START_NS, START_NS + 2_000 * MS, calls, steps)


@pytest.fixture
def sequential() -> Report:
    """Four reads of a round that the program awaits one by one, after a model step."""
    tools = ("flights", "hotels", "hotels", "weather")
    calls = tuple(call(at, tool, 200 + 300 * at, 500 + 300 * at) for at, tool in enumerate(tools))
    chain = Finding(
        kind="sequential_chain",
        cause="dispatch",
        advice="recommended",
        calls=tools,
        span_ids=tuple(one.span_id for one in calls),
        avoidable=0.9,
        evidence=("one response asked for all four",),
        recommendation="Run the round's calls together with asyncio.gather.",
        location=Caller("agent.py", 31),
    )
    return Report(
        turn=turn(calls, (step(90, 0, 200),)),
        calls=4,
        verdict="sequential",
        coverage=1.0,
        work=1.2,
        makespan=1.2,
        busy=1.2,
        ratio=1.0,
        concurrency=1.0,
        effective_ratio=1.0,
        peak_concurrency=1,
        critical_path=0.3,
        achievable_ratio=4.0,
        efficiency=0.25,
        efficiency_floor=0.25,
        think=0.2,
        steps=1,
        calls_per_step=4.0,
        avoidable=0.9,
        avoidable_by_cause={"dispatch": 0.9},
        chains=1,
        max_chain_length=4,
        cause="dispatch",
        recommendation="Run the round's calls together with asyncio.gather.",
        findings=(chain,),
    )


@pytest.fixture
def parallel() -> Report:
    """Three calls at once, one of which failed, and one call made inside another."""
    calls = (
        call(10, "flights", 0, 300),
        call(11, "hotels", 0, 300, error=True),
        call(12, "trains", 0, 200),
        call(13, "seats", 100, 200, scope=f"{10:016x}"),
    )
    return Report(
        turn=turn(calls),
        calls=3,
        verdict="parallel",
        coverage=1.0,
        work=0.8,
        makespan=0.3,
        busy=0.3,
        ratio=0.8 / 0.3,
        concurrency=0.8 / 0.3,
        effective_ratio=0.8 / 0.3,
        peak_concurrency=3,
        critical_path=0.3,
        achievable_ratio=0.8 / 0.3,
        efficiency=1.0,
        efficiency_floor=1.0,
    )


@pytest.fixture
def possible() -> Report:
    """Two calls of which the trace does not say whether they could run together."""
    calls = (call(20, "search", 0, 400), call(21, "fetch", 400, 1000))
    chain = Finding(
        kind="sequential_chain",
        cause="unknown",
        advice="potential",
        calls=("search", "fetch"),
        span_ids=tuple(one.span_id for one in calls),
        avoidable=0.4,
        evidence=("what search returned was not seen in full", "another"),
        recommendation="Capture the model's steps, or declare depends_on.",
    )
    return Report(
        turn=turn(calls, agent="", name="research"),
        calls=2,
        verdict="possibly_sequential",
        coverage=0.5,
        work=1.0,
        makespan=1.0,
        busy=1.0,
        ratio=1.0,
        concurrency=1.0,
        effective_ratio=1.0,
        peak_concurrency=1,
        critical_path=1.0,
        achievable_ratio=1.0,
        efficiency=1.0,
        efficiency_floor=0.6,
        avoidable_potential=0.4,
        chains=1,
        max_chain_length=2,
        cause="unknown",
        recommendation="Capture the model's steps, or declare depends_on.",
        findings=(chain,),
    )


@pytest.fixture
def silent() -> Report:
    """A turn without a call."""
    return Report(turn=turn((), agent="greeter"), calls=0, verdict="single", coverage=1.0)


@pytest.fixture
def both(sequential: Report, parallel: Report) -> Analysis:
    """One turn that loses time and one that does not."""
    return Analysis((sequential, parallel), Coverage(calls=8, calls_without_turn=0, spans=11, anomalies=0))
