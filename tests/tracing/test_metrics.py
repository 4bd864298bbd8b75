from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NoOpTracerProvider

from otel_parallelism import Settings, agent_turn, install, names, profiled, uninstall
from tests.conftest import RESOURCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Kit

STEP_S = 0.03


@profiled(effect="read")
def look(key: int) -> int:
    time.sleep(STEP_S)
    return key


@profiled(effect="read")
async def get_price(town: str) -> str:
    await asyncio.sleep(STEP_S)
    return f"a room in {town}"


def by_attributes(points: list[Any], key: str) -> dict[Any, Any]:
    return {point.attributes.get(key): point for point in points}


def test_turn_is_recorded_once_with_its_findings(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(min_avoidable=0.01))
    with agent_turn("clerk", input="Rooms 1 and 2?") as turn:
        look(1)
        look(2)
    assert turn.report is not None
    for metric, value in (
        (names.METRIC_RATIO, turn.report.ratio),
        (names.METRIC_EFFICIENCY, turn.report.efficiency),
        (names.METRIC_EFFICIENCY_FLOOR, turn.report.efficiency_floor),
        (names.METRIC_TURN_DURATION, (turn.report.turn.end_ns - turn.report.turn.start_ns) / 1e9),
    ):
        (point,) = kit.points(metric.name)
        assert dict(point.attributes) == {"gen_ai.agent.name": "clerk", names.VERDICT: turn.report.verdict}
        assert (point.count, point.sum) == (1, pytest.approx(value))
        assert tuple(point.explicit_bounds) == metric.boundaries
    why = {"gen_ai.agent.name": "clerk", names.METRIC_CAUSE: "code", names.METRIC_ADVICE: "recommended"}
    (lost,) = kit.points(names.METRIC_TIME_LOST.name)
    assert (dict(lost.attributes), lost.sum) == (why, pytest.approx(turn.report.avoidable))
    (length,) = kit.points(names.METRIC_CHAIN_LENGTH.name)
    assert (dict(length.attributes), length.sum) == (why, 2)
    (found,) = kit.points(names.METRIC_FINDINGS.name)
    assert (dict(found.attributes), found.value) == (why, 1)
    assert kit.points(names.METRIC_CALL_DURATION.name) == []


async def test_chain_length_is_that_of_the_span(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(min_avoidable=0.01))
    async with agent_turn("clerk"):
        await get_price("Oslo")
        await asyncio.gather(get_price("Bergen"), get_price("Molde"))
    (report,) = kit.reports
    (finding,) = report.findings
    assert len(finding.calls) == 3
    (length,) = kit.points(names.METRIC_CHAIN_LENGTH.name)
    assert length.sum == report.max_chain_length == 2


