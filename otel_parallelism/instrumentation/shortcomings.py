"""What will be missing in the numbers of a process that was examined, and how to get it, in sentences."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from otel_parallelism import names
from otel_parallelism.tracing.processor import ParallelismProcessor
from otel_parallelism.tracing.sdk.sampler import RecordingSampler
from otel_parallelism.tracing.state.recorder import RECORDER

from .hooks.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .doctor import Examination

_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def shortcomings(found: Examination, processors: tuple[Any, ...], provider: Any) -> Iterator[str]:
    """
    Yield what was *found* to be missing.

    Args:
        found: What is in place.
        processors: The span processors of *provider*.
        provider: The global tracer provider.
    """
    yield from _of_the_provider(found, processors, provider)
    if "parallelism" in {name.strip() for name in os.environ.get(_DISABLED, "").split(",")}:
        yield f"{_DISABLED} names parallelism: opentelemetry-instrument does not switch it on."
    yield from _of_frameworks(found)
    yield from _of_targets(found)
    if not RECORDER.settings.evidence:
        yield f"Evidence is off ({names.ENVIRONMENT_PREFIX}EVIDENCE): nothing is recommended, only possible."


def _of_the_provider(found: Examination, processors: tuple[Any, ...], provider: Any) -> Iterator[str]:
    if isinstance(provider, trace.ProxyTracerProvider):
        yield (
            "No tracer provider is set: results are on no span that is exported. Run the program under "
            "opentelemetry-instrument, or set a provider."
        )
    elif not any(isinstance(one, ParallelismProcessor) for one in processors):
        yield "The provider takes no span processor of ours: spans of others are not seen. Call install(provider)."
    elif not found.exporters:
        yield "No span exporter is set: results reach no backend. Set OTEL_TRACES_EXPORTER and its endpoint."
    if "Proxy" in found.meter_provider or "NoOp" in found.meter_provider:
        yield "No meter provider is set: there are no metrics. Set OTEL_METRICS_EXPORTER, or a provider."
    sampler = getattr(provider, "sampler", None)
    if found.sampler and not isinstance(sampler, RecordingSampler) and "AlwaysOn" not in found.sampler:
        yield (
            f"The sampler ({found.sampler}) drops spans before they are seen: turns that others make are missing. "
            "Set OTEL_TRACES_SAMPLER=parallelism, with what it was in OTEL_TRACES_SAMPLER_ARG."
        )


def _of_targets(found: Examination) -> Iterator[str]:
    for specification in TARGETS.odd:
        yield f"Target {specification!r} is not of the form module:function."
    for specification in TARGETS.unmatched:
        yield f"Target {specification!r} matches no function; for those that are not async set sync_targets."
    for target, state in found.targets.items():
        if state == "waiting":
            yield f"Target {target!r}: its module is not imported; pass --import to have it looked at."
    for old in found.stale:
        yield f"{old}: calls through it are not seen. Import it after instrument(), or look it up when calling."


def _of_frameworks(found: Examination) -> Iterator[str]:
    for framework in found.frameworks:
        if framework.presence == "cannot be imported":
            yield f"{framework.name} {framework.version} cannot be imported here."
            continue
        missing = [target for target, state in framework.targets.items() if state in {"missing", "failed"}]
        if framework.presence == "partly patched" and missing:
            yield (
                f"{framework.name} {framework.version}: {', '.join(missing)} is not there"
                + ("." if framework.tested else "; this version was not tested.")
            )
        elif framework.presence == "not patched" and found.instrumented:
            yield f"{framework.name} {framework.version} is not patched: its modules are not imported."
