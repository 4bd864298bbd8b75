"""A sampler that records spans which head sampling drops, so that turns are complete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes


class RecordingSampler(Sampler):
    """
    Records the spans that the sampler *root* drops: processors receive them, exporters do not.

    A recorded span costs as much as a sampled one, except for its export.
    """

    def __init__(self, root: Sampler) -> None:
        self._root = root

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the decision of the root sampler, with RECORD_ONLY in place of DROP."""
        result = self._root.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is not Decision.DROP:
            return result
        # The result for a dropped span has no attributes: pass on those that the span started with.
        return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)

    def get_description(self) -> str:
        """Return the description of the root sampler in ``RecordingSampler{...}``."""
        return f"RecordingSampler{{{self._root.get_description()}}}"


_RATIOS: Final = {
    "traceidratio": sampling.TraceIdRatioBased,
    "parentbased_traceidratio": sampling.ParentBasedTraceIdRatio,
}
_CONSTANT: Final = {
    "always_on": sampling.ALWAYS_ON,
    "always_off": sampling.ALWAYS_OFF,
    "parentbased_always_on": sampling.DEFAULT_ON,
    "parentbased_always_off": sampling.DEFAULT_OFF,
}
_ARGUMENT = "OTEL_TRACES_SAMPLER_ARG"


def configured_sampler(argument: str | float | None = None) -> RecordingSampler:
    """
    Return the sampler called ``parallelism`` in environment variables and declarative configuration files.

    Args:
        argument: The root sampler: a ratio (``0.1``, applied to traces without a parent), a sampler's name
            (``parentbased_always_on``, the default), or both (``traceidratio,0.1``). None, as in a declarative
            configuration, means the value of ``OTEL_TRACES_SAMPLER_ARG``.

    Raises:
        ValueError: The sampler is unknown, or the ratio is not a number from 0 to 1.
    """
    text = str(os.environ.get(_ARGUMENT, "") if argument is None else argument).strip()
    name, _, ratio = text.partition(",")
    if name in _CONSTANT:
        return RecordingSampler(_CONSTANT[name])
    if name and name not in _RATIOS:
        name, ratio = "parentbased_traceidratio", text
    if not name:
        return RecordingSampler(sampling.DEFAULT_ON)
    try:
        return RecordingSampler(_RATIOS[name](float(ratio or 1.0)))
    except ValueError:
        expected = ", ".join((*_CONSTANT, *_RATIOS))
        message = f"{_ARGUMENT}={text!r}: expected a ratio from 0 to 1 or one of {expected}"
        raise ValueError(message) from None
