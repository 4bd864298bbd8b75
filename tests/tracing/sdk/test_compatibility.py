"""
Checks every private part of OpenTelemetry that the package uses, on the installed SDK.

Each failure message names the part that changed and the function of ``sdk/compatibility`` to adapt.
"""

from __future__ import annotations

import dis
import math
import re
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context, metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import (
    ConcurrentMultiSpanProcessor,
    ReadableSpan,
    Span,
    SpanLimits,
    SpanProcessor,
    SynchronousMultiSpanProcessor,
    TracerProvider,
)
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_parallelism.tracing.sdk import compatibility
from otel_parallelism.tracing.sdk.compatibility import (
    global_provider,
    pipeline_parts,
    runtime_context,
    span_ends,
    span_fields,
    span_hooks,
)
from otel_parallelism.tracing.sdk.forwarding import ForwardingProcessor, exclude_own_spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Kit

SDK = f"opentelemetry-sdk {version('opentelemetry-sdk')}"
API = f"opentelemetry-api {version('opentelemetry-api')}"


FOLDER = Path(compatibility.__file__).parent
PACKAGE = FOLDER.parents[2]
PRIVATE = re.compile(
    r"\b(_RUNTIME_CONTEXT|_current_context|_SPAN_KEY|_TRACER_PROVIDER|_set_tracer_provider|_active_span_processor"
    r"|_span_processors|_batch_processor|_metric_readers|_sdk_config|_real_meter|_limits|_start_time|_end_time|_instrumentation_scope)\b"
)


def test_no_other_module_accesses_private_parts() -> None:
    users = {path.parent for path in PACKAGE.rglob("*.py") if PRIVATE.search(path.read_text(encoding="utf-8"))}
    assert users == {FOLDER}


