"""What happens when the package is switched off, and what wrong arguments of ``install`` do."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_parallelism import (
    Report,
    Settings,
    agent_turn,
    install,
    live_turns,
    profiled,
    run_tools,
    subscribe,
    uninstall,
)


@profiled(effect="read")
async def read(number: int) -> int:
    return number


@profiled
def write(number: int) -> int:
    return number


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


async def agent() -> tuple[int, int, Any]:
    async with agent_turn("agent") as turn:
        assert live_turns() == ()
        results = await run_tools([{"id": "a", "name": "read", "arguments": {"number": 3}}], [read])
        assert results[0]["id"] == "a"
        found = await read(1), write(2)
    return *found, turn.report


@pytest.mark.parametrize("variable", ["OTEL_PARALLELISM_DISABLED", "OTEL_SDK_DISABLED"])
async def test_variable_switches_everything_off(
    monkeypatch: pytest.MonkeyPatch, provider: TracerProvider, exporter: InMemorySpanExporter, variable: str
) -> None:
    monkeypatch.setenv(variable, "true")
    reports: list[Report] = []
    install(provider)
    subscribe(reports.append)
    try:
        assert await agent() == (1, 2, None)
    finally:
        uninstall()
    assert reports == []
    assert exporter.get_finished_spans() == ()


async def test_setting_switches_everything_off(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    install(provider, settings=Settings(disabled=True))
    try:
        assert await agent() == (1, 2, None)
    finally:
        uninstall()
    assert exporter.get_finished_spans() == ()


def test_uninstall_ends_subscriptions(provider: TracerProvider) -> None:
    reports: list[Report] = []
    install(provider)
    unsubscribe = subscribe(reports.append)
    uninstall()
    with agent_turn("agent"):
        write(1)
    unsubscribe()
    assert reports == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"provider": "x"}, "install takes a tracer provider, not 'x'"),
        ({"settings": {"evidence": False}}, r"settings= must be Settings\(...\), not {'evidence': False}"),
        ({"meter_provider": 3}, "meter_provider= must be a meter provider, not 3"),
    ],
)
def test_wrong_argument_of_install_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        install(**arguments)


def test_wrong_variable_never_raises(
    monkeypatch: pytest.MonkeyPatch, provider: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_PARALLELISM_MIN_AVOIDABLE", "much")
    install(provider)
    uninstall()
    assert "OTEL_PARALLELISM_MIN_AVOIDABLE='much': expected a number of at least 0" in caplog.text
