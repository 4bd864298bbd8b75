from __future__ import annotations

import logging
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_parallelism import agent_turn
from otel_parallelism.instrumentation.hooks.patching import PATCHING
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.settings import Settings
from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def instrumentor() -> Iterator[ParallelismInstrumentor]:
    made = ParallelismInstrumentor()
    yield made
    if made.is_instrumented_by_opentelemetry:
        made.uninstrument()


def test_entry_point_loads_the_instrumentor() -> None:
    (found,) = [entry for entry in entry_points(group="opentelemetry_instrumentor") if entry.name == "parallelism"]
    assert found.load() is ParallelismInstrumentor


def test_options_and_environment_become_settings(
    instrumentor: ParallelismInstrumentor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_PARALLELISM_MAX_FINDINGS", "3")
    with caplog.at_level(logging.WARNING):
        instrumentor.instrument(
            tracer_provider=TracerProvider(shutdown_on_exit=False),
            min_avoidable="0.2",
            read_only=["get_*", "list_*"],
            max_agents="many",
            shoe_size=46,
        )
    settings = REGISTRY.settings
    assert (settings.min_avoidable, settings.read_only, settings.max_findings) == (0.2, ("get_*", "list_*"), 3)
    assert "option shoe_size is unknown and ignored" in caplog.text
    assert "option max_agents is ignored" in caplog.text


@pytest.mark.parametrize("variable", ["OTEL_PARALLELISM_DISABLED", "OTEL_SDK_DISABLED"])
def test_disabled_instrumentor_does_nothing(
    instrumentor: ParallelismInstrumentor, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "true")
    provider = TracerProvider(shutdown_on_exit=False)
    before = provider._active_span_processor._span_processors
    instrumentor.instrument(tracer_provider=provider)
    assert provider._active_span_processor._span_processors == before
    assert not PATCHING.active


def test_wrong_variable_is_logged_once_and_the_default_is_used(
    instrumentor: ParallelismInstrumentor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_PARALLELISM_MAX_AGENTS", "a great many")
    for _ in range(2):
        instrumentor.instrument()
        instrumentor.uninstrument()
    instrumentor.instrument()
    assert caplog.text.count("OTEL_PARALLELISM_MAX_AGENTS='a great many'") == 1
    assert REGISTRY.settings.max_agents == Settings().max_agents


def test_second_instrument_changes_nothing_and_uninstrument_undoes_all(
    instrumentor: ParallelismInstrumentor, caplog: pytest.LogCaptureFixture
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    before = provider._active_span_processor._span_processors
    instrumentor.instrument(tracer_provider=provider)
    during = provider._active_span_processor._span_processors
    instrumentor.instrument(tracer_provider=provider)
    assert provider._active_span_processor._span_processors == during
    assert len(during) == len(before) + 1
    instrumentor.uninstrument()
    assert provider._active_span_processor._span_processors == before
    with agent_turn() as turn:
        pass
    assert turn.report is not None