class Watcher(SpanProcessor):
    """Notes which hooks the SDK calls, and whether the span can be written to in ``_on_ending``."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        self.called.append("on_start")

    def _on_ending(self, span: Span) -> None:
        self.called.append("_on_ending")

    def on_end(self, span: ReadableSpan) -> None:
        self.called.append("on_end")
        self.ended.append(span)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> Iterator[TracerProvider]:
    provider = TracerProvider(shutdown_on_exit=False, span_limits=SpanLimits(max_span_attributes=3))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture
def span(provider: TracerProvider) -> trace.Span:
    return provider.get_tracer("theirs").start_span("work", attributes={"a": 1, "b": "two"})


def test_runtime_context_is_found_and_works_as_the_public_functions() -> None:
    runtime = runtime_context.RUNTIME_CONTEXT
    assert runtime is not context, f"{API} has no context._RUNTIME_CONTEXT: adapt RUNTIME_CONTEXT"
    key = context.create_key("test")
    token = runtime.attach(context.set_value(key, 1))
    try:
        assert context.get_value(key) == 1, f"{API}: _RUNTIME_CONTEXT.attach does not set the current context"
        assert runtime.get_current() == context.get_current(), f"{API}: _RUNTIME_CONTEXT.get_current differs"
    finally:
        runtime.detach(token)
    assert context.get_value(key) is None, f"{API}: _RUNTIME_CONTEXT.detach does not restore the context"


def test_span_key_is_the_key_of_the_current_span(span: trace.Span) -> None:
    found = trace.set_span_in_context(span, context.Context()).get(runtime_context.SPAN_KEY)
    assert found is span, f"{API} keeps the current span under another key than propagation._SPAN_KEY: adapt SPAN_KEY"


def test_fields_of_an_open_span(span: Any) -> None:
    assert span_fields.id_and_scope(span) == (span.get_span_context().span_id, "theirs"), (
        f"{SDK}: Span._context[1] or Span._instrumentation_scope._name changed: adapt id_and_scope"
    )
    attributes = span_fields.raw_attributes(span)
    assert attributes == {"a": 1, "b": "two"}, f"{SDK}: Span._attributes changed: adapt raw_attributes"
    span.set_attribute("c", 3)
    assert attributes["c"] == 3, f"{SDK}: Span._attributes._dict is a copy: adapt raw_attributes"
    assert span_fields.raw_name(span) == span.name, f"{SDK}: Span._name changed: adapt raw_name"
    assert span_fields.span_id_of(span) == span.get_span_context().span_id, f"{SDK}: adapt span_id_of"


def test_hooks_read_the_fields_of_spans(span: Any, exporter: InMemorySpanExporter) -> None:
    opened: dict[int, Any] = {}
    started: list[Any] = []
    ended: list[tuple[Any, Any]] = []
    counter = SimpleNamespace(seen=0)

    def on_start(skipped: set[str], *, pass_over: bool) -> None:
        hook = span_hooks.start_hook(opened, 1, skipped, lambda _: pass_over, lambda span, _: started.append(span))
        hook(span, parent_context=None)

    on_start({"theirs"}, pass_over=False)
    assert opened == {span.get_span_context().span_id: span}, f"{SDK}: a field of Span changed: adapt start_hook"
    on_start({"theirs"}, pass_over=False)
    assert started == [span], "a span beyond the bound was passed over"
    opened.clear()
    on_start(set(), pass_over=True)
    assert len(opened) == 1, f"{SDK}: a field of Span changed: adapt start_hook"
    opened.clear()
    span.set_attribute("gen_ai.operation.name", "chat")
    on_start(set(), pass_over=True)
    assert started == [span, span], f"{SDK}: Span._attributes changed: adapt start_hook"

    opened[span.get_span_context().span_id] = span
    on_end = span_hooks.end_hook(opened, Path, counter, lambda *found: ended.append(found))
    span.end()
    (readable,) = exporter.get_finished_spans()
    on_end(readable)
    on_end(readable)
    assert (ended, opened, counter.seen) == ([(readable, span)], {}, 1), f"{SDK}: a field changed: adapt end_hook"


def test_fields_of_an_ended_span(span: trace.Span, exporter: InMemorySpanExporter) -> None:
    span.add_event("event")
    span.end()
    (ended,) = exporter.get_finished_spans()
    assert span_fields.span_id_of(ended) == span.get_span_context().span_id, f"{SDK}: adapt span_id_of"
    assert span_fields.raw_attributes(ended) == {"a": 1, "b": "two"}, f"{SDK}: adapt raw_attributes"
    assert span_fields.raw_name(ended) == "work", f"{SDK}: adapt raw_name"
    assert span_fields.parent_and_start(ended) == (0, ended.start_time), f"{SDK}: adapt parent_and_start"
    assert span_fields.end_time_of(ended) == ended.end_time, f"{SDK}: adapt end_time_of"
    name, attributes, events = span_fields.content_fields(ended)
    assert (name, dict(attributes), [event.name for event in events]) == ("work", {"a": 1, "b": "two"}, ["event"]), (
        f"{SDK}: a private field of ReadableSpan changed: adapt content_fields"
    )
    expected = (
        ended.context,
        ended.parent,
        ended.instrumentation_scope,
        ended.name,
        ended.start_time,
        ended.end_time,
        dict(ended.attributes or {}),
        list(ended.events),
        list(ended.links),
        ended.kind,
        ended.status,
    )
    found = [
        dict(field) if index == 6 else list(field) if index in {7, 8} else field
        for index, field in enumerate(span_fields.all_fields(ended))
    ]
    assert found == list(expected), f"{SDK}: a private field of ReadableSpan changed: adapt all_fields"


def test_a_fingerprint_shows_changes(span: trace.Span) -> None:
    assert span_fields.fingerprint(span) == ("work", 2, 0), f"{SDK}: Span._attributes changed: adapt fingerprint"
    span.set_attributes({"c": 3, "d": 4})
    assert span_fields.fingerprint(span) == ("work", 3, 1), f"{SDK}: BoundedAttributes.dropped changed"
    span.update_name("play")
    assert span_fields.fingerprint(span) == ("play", 3, 1), f"{SDK}: Span._name changed: adapt fingerprint"


def test_limits_of_a_span(span: trace.Span) -> None:
    limits = span_fields.span_limits(span)
    assert limits is not None, f"{SDK}: Span._limits is gone: adapt span_limits, else results may evict attributes"
    for name in ("max_span_attributes", "max_span_attribute_length", "max_events", "max_event_attributes"):
        assert hasattr(limits, name), f"{SDK}: SpanLimits.{name} is gone: adapt sdk/results.py"
    assert limits.max_span_attributes == 3


def test_a_start_can_be_moved(span: trace.Span, exporter: InMemorySpanExporter) -> None:
    span_fields.set_start_time(span, 1_000)
    span.end(2_000)
    (ended,) = exporter.get_finished_spans()
    assert ended.start_time == 1_000, f"{SDK}: Span._start_time changed: adapt set_start_time"


def test_a_patched_end_can_write_and_leaves_no_trace(span: trace.Span, exporter: InMemorySpanExporter) -> None:
    original = span.end

    def end(end_time: int | None = None) -> None:
        span.set_attribute("c", 3)
        span_ends.unpatch_end(span, end)
        original(end_time)

    assert span_ends.patch_end(span, end), f"{SDK}: spans have no __dict__ now: adapt patch_end"
    span.end()
    (ended,) = exporter.get_finished_spans()
    assert (ended.attributes or {}).get("c") == 3, f"{SDK}: a patched end cannot write on the span"
    assert "end" not in vars(span), f"{SDK}: unpatch_end leaves the closure on the span"


def test_a_span_without_a_dict_is_not_patched() -> None:
    class Slotted:
        __slots__ = ()

    assert not span_ends.patch_end(Slotted(), lambda: None)


def test_the_result_of_a_turn_is_on_its_span(kit: Kit) -> None:
    # Through the patched `end`, or through `_on_ending` where the SDK lets processors write there.
    with kit.tracer().start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
        for name in ("one", "two"):
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
            with kit.tracer().start_as_current_span("tool", attributes=attributes):
                pass
    assert kit.result("agent").get("calls") == 2, f"{SDK}: neither a patched end nor _on_ending can write a result"


def test_processors_are_listed_and_removed(provider: TracerProvider) -> None:
    watcher = Watcher()
    provider.add_span_processor(watcher)
    active: Any = provider._active_span_processor
    assert watcher in vars(active)[pipeline_parts.PROCESSORS], f"{SDK}: _span_processors changed: adapt PROCESSORS"
    assert pipeline_parts.remove_processor(provider, watcher), (
        f"{SDK}: TracerProvider._active_span_processor._span_processors changed: adapt remove_processor"
    )
    provider.get_tracer("theirs").start_span("work").end()
    assert watcher.called == [], f"{SDK}: a removed processor is still called: adapt remove_processor"
    assert not pipeline_parts.remove_processor(object(), watcher)


def test_spans_of_one_tracer_pass_by_one_processor(provider: TracerProvider) -> None:
    ours, theirs = Watcher(), Watcher()
    provider.add_span_processor(ours)
    provider.add_span_processor(theirs)
    tracer: Any = provider.get_tracer("ours")
    exclude_own_spans(tracer, ours)
    assert isinstance(tracer.span_processor, ForwardingProcessor), (
        f"{SDK}: Tracer.span_processor is gone or of another type: adapt exclude_own_spans"
    )
    tracer.start_span("work").end()
    assert ours.called == []
    hooks = ["on_start", "_on_ending", "on_end"] if hasattr(SpanProcessor, "_on_ending") else ["on_start", "on_end"]
    assert theirs.called == hooks, f"{SDK} calls other hooks of a processor than known: adapt ForwardingProcessor"
    provider.get_tracer("theirs").start_span("work").end()
    assert ours.called == hooks


def test_a_processor_that_is_added_while_a_span_is_open_is_called_at_its_end(provider: TracerProvider) -> None:
    ours, first, later = Watcher(), Watcher(), Watcher()
    provider.add_span_processor(ours)
    provider.add_span_processor(first)
    tracer: Any = provider.get_tracer("ours")
    exclude_own_spans(tracer, ours)
    span = tracer.start_span("work")
    provider.add_span_processor(later)
    span.end()
    assert (ours.called, later.called) == ([], first.called[1:])


def test_empty_hooks_of_the_sdk_are_not_called() -> None:
    assert not pipeline_parts.has_ending(SpanProcessor())
    assert not pipeline_parts.has_ending(SimpleSpanProcessor(InMemorySpanExporter()))
    assert pipeline_parts.has_ending(Watcher()) == hasattr(SpanProcessor, "_on_ending")
    assert not pipeline_parts.has_start(SimpleSpanProcessor(InMemorySpanExporter()))
    assert pipeline_parts.has_start(Watcher())


@pytest.mark.parametrize("kind", [SpanProcessor, BatchSpanProcessor, SimpleSpanProcessor])
def test_hooks_of_the_sdk_that_are_skipped_do_nothing(kind: type[SpanProcessor]) -> None:
    hooks: list[Any] = [kind.on_start, getattr(kind, "_on_ending", kind.on_start)]
    for hook in hooks:
        operations = {each.opname for each in dis.get_instructions(hook)}
        nothing = {"RESUME", "LOAD_CONST", "LOAD_COMMON_CONSTANT", "RETURN_CONST", "RETURN_VALUE", "NOP"}
        assert operations <= nothing, f"{SDK}: {hook.__qualname__} does something: adapt has_start or has_ending"


def test_attributes_cleaned_before_are_those_that_the_sdk_cleans(exporter: InMemorySpanExporter) -> None:
    limits = SpanLimits(max_span_attributes=3, max_span_attribute_length=2)
    provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("ours")
    assert span_fields.span_limits(tracer).max_span_attributes == 3, f"{SDK}: adapt span_limits"
    attributes = {"a": "long", "b": True, "c": ("one", "two")}
    cleaned = span_fields.cleaned_attributes(attributes, span_fields.span_limits(tracer))
    assert cleaned is not None, f"{SDK}: BoundedAttributes changed: adapt cleaned_attributes"
    name = "filled"
    span = tracer.start_span(name)
    span_fields.fill_attributes(span, {id(name): ("another", {"e": 1})})
    span_fields.fill_attributes(span, {id(name): (name, cleaned)})
    span_fields.fill_attributes(span, {id(name): (name, {"d": 1})})
    span.end()
    tracer.start_span("given", attributes=attributes).end()
    filled, given = exporter.get_finished_spans()
    assert (filled.attributes, filled.dropped_attributes) == (given.attributes, given.dropped_attributes), (
        f"{SDK}: Span._attributes changed: adapt fill_attributes"
    )
    assert span_fields.cleaned_attributes({**attributes, "d": 1}, span_fields.span_limits(tracer)) is None


def test_parts_of_a_pipeline_are_found(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    batch = BatchSpanProcessor(exporter)
    provider.add_span_processor(batch)
    processors = pipeline_parts.inner_processors(pipeline_parts.active_processor(provider))
    assert processors is not None, f"{SDK}: adapt active_processor or inner_processors"
    assert processors[-1] is batch
    assert pipeline_parts.inner_processors(batch) is None
    assert [pipeline_parts.exporter_of(each) for each in processors] == [exporter, exporter], (
        f"{SDK}: SimpleSpanProcessor or BatchSpanProcessor keeps its exporter elsewhere: adapt exporter_of"
    )
    assert pipeline_parts.exporter_of(Watcher()) is None


def test_exporters_of_metrics_are_found() -> None:
    exporter = ConsoleMetricExporter(out=StringIO())
    meter_provider = MeterProvider(
        [PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)], shutdown_on_exit=False
    )
    try:
        (reader,) = pipeline_parts.metric_readers(meter_provider)
        assert pipeline_parts.exporter_of(reader) is exporter, f"{SDK}: adapt metric_readers or exporter_of"
    finally:
        meter_provider.shutdown()


@pytest.fixture
def unset_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this test set the global provider, and restore it afterwards."""
    from opentelemetry.util._once import Once  # noqa: PLC0415 - private: used by this fixture only

    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    monkeypatch.setattr(trace, "_set_tracer_provider", trace._set_tracer_provider)


