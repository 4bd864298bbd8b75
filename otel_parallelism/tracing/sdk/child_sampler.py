"""A sampler for our own spans: decides at once for a child of a sampled span, as the SDK's usual samplers would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanContext, TraceFlags

from .compatibility import SPAN_KEY, samples_children, span_context_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, Tracer, TraceState
    from opentelemetry.util.types import Attributes

_SAMPLED: Final = int(TraceFlags.SAMPLED)


class SharedAttributes(dict[str, Any]):
    """
    Attributes with which many spans start; they never change.

    Attributes:
        sampled: The last decision for a child with them, and the trace state that it passes on; None before the first.
    """

    __slots__ = ("sampled",)

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        super().__init__(attributes)
        self.sampled: tuple[TraceState, SamplingResult] | None = None


class ChildSampler(Sampler):
    """
    Samples each child of a sampled local span, and leaves all other decisions to the sampler *root*.

    It stands in for a *root* that decides the same, but asks the context for the parent three times. Nearly all our
    spans are such children, and a decision of the *root* costs as much as a tenth of a span.
    """

    def __init__(self, root: Sampler) -> None:
        self.root: Sampler = root

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
        """Return the decision that the root sampler would make."""
        parent: Any = None if parent_context is None else parent_context.get(SPAN_KEY)
        context = span_context_of(parent)
        if type(context) is SpanContext:
            _, _, is_remote, flags, state, is_valid = context
            if is_valid and not is_remote and flags & _SAMPLED:
                if type(attributes) is not SharedAttributes:
                    return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
                known = attributes.sampled
                if known is None or known[0] is not state:
                    known = state, SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
                    attributes.sampled = known
                return known[1]
        return self.root.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Return the description of the root sampler."""
        return self.root.get_description()


def sample_children(tracer: Tracer) -> None:
    """Let *tracer*, which makes our own spans, decide by a `ChildSampler`, if its sampler decides the same."""
    sampler = getattr(tracer, "sampler", None)
    if isinstance(sampler, Sampler) and samples_children(sampler):
        tracer.sampler = ChildSampler(sampler)  # type: ignore[attr-defined] # an SDK tracer


def sample_as_before(tracer: Tracer) -> None:
    """Undo `sample_children`."""
    sampler = getattr(tracer, "sampler", None)
    if isinstance(sampler, ChildSampler):
        tracer.sampler = sampler.root  # type: ignore[attr-defined] # an SDK tracer
