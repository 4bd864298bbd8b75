from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased

from otel_parallelism import install, subscribe, uninstall
from otel_parallelism.tracing.sdk.sampler import RecordingSampler, configured_sampler

if TYPE_CHECKING:
    from otel_parallelism.model import Report


@pytest.mark.parametrize("root", [ALWAYS_OFF, ParentBased(ALWAYS_OFF), TraceIdRatioBased(0.0)])
def test_dropped_spans_are_seen_and_not_exported(root: Sampler) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=RecordingSampler(root), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    install(provider)
    reports: list[Report] = []
    unsubscribe = subscribe(reports.append)
    tracer = provider.get_tracer("somebody.else")
    with tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}) as turn:
        for name in ("one", "two"):
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
            with tracer.start_as_current_span(name, attributes=attributes):
                pass
        assert turn.is_recording()
        assert not turn.get_span_context().trace_flags.sampled
    unsubscribe()
    uninstall()
    assert [report.calls for report in reports] == [2]
    assert exporter.get_finished_spans() == ()


def test_decision_of_root_sampler_is_kept() -> None:
    sampler = RecordingSampler(ALWAYS_ON)
    assert sampler.should_sample(None, 1, "x").decision is ALWAYS_ON.should_sample(None, 1, "x").decision
    assert sampler.get_description() == "RecordingSampler{AlwaysOnSampler}"


@pytest.mark.parametrize(
    ("argument", "description"),
    [
        ("", "ParentBased{root:AlwaysOnSampler"),
        ("0.25", "ParentBased{root:TraceIdRatioBased{0.25}"),
        (0.25, "ParentBased{root:TraceIdRatioBased{0.25}"),
        ("traceidratio,0.25", "TraceIdRatioBased{0.25}"),
        ("traceidratio", "TraceIdRatioBased{1.0}"),
        ("always_off", "AlwaysOffSampler"),
        ("parentbased_always_off", "ParentBased{root:AlwaysOffSampler"),
    ],
)
def test_configured_root_sampler(argument: str | float, description: str) -> None:
    assert configured_sampler(argument).get_description().startswith(f"RecordingSampler{{{description}")


@pytest.mark.parametrize("argument", ["sometimes", "traceidratio,much", "2", "traceidratio,-1"])
def test_unknown_sampler_raises_error_with_its_name(argument: str) -> None:
    with pytest.raises(
        ValueError, match=f"OTEL_TRACES_SAMPLER_ARG='{argument}': expected a ratio from 0 to 1 or one of"
    ):
        configured_sampler(argument)


@pytest.mark.parametrize("group", ["opentelemetry_traces_sampler", "opentelemetry_sampler"])
def test_sampler_is_an_entry_point(group: str) -> None:
    (found,) = entry_points(group=group, name="parallelism")
    assert found.load() is configured_sampler