@pytest.mark.usefixtures("unset_provider")
def test_setting_the_global_provider_is_noticed(provider: TracerProvider) -> None:
    seen: list[trace.TracerProvider] = []
    undo = global_provider.watch_global_provider(lambda: seen.append(trace.get_tracer_provider()))
    assert undo is not None
    assert global_provider.watch_global_provider(lambda: None) is None
    trace.set_tracer_provider(provider)
    assert seen == [provider], f"{API}: set_tracer_provider no longer calls _set_tracer_provider: adapt the watch"
    undo()
    assert not hasattr(trace._set_tracer_provider, "_otel_parallelism")


@pytest.mark.usefixtures("unset_provider")
def test_proxy_tracers_are_served_until_a_provider_is_set(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    proxy = trace.ProxyTracerProvider().get_tracer("theirs", "1.2", attributes={"team": "x"})
    assert not proxy.start_span("before").is_recording()
    undo = global_provider.serve_proxies(provider)
    assert undo is not None, f"{API}: ProxyTracer._tracer is no property now: adapt serve_proxies"
    assert global_provider.serve_proxies(provider) is None
    proxy.start_span("served").end()
    (served,) = exporter.get_finished_spans()
    scope = served.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version, dict(scope.attributes or {})) == ("theirs", "1.2", {"team": "x"}), (
        f"{API}: a private field of ProxyTracer changed: adapt serve_proxies"
    )
    undo()
    assert not trace.ProxyTracerProvider().get_tracer("theirs").start_span("after").is_recording()


