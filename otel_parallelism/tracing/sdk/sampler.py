"""A sampler that keeps dropped spans visible to processors, so that numbers stay whole under head sampling."""

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
    Decides as *root* does, but records what that drops: processors see such a span, exporters don't.

    Recording costs what a sampled span costs, its export apart.
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
        """Return the root sampler's decision, with RECORD_ONLY in place of DROP."""
        result = self._root.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is not Decision.DROP:
            return result
        # A dropped span's result carries no attributes; the span is seen now, so it keeps its own.
        return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)

    def get_description(self) -> str:
        """Return the root sampler's description, marked."""
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
    Return the recording sampler that the environment or the declarative file asks for by the name ``parallelism``.

    Args:
        argument: What decides: a ratio (``0.1``, of traces without a parent), the name of a sampler
            (``parentbased_always_on``, the default), or both (``traceidratio,0.1``). Where it is not given, as by the
            declarative file, ``OTEL_TRACES_SAMPLER_ARG`` says.

    Raises:
        ValueError: There is no such sampler, or the ratio is none.
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
