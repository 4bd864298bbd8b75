from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanLimits, SpanProcessor, TracerProvider
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
from otel_parallelism.names import DEPENDS_ON, EFFECT
from otel_parallelism.tracing.sdk import forwarding
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


class Starts(SpanProcessor):
    """Notes the attributes of each span when it starts."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.seen.append(dict(span.attributes or {}))


@profiled(name="a_long_name", effect="read", depends_on=["first", "second"])
async def described() -> None:
    pass


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (SpanLimits(), ("execute_tool", "a_long_name", "read", ("first", "second"))),
        (SpanLimits(max_span_attribute_length=6), ("execut", "a_long", "read", ("first", "second"))),
        (SpanLimits(max_span_attributes=3), (None, "a_long_name", "read", ("first", "second"))),
        (SpanLimits(max_span_attributes=0), (None, None, None, None)),
    ],
)
async def test_attributes_are_the_same_whether_or_not_a_processor_looks_at_the_start(
    limits: SpanLimits, expected: tuple[object, ...]
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    install(provider)
    starts = Starts()
    with agent_turn("agent"):
        for _ in range(3):
            await described()
        provider.add_span_processor(starts)
        for _ in range(3):
            await described()
    uninstall()
    calls = [span for span in exporter.get_finished_spans() if span.name.startswith("execute_tool")]
    keys = ("gen_ai.operation.name", "gen_ai.tool.name", EFFECT, DEPENDS_ON)
    assert [tuple((span.attributes or {}).get(key) for key in keys) for span in calls] == [expected] * 6
    assert len({span.dropped_attributes for span in calls}) == 1
    assert starts.seen == [dict(calls[0].attributes or {})] * 3


@pytest.mark.parametrize("most", [0, 1, 10_000])
async def test_attributes_of_tools_with_one_name_are_their_own(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(forwarding, "MOST_NAMES", most)

    async def body() -> None:
        pass

    tools = [profiled(name="same", effect=effect)(body) for effect in ("read", "write")]
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(Starts())
    install(provider)
    with agent_turn("agent"):
        for tool in tools * 2:
            await tool()
    uninstall()
    calls = exporter.get_finished_spans()[:4]
    assert [(span.attributes or {}).get(EFFECT) for span in calls] == ["read", "write"] * 2


async def test_an_attribute_added_to_one_span_is_on_no_other() -> None:
    @profiled
    async def tool(number: int) -> None:
        trace.get_current_span().set_attribute("number", number)

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    install(provider)
    with agent_turn("agent"):
        for number in range(3):
            await tool(number)
    uninstall()
    calls = exporter.get_finished_spans()[:3]
    assert [(span.attributes or {}).get("number") for span in calls] == [0, 1, 2]
    assert {len(span.attributes or {}) for span in calls} == {3}