def test_exemplars_link_to_span_of_turn(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        look(1)
    (point,) = kit.points(names.METRIC_TURN_DURATION.name)
    (exemplar,) = point.exemplars
    context = turn.span.get_span_context()
    assert (exemplar.trace_id, exemplar.span_id) == (context.trace_id, context.span_id)


def test_names_and_units_match_catalog(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(min_avoidable=0.01, call_duration_metric=True))
    with agent_turn("clerk"):
        look(1)
        look(2)
        data = kit.reader.get_metrics_data()
    assert data is not None
    with agent_turn("clerk"):
        pass
    data = kit.reader.get_metrics_data()
    assert data is not None
    (scope,) = data.resource_metrics[0].scope_metrics
    assert scope.scope.name == names.INSTRUMENTATION
    assert scope.schema_url == names.SCHEMA_URL
    promised = {metric.name: (metric.unit, metric.meaning) for metric in names.METRICS}
    seen = {metric.name: (metric.unit, metric.description) for metric in scope.metrics}
    assert seen.items() <= promised.items()
    assert names.METRIC_CALL_DURATION.name in seen


def test_calls_per_step_are_recorded_with_model_requests(kit: Kit) -> None:
    tracer = kit.tracer()
    with tracer.start_as_current_span("invoke_agent clerk", attributes=operation("invoke_agent")):
        for calls in (1, 3):
            with tracer.start_as_current_span("chat", attributes=operation("chat")):
                pass
            for key in range(calls):
                look(key)
    with agent_turn("deputy"):
        look(1)
    (point,) = kit.points(names.METRIC_CALLS_PER_STEP.name)
    assert point.attributes["gen_ai.agent.name"] == "clerk"
    assert (point.count, point.sum) == (1, 2.0)


def operation(name: str) -> dict[str, str]:
    return {"gen_ai.operation.name": name, "gen_ai.agent.name": "clerk"}


def test_open_turns_are_observed(kit: Kit) -> None:
    with agent_turn("clerk"), agent_turn("deputy"):
        look(1)
        turns = by_attributes(kit.points(names.METRIC_ACTIVE_TURNS.name), "gen_ai.agent.name")
        assert {agent: point.value for agent, point in turns.items()} == {"clerk": 1, "deputy": 1}
        ratios = by_attributes(kit.points(names.METRIC_LIVE_RATIO.name), "gen_ai.agent.name")
        assert ratios["deputy"].value == pytest.approx(1.0)
    turns = by_attributes(kit.points(names.METRIC_ACTIVE_TURNS.name), "gen_ai.agent.name")
    assert {agent: point.value for agent, point in turns.items()} == {"clerk": 0, "deputy": 0}


def test_open_calls_are_observed(kit: Kit) -> None:
    @profiled
    def observe() -> list[Any]:
        time.sleep(STEP_S)
        return [
            point.value
            for name in (names.METRIC_ACTIVE_CALLS.name, names.METRIC_LIVE_RATIO.name)
            for point in kit.points(name)
        ]

    with agent_turn("clerk"):
        assert observe() == [1, pytest.approx(1.0)]


def test_number_of_agents_is_bounded(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_agents=2))
    for agent in ("a", "b", "c", "d", "a"):
        with agent_turn(agent):
            look(1)
    points = by_attributes(kit.points(names.METRIC_RATIO.name), "gen_ai.agent.name")
    assert {agent: point.count for agent, point in points.items()} == {"a": 2, "b": 1, "other": 2}


def test_number_of_tools_is_bounded(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_tools=2, call_duration_metric=True))
    with agent_turn("clerk"):
        for tool in ("a", "b", "c", "d", "a"):
            profiled(name=tool)(lambda: None)()
    points = by_attributes(kit.points(names.METRIC_CALL_DURATION.name), "gen_ai.tool.name")
    assert {tool: point.count for tool, point in points.items()} == {"a": 2, "b": 1, "other": 2}


def test_later_installation_reports_to_same_meter(kit: Kit) -> None:
    for _ in range(2):
        uninstall()
        install(kit.provider, meter_provider=kit.meter_provider)
        with agent_turn("clerk"):
            assert [point.value for point in kit.points(names.METRIC_ACTIVE_TURNS.name)] == [1]
        # Not only when many have come together: as soon as a reader asks.
        counted = [point.count for point in kit.points(names.METRIC_TURN_DURATION.name)]
    assert counted == [2]
    other = InMemoryMetricReader()
    install(meter_provider=MeterProvider([other], shutdown_on_exit=False))
    with agent_turn("clerk"):
        assert kit.points(names.METRIC_ACTIVE_TURNS.name) == []


async def test_without_spans_turns_are_measured_all_the_same() -> None:
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
    install(NoOpTracerProvider(), settings=Settings(), meter_provider=meters)

    @profiled(effect="read")
    async def look_up(key: str) -> str:
        await asyncio.sleep(1)
        return key

    try:
        with agent_turn("agent") as turn:
            await look_up("first-key")
            await look_up("second-key")
        assert turn.report is not None
        assert (turn.report.ratio, turn.report.calls) == (pytest.approx(1, abs=1e-5), 2)
        assert not turn.span.get_span_context().is_valid
        data = json.loads(reader.get_metrics_data().to_json())
        (scope,) = data["resource_metrics"][0]["scope_metrics"]
        recorded = {metric["name"]: metric["data"]["data_points"] for metric in scope["metrics"]}
        (point,) = recorded[names.METRIC_RATIO.name]
        assert (point["count"], point["attributes"][names.VERDICT]) == (1, turn.report.verdict)
    finally:
        uninstall()
        meters.shutdown()
