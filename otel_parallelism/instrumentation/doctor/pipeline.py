"""The parts of OpenTelemetry's providers: span processors, exporters and the sampler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def span_processors(provider: Any) -> tuple[Any, ...]:
    """Return the span processors of *provider*, including those that other processors contain."""
    return tuple(_flattened(getattr(provider, "_active_span_processor", None)))


def exporters_of(processors: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the exporters of span *processors*; processors without one contribute nothing."""
    return tuple(exporter for exporter in map(_exporter, processors) if exporter is not None)


def metric_exporters(meter_provider: Any) -> tuple[Any, ...]:
    """Return the exporters of the metric readers of *meter_provider*."""
    readers: Any = getattr(meter_provider, "_metric_readers", None)
    if readers is None:
        readers = getattr(getattr(meter_provider, "_sdk_config", None), "metric_readers", ())
    exporters = (getattr(reader, "_exporter", None) for reader in readers)
    return tuple(exporter for exporter in exporters if exporter is not None)


def sampler_description(provider: Any) -> str:
    """Return how the sampler of *provider* describes itself; empty where it has none."""
    sampler = getattr(provider, "sampler", None)
    return "" if sampler is None else str(sampler.get_description())


def class_path(thing: object) -> str:
    """Return the module and name of the class of *thing*."""
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _flattened(processor: Any) -> Iterator[Any]:
    inner = getattr(processor, "_span_processors", None)
    if isinstance(inner, tuple | list):
        for each in inner:
            yield from _flattened(each)
    elif processor is not None:
        yield processor


def _exporter(processor: Any) -> Any:
    batch = getattr(processor, "_batch_processor", None)
    for holder, name in ((processor, "span_exporter"), (batch, "_exporter"), (processor, "_exporter")):
        exporter = getattr(holder, name, None)
        if exporter is not None:
            return exporter
    return None
