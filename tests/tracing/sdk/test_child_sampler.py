from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from otel_parallelism import agent_turn, install, profiled, uninstall
from otel_parallelism.tracing.sdk.child_sampler import ChildSampler, SharedAttributes, sample_as_before, sample_children

if TYPE_CHECKING:
    from collections.abc import Sequence

STATE = TraceState([("vendor", "1")])


class Named(ParentBased):
    """Decides by itself, so it is left alone."""

    def should_sample(self, *args: Any, **kwargs: Any) -> Any:
        return super().should_sample(*args, **kwargs)


def parents() -> Sequence[Context | None]:
    """Return contexts with each kind of parent, and without one."""
    spans = [
        NonRecordingSpan(SpanContext(trace_id, 7, remote, TraceFlags(flags), STATE))
        for trace_id in (0, 5)
        for remote in (False, True)
        for flags in (0, 1, 2, 3)
    ]
    return [None, Context(), *(trace.set_span_in_context(span, Context()) for span in spans)]


@pytest.mark.parametrize(
    "root",
    [ALWAYS_ON, ParentBased(ALWAYS_ON), ParentBased(ALWAYS_OFF), ParentBasedTraceIdRatio(0.5)],
)
def test_each_decision_is_that_of_the_root(root: Sampler) -> None:
    sampler = ChildSampler(root)
    first, second = SharedAttributes({"tool": "a"}), SharedAttributes({"tool": "b"})
    for context in parents():
        for attributes in (first, second, first, {"tool": "c"}, None):
            expected = root.should_sample(context, 1 << 63, "span", attributes=attributes)
            found = sampler.should_sample(context, 1 << 63, "span", attributes=attributes)
            assert vars(found) == vars(expected)
    assert sampler.get_description() == root.get_description()


def test_each_child_gets_the_trace_state_of_its_own_parent() -> None:
    sampler, attributes = ChildSampler(ALWAYS_ON), SharedAttributes({"tool": "a"})
    for vendor in ("1", "2", "1"):
        state = TraceState([("vendor", vendor)])
        parent = NonRecordingSpan(SpanContext(5, 7, is_remote=False, trace_flags=TraceFlags(1), trace_state=state))
        result = sampler.should_sample(trace.set_span_in_context(parent), 5, "span", attributes=attributes)
        assert (result.trace_state, result.attributes) == (state, {"tool": "a"})


@pytest.mark.parametrize(
    ("sampler", "replaced"),
    [
        (ALWAYS_ON, True),
        (ParentBased(TraceIdRatioBased(0.1)), True),
        (ALWAYS_OFF, False),
        (TraceIdRatioBased(0.1), False),
        (ParentBased(ALWAYS_ON, local_parent_sampled=ALWAYS_OFF), False),
        (Named(ALWAYS_ON), False),
    ],
)
def test_only_samplers_that_decide_the_same_are_replaced(sampler: Sampler, replaced: bool) -> None:
    tracer: Any = TracerProvider(sampler=sampler, shutdown_on_exit=False).get_tracer("ours")
    sample_children(tracer)
    sample_children(tracer)
    assert isinstance(tracer.sampler, ChildSampler) == replaced
    sample_as_before(tracer)
    assert tracer.sampler is sampler


async def test_no_span_of_ours_is_exported_inside_a_turn_that_is_not_sampled() -> None:
    @profiled
    async def tool() -> None:
        pass

    for ratio, spans in ((0.0, 0), (1.0, 2)):
        exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=ParentBasedTraceIdRatio(ratio), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        install(provider)
        with agent_turn("agent"):
            await tool()
        uninstall()
        assert len(exporter.get_finished_spans()) == spans
