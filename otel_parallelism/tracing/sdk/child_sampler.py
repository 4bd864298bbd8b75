"""A sampler for our own spans: decides at once for a child of a sampled span, as the SDK's usual samplers would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanContext, TraceFlags

from .compatibility.pipeline_parts import samples_children
from .compatibility.runtime_context import SPAN_KEY
from .compatibility.span_fields import cleaned_attributes, span_context_of, span_limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, Tracer, TraceState
    from opentelemetry.util.types import Attributes

    from .forwarding import ForwardingProcessor

_SAMPLED: Final = int(TraceFlags.SAMPLED)


class SharedAttributes(dict[str, Any]):
    """
    Attributes with which many spans start; they never change.

    Attributes:
        sampled: The last decision for a child with them; None before the first.
        cleaned: The attributes as the SDK's spans hold them; None where each span has to clean them itself.
    """

    __slots__ = ("cleaned", "sampled")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        super().__init__(attributes)
        self.sampled: ChildDecision | None = None
        self.cleaned: dict[str, Any] | None = None


class ChildDecision(NamedTuple):
    """
    A decision for children called *name* with the same attributes, which pass the trace state *state* on.

    The *result* leaves the attributes out where the span gets them when it starts.
    """

    sampler: ChildSampler
    state: TraceState
    name: str
    result: SamplingResult


class ChildSampler(Sampler):
    """
    Samples each child of a sampled local span, and leaves all other decisions to the sampler *root*.

    It stands in for a *root* that decides the same, but asks the context for the parent three times. Nearly all our
    spans are such children, and a decision of the *root* costs as much as a tenth of a span.

    The SDK cleans the attributes of each span, which costs as much again. `SharedAttributes` are cleaned once: the
    decision leaves them out, and *forwarding* adds them when the span starts.

    Attributes:
        root: The sampler that decides otherwise.
        limits: The limits of the spans; None where attributes are never left out.
        forwarding: What the tracer calls when a span starts; None where that is another processor.
    """

    def __init__(self, root: Sampler, limits: Any = None, forwarding: ForwardingProcessor | None = None) -> None:
        self.root: Sampler = root
        self.limits: Any = limits
        self.forwarding: ForwardingProcessor | None = forwarding

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
                if known is None or known[0] is not self or known[1] is not state or known[2] is not name:
                    known = self._decide(name, attributes, state)
                return known[3]
        return self.root.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def _decide(self, name: str, attributes: SharedAttributes, state: TraceState) -> ChildDecision:
        """Return and remember the decision for children called *name* with *attributes* that pass *state* on."""
        before = attributes.sampled
        if before is None or before.sampler is not self or before.name is not name:
            attributes.cleaned = None
            if self.limits is not None and self.forwarding is not None:
                cleaned = cleaned_attributes(attributes, self.limits)
                if cleaned is not None and self.forwarding.add_attributes(name, cleaned):
                    attributes.cleaned = cleaned
        given = attributes if attributes.cleaned is None else None
        found = ChildDecision(self, state, name, SamplingResult(Decision.RECORD_AND_SAMPLE, given, state))
        attributes.sampled = found
        return found

    def get_description(self) -> str:
        """Return the description of the root sampler."""
        return self.root.get_description()


def sample_children(tracer: Tracer, forwarding: ForwardingProcessor | None = None) -> None:
    """
    Let *tracer*, which makes our own spans, decide by a `ChildSampler`, if its sampler decides the same.

    Args:
        tracer: The tracer.
        forwarding: What it calls when a span starts and ends, if that is ours.
    """
    sampler = getattr(tracer, "sampler", None)
    if isinstance(sampler, Sampler) and samples_children(sampler):
        limits = span_limits(tracer)
        tracer.sampler = ChildSampler(sampler, limits, forwarding)  # type: ignore[attr-defined] # an SDK tracer


def sample_as_before(tracer: Tracer) -> None:
    """Undo `sample_children`."""
    sampler = getattr(tracer, "sampler", None)
    if isinstance(sampler, ChildSampler):
        tracer.sampler = sampler.root  # type: ignore[attr-defined] # an SDK tracer