def test_a_proxy_meter_leads_to_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry.metrics import _internal as private  # noqa: PLC0415 - private: used by this test only

    proxies = private._ProxyMeterProvider()
    proxy = proxies.get_meter("theirs")
    assert global_provider.real_meter(proxy) is proxy
    real = MeterProvider(shutdown_on_exit=False)
    monkeypatch.setattr(private, "_METER_PROVIDER", real)
    proxies.on_set_meter_provider(real)
    assert isinstance(global_provider.real_meter(proxy), metrics.Meter)
    assert global_provider.real_meter(proxy) is not proxy, f"{API}: _ProxyMeter._real_meter changed: adapt real_meter"
    real.shutdown()


class Interrupted(SpanProcessor):
    """Stands for an exception of the program that comes while processors end a span."""

    def on_end(self, span: ReadableSpan) -> None:
        raise KeyError(span.name)


@pytest.mark.parametrize("multi", [SynchronousMultiSpanProcessor, ConcurrentMultiSpanProcessor])
def test_each_processor_is_called_once_where_one_is_interrupted(multi: Any) -> None:
    before, after = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(active_span_processor=multi(), shutdown_on_exit=False)
    for processor in (SimpleSpanProcessor(before), Interrupted(), SimpleSpanProcessor(after)):
        provider.add_span_processor(processor)
    span = provider.get_tracer("test").start_span("call")
    with pytest.raises(KeyError) as raised:
        span.end()
    span_ends.end_interrupted(span, 2, raised.value)
    provider.shutdown()
    assert [len(exporter.get_finished_spans()) for exporter in (before, after)] == [1, 1]
