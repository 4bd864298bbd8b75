"""The export of a turn's span is held only where that changes nothing but its time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext

from otel_parallelism.tracing.sdk.held_spans import FlushingProcessor, HeldSpan, hold_no_more, hold_span
from tests.conftest import RESOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator


class Batches:
    """A provider that exports in batches, and what it has exported."""

    def __init__(self, **provider: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False, **provider)
        self.provider.add_span_processor(BatchSpanProcessor(self.exporter, schedule_delay_millis=3_600_000))
        self.waited: list[float] = []

    def start(self, name: str = "turn") -> Any:
        return self.provider.get_tracer("test").start_span(name)

    def hold(self, span: Any) -> HeldSpan:
        held = hold_span(span, self._wait)
        assert held is not None
        return held

    def exported(self) -> list[Any]:
        self.provider.force_flush()
        return list(self.exporter.get_finished_spans())

    def _wait(self, timeout_s: float) -> bool:
        self.waited.append(timeout_s)
        return True


@pytest.fixture
def batches() -> Iterator[Batches]:
    made = Batches()
    yield made
    made.provider.shutdown()


def test_span_without_a_result_at_shutdown_is_exported_without_it(batches: Batches) -> None:
    span = batches.start()
    held = batches.hold(span)
    span.end()
    batches.provider.shutdown()
    held.set_attributes({"late": 1})
    held.release()
    (exported,) = batches.exporter.get_finished_spans()
    assert (exported.name, dict(exported.attributes or {}), batches.waited) == ("turn", {}, [10.0])


@pytest.mark.parametrize("released_first", [False, True])
def test_span_is_exported_once_with_what_was_added(batches: Batches, released_first: bool) -> None:
    span = batches.start()
    span.set_attribute("own", 1)
    span.add_event("own")
    held = batches.hold(span)
    held.set_attributes({"added": (1, 2)})
    held.add_event("added", {"key": "value"})
    assert (dict(held.attributes), len(held.events)) == ({"own": 1, "added": (1, 2)}, 2)
    if released_first:
        held.release()
        assert batches.exported() == []
    span.end()
    assert span.attributes == {"own": 1}
    held.release()
    held.release()
    (exported,) = batches.exported()
    assert dict(exported.attributes) == {"own": 1, "added": (1, 2)}
    assert [(event.name, dict(event.attributes)) for event in exported.events] == [
        ("own", {}),
        ("added", {"key": "value"}),
    ]
    assert exported.events[1].timestamp == exported.end_time == span.end_time
    assert exported.context == span.get_span_context()


def test_what_limits_dropped_stays_counted() -> None:
    batches = Batches(span_limits=SpanLimits(max_span_attributes=2, max_events=1))
    span = batches.start()
    for number in range(3):
        span.set_attribute(f"own {number}", number)
        span.add_event(f"own {number}")
    held = batches.hold(span)
    held.set_attributes({"own 2": 5})
    span.end()
    held.release()
    (exported,) = batches.exported()
    assert (exported.dropped_attributes, exported.dropped_events) == (1, 2)
    assert dict(exported.attributes) == {"own 1": 1, "own 2": 5}
    batches.provider.shutdown()


class Other(SpanProcessor):
    pass


@pytest.mark.parametrize("processor", [SimpleSpanProcessor(InMemorySpanExporter()), Other()], ids=["simple", "other"])
def test_nothing_is_held_where_a_processor_may_need_the_span_at_once(
    batches: Batches, processor: SpanProcessor
) -> None:
    batches.provider.add_span_processor(processor)
    span = batches.start()
    assert hold_span(span, bool) is None
    span.end()
    assert len(batches.exported()) == 1


def test_nothing_is_held_where_processors_run_in_other_threads() -> None:
    batches = Batches(active_span_processor=ConcurrentMultiSpanProcessor())
    assert hold_span(batches.start(), bool) is None
    batches.provider.shutdown()


def test_nothing_is_held_without_an_exporter_or_an_sdk() -> None:
    assert hold_span(TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("turn"), bool) is None
    assert hold_span(NonRecordingSpan(SpanContext(1, 2, is_remote=False)), bool) is None


def test_provider_waits_before_it_flushes_and_shuts_down(batches: Batches) -> None:
    for _ in range(2):
        batches.hold(batches.start())
    batches.provider.force_flush(5_000)
    batches.provider.shutdown()
    assert batches.waited == [pytest.approx(5, abs=1), 10]


def test_holding_leaves_no_processor_behind(batches: Batches) -> None:
    batches.hold(batches.start())
    hold_no_more(batches.provider)
    processors: Any = batches.provider._active_span_processor
    assert FlushingProcessor not in map(type, processors._span_processors)


def test_span_whose_result_cannot_be_added_is_exported(batches: Batches, caplog: pytest.LogCaptureFixture) -> None:
    span = batches.start()
    held = batches.hold(span)
    held._events = [("no attributes", 5)]  # type: ignore[list-item] # wrong on purpose
    span.end()
    with caplog.at_level(logging.WARNING):
        held.release()
    assert len(batches.exported()) == 1
