"""
The parts of a pipeline: processors, exporters, samplers and metric readers.

The SDK can add processors to a provider, but cannot list or remove them. What a parent-based sampler delegates to is
private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span

# ruff: noqa: SLF001 - this folder is where private names are accessed

PROCESSORS: str = "_span_processors"
"""The field of a synchronous multi-processor of the SDK with the processors it calls: a tuple, replaced as a whole."""


_EMPTY_ENDINGS: frozenset[object] = frozenset(
    getattr(kind, "_on_ending", None) for kind in (SpanProcessor, BatchSpanProcessor, SimpleSpanProcessor)
)
"""The ``_on_ending`` hooks of the SDK that do nothing."""


_EMPTY_STARTS: frozenset[object] = frozenset(
    kind.on_start for kind in (SpanProcessor, BatchSpanProcessor, SimpleSpanProcessor)
)
"""The ``on_start`` hooks of the SDK that do nothing."""


def has_start(processor: Any) -> bool:
    """Return whether the ``on_start`` hook of *processor* does something. Those of the SDK's own processors do not."""
    hook = getattr(processor, "on_start", None)
    return getattr(hook, "__func__", hook) not in _EMPTY_STARTS


def has_ending(processor: Any) -> bool:
    """
    Return whether the ``_on_ending`` hook of *processor* does something. Those of the SDK's own processors do not.

    The SDK's multi-processors call it from 1.40 on.
    """
    hook = getattr(processor, "_on_ending", None)
    return hasattr(SpanProcessor, "_on_ending") and getattr(hook, "__func__", hook) not in _EMPTY_ENDINGS


def call_ending(processor: Any, span: Span) -> None:
    """Call the ``_on_ending`` hook of *processor*."""
    processor._on_ending(span)


def remove_processor(provider: Any, processor: SpanProcessor) -> bool:
    """Remove *processor* from *provider*; return False where this SDK keeps its processors elsewhere."""
    multi = active_processor(provider)
    processors = getattr(multi, "_span_processors", None)
    if multi is None or not isinstance(processors, tuple):
        return False
    multi._span_processors = tuple(other for other in processors if other is not processor)
    return True


def add_first_processor(multi: Any, processor: SpanProcessor) -> None:
    """Add *processor* to *multi*, a synchronous multi-processor of the SDK, before all others."""
    with multi._lock:
        multi._span_processors = (processor, *multi._span_processors)


def inner_processors(processor: Any) -> tuple[Any, ...] | None:
    """Return the processors that *processor*, any multi-processor of the SDK, calls; None where it is another kind."""
    inner = getattr(processor, "_span_processors", None)
    return tuple(inner) if isinstance(inner, tuple | list) else None


def active_processor(provider: Any) -> Any:
    """Return the multi-processor of *provider*, or None where it has none."""
    return getattr(provider, "_active_span_processor", None)


def exporter_of(part: Any) -> Any:
    """Return the exporter of *part*, a span processor or a metric reader; None where it has none."""
    batch = getattr(part, "_batch_processor", None)
    for holder, name in ((part, "span_exporter"), (batch, "_exporter"), (part, "_exporter")):
        exporter = getattr(holder, name, None)
        if exporter is not None:
            return exporter
    return None


def metric_readers(meter_provider: Any) -> tuple[Any, ...]:
    """Return the metric readers of *meter_provider*."""
    readers: Any = getattr(meter_provider, "_metric_readers", None)
    if readers is None:
        readers = getattr(getattr(meter_provider, "_sdk_config", None), "metric_readers", ())
    return tuple(readers)


def samples_children(sampler: Sampler) -> bool:
    """Return whether *sampler* is one of the SDK's that sample each child of a sampled span of this process."""
    if type(sampler).should_sample is not ParentBased.should_sample:
        return sampler is ALWAYS_ON
    return getattr(sampler, "_local_parent_sampled", None) is ALWAYS_ON
