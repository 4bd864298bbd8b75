"""The sentences that say what the results of an inspected process will lack, and how to get it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry import metrics, trace

from otel_parallelism import names
from otel_parallelism.instrumentation.hooks.targets import TARGETS
from otel_parallelism.settings import DISABLED, SDK_DISABLED, read_settings, setting_problems
from otel_parallelism.tracing.processor import ParallelismProcessor
from otel_parallelism.tracing.sdk.sampler import RecordingSampler
from otel_parallelism.tracing.state.registry import REGISTRY

from .endpoints import unreachable_endpoints
from .pipeline import exporters_of, metric_exporters, span_processors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .examination import Examination

_DISABLED_INSTRUMENTATIONS = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def problems(found: Examination) -> Iterator[str]:
    """Yield one sentence, or two, for each thing that the results of the process described by *found* will lack."""
    yield from _of_switches()
    yield from (each if each.endswith("?") else f"{each}." for each in setting_problems())
    yield from _of_providers(found)
    yield from _of_endpoints()
    yield from _of_frameworks(found)
    yield from _of_targets(found)
    if not REGISTRY.settings.evidence:
        yield (
            f"Evidence is off ({names.ENVIRONMENT_PREFIX}EVIDENCE): findings can only be potential, none recommended."
        )


def _of_switches() -> Iterator[str]:
    if os.environ.get(SDK_DISABLED, "").strip().lower() == "true":
        yield f"{SDK_DISABLED} is true: OpenTelemetry's SDK is off, so nothing is recorded. Unset it."
    elif read_settings()[0].disabled:
        yield f"{DISABLED}, or `disabled` in pyproject.toml, is true: nothing is recorded. Unset it."
    disabled = os.environ.get(_DISABLED_INSTRUMENTATIONS, "").split(",")
    if "parallelism" in {name.strip() for name in disabled}:
        yield f"{_DISABLED_INSTRUMENTATIONS} names parallelism: opentelemetry-instrument does not activate it."


def _of_providers(found: Examination) -> Iterator[str]:
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        yield (
            "No tracer provider is set: results are on no span that is exported. Run the program under "
            "opentelemetry-instrument, or set a provider."
        )
    elif not any(isinstance(each, ParallelismProcessor) for each in span_processors(provider)):
        yield (
            "The tracer provider accepts no span processor: spans of other instrumentations are not seen. "
            "Call install(provider)."
        )
    elif not found.exporters:
        yield "No span exporter is set: results reach no backend. Set OTEL_TRACES_EXPORTER and its endpoint."
    if "Proxy" in found.meter_provider or "NoOp" in found.meter_provider:
        yield "No meter provider is set: there are no metrics. Set OTEL_METRICS_EXPORTER, or a provider."
    sampler = getattr(provider, "sampler", None)
    if found.sampler and not isinstance(sampler, RecordingSampler) and "AlwaysOn" not in found.sampler:
        yield (
            f"The sampler ({found.sampler}) drops spans before they are seen: turns of other instrumentations are "
            "missing. Set OTEL_TRACES_SAMPLER=parallelism, and put its present value in OTEL_TRACES_SAMPLER_ARG."
        )


def _of_endpoints() -> Iterator[str]:
    exporters = (
        *exporters_of(span_processors(trace.get_tracer_provider())),
        *metric_exporters(metrics.get_meter_provider()),
    )
    for endpoint, reason in unreachable_endpoints(exporters):
        yield (
            f"The OTLP endpoint {endpoint} does not answer ({reason}). Start the collector, or correct "
            "OTEL_EXPORTER_OTLP_ENDPOINT."
        )


def _of_targets(found: Examination) -> Iterator[str]:
    for specification in TARGETS.malformed:
        yield f"Target {specification!r} is not of the form module:function."
    for specification in TARGETS.unmatched:
        yield f"Target {specification!r} matches no function; set sync_targets to include functions that are not async."
    for target, state in found.targets.items():
        if state == "waiting":
            yield f"Target {target!r}: its module is not imported. Name it with --import to check it."
    for reference in found.stale:
        yield (f"{reference}: calls through it are not seen. Import it after instrument(), or look it up at each call.")


def _of_frameworks(found: Examination) -> Iterator[str]:
    for framework in found.frameworks:
        if framework.presence == "cannot be imported":
            yield f"{framework.name} {framework.version} cannot be imported here."
            continue
        missing = [target for target, state in framework.targets.items() if state in {"missing", "failed"}]
        if framework.presence == "partly patched" and missing:
            yield (
                f"{framework.name} {framework.version}: {', '.join(missing)} cannot be patched"
                + ("." if framework.tested else "; this version was not tested.")
            )
        elif framework.presence == "not patched" and found.instrumented:
            yield f"{framework.name} {framework.version} is not patched: its modules are not imported."
