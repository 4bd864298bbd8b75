"""The parts of OpenTelemetry's providers: span processors, exporters and the sampler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.sdk.compatibility.pipeline_parts import (
    active_processor,
    exporter_of,
    inner_processors,
    metric_readers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def span_processors(provider: Any) -> tuple[Any, ...]:
    """Return the span processors of *provider*, including those that other processors contain."""
    return tuple(_flattened(active_processor(provider)))


def exporters_of(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the exporters of span processors or metric readers; *parts* without one contribute nothing."""
    return tuple(exporter for exporter in map(exporter_of, parts) if exporter is not None)


def metric_exporters(meter_provider: Any) -> tuple[Any, ...]:
    """Return the exporters of the metric readers of *meter_provider*."""
    return exporters_of(metric_readers(meter_provider))


def sampler_description(provider: Any) -> str:
    """Return how the sampler of *provider* describes itself; empty where it has none."""
    sampler = getattr(provider, "sampler", None)
    return "" if sampler is None else str(sampler.get_description())


def class_path(thing: object) -> str:
    """Return the module and name of the class of *thing*."""
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _flattened(processor: Any) -> Iterator[Any]:
    inner = inner_processors(processor)
    if inner is not None:
        for each in inner:
            yield from _flattened(each)
    elif processor is not None:
        yield processor
