# long: one place for all private names
"""
All access to private parts of OpenTelemetry's API and SDK.

No other module reads or patches a private name of OpenTelemetry. Every function here says why no public way serves.
``tests/tracing/sdk/test_compatibility.py`` checks each of them on the installed SDK.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from opentelemetry import context, trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation import _SPAN_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider

# ruff: noqa: SLF001 - this module is where private names are accessed


# The current context: the public functions add a frame to each call, and log where `detach` fails.


RUNTIME_CONTEXT: Any = getattr(context, "_RUNTIME_CONTEXT", context)
"""Holds the current context."""

SPAN_KEY: str = _SPAN_KEY
"""The key of the current span in a context. With it, one copy of a context sets both the span and our node."""


def context_functions() -> tuple[Callable[[], Context], Callable[[Context], Any], Callable[[Any], None]]:
    """Return the functions that get, attach and detach the current context."""
    if type(RUNTIME_CONTEXT) is ContextVarsRuntimeContext:
        # Every call uses them: without the methods of the usual class, which only call these.
        variable: Any = RUNTIME_CONTEXT._current_context
        return variable.get, variable.set, variable.reset
    return RUNTIME_CONTEXT.get_current, RUNTIME_CONTEXT.attach, RUNTIME_CONTEXT.detach


# Reading spans: the public properties copy attributes and events, or add a call to every access. Processors read every
# span of the program.


def span_id_of(span: Any) -> int:
    """Return the id of *span*, open or ended."""
    span_id: int = span._context[1]
    return span_id


def id_of_any(span: Any) -> int:
    """Return the id of *span*, which need not be one of the SDK."""
    found = getattr(span, "_context", None)
    span_id: int = found[1] if type(found) is SpanContext else span.get_span_context().span_id
    return span_id


def span_context_of(span: Any) -> object:
    """Return the ``SpanContext`` of *span* if it is a span of the SDK; else None, or another object."""
    return getattr(span, "_context", None)


def id_and_scope(span: Any) -> tuple[int, str]:
    """Return the id of the open *span* and the name of its instrumentation scope."""
    return span._context[1], span._instrumentation_scope._name


def raw_attributes(span: Any) -> Mapping[str, Any]:
    """Return the attributes of *span*, open or ended; not a copy, and read without the lock."""
    try:
        attributes: Mapping[str, Any] = span._attributes._dict
    except AttributeError:
        return span._attributes or {}
    return attributes


def raw_events(span: Any) -> Sequence[Event]:
    """Return the events of *span*, which has ended; not a copy."""
    events: Sequence[Event] = span._events
    return events or ()


def fingerprint(span: Any) -> tuple[str, int, int]:
    """Return the name of the open *span*, and how many attributes it has and has dropped because of a limit."""
    attributes = span._attributes
    return span._name, len(attributes._dict), attributes.dropped


def raw_name(span: Any) -> str:
    """Return the name of *span*, open or ended."""
    name: str = span._name
    return name


def all_fields(span: Any) -> tuple[Any, ...]:
    """
    Return the data of *span*, open or ended.

    Returns:
        Context, parent, scope, name, start and end time (ns, None while open), attributes, events, links, kind, status.
    """
    return (
        span._context,
        span._parent,
        span._instrumentation_scope,
        span._name,
        span._start_time,
        span._end_time,
        getattr(span._attributes, "_dict", span._attributes),
        span._events,
        span._links,
        span._kind,
        span._status,
    )


def span_limits(span: Any) -> Any:
    """
    Return the `SpanLimits` of *span*, a span or a tracer, or None where it has none.

    No public property of the SDK leads to them.
    """
    return getattr(span, "_limits", None) or getattr(span, "limits", None) or getattr(span, "_span_limits", None)


# Attributes of our own spans: the SDK cleans those of each span, a tenth of what a span costs. Only a private field
# takes attributes that have been cleaned before.


def cleaned_attributes(attributes: Mapping[str, Any], limits: Any) -> dict[str, Any] | None:
    """Return *attributes* as a span with *limits* (`SpanLimits`) holds them; None where it would drop some."""
    held = BoundedAttributes(
        limits.max_span_attributes, attributes, immutable=False, max_value_len=limits.max_span_attribute_length
    )
    return dict(held) if len(held) == len(attributes) and isinstance(getattr(held, "_dict", None), dict) else None


def fill_attributes(span: Any, by_name: Mapping[int, tuple[str, Mapping[str, Any]]]) -> None:
    """
    Give *span*, which starts without attributes, those of its name.

    Args:
        span: The span.
        by_name: Names, with attributes as from `cleaned_attributes`, by the id of the name.
    """
    name = getattr(span, "_name", None)
    known = by_name.get(id(name))
    if known is not None and known[0] is name:
        held = getattr(span, "_attributes", None)
        if type(held) is BoundedAttributes and not held._dict:
            held._dict.update(known[1])


def set_start_time(span: Any, start_ns: int) -> None:
    """Move the start of the open *span* to *start_ns*. The public API sets a start only when the span starts."""
    if hasattr(span, "_start_time"):
        span._start_time = start_ns


# The end of a span: `Span.end` freezes the attributes before it calls processors (all SDKs up to 1.45), so the last
# moment to write on a span is before `end` runs. From 1.40 on the SDK calls `_on_ending`; where a later SDK lets
# processors write there, `end` is not patched.


def patch_end(span: Any, end: Callable[..., None]) -> bool:
    """Make *end* the ``end`` method of this one *span*; return False where the span takes no attributes."""
    try:
        span.end = end
    except AttributeError:
        return False
    return True


def unpatch_end(span: Any, end: Callable[..., None]) -> None:
    """Remove *end* from *span*, if it is still its ``end`` method. Left in place, the closure keeps the span alive."""
    if span.__dict__.get("end") is end:
        del span.__dict__["end"]


def end_interrupted(span: Any, end_ns: int, error: BaseException, cleaned: Mapping[str, Any] | None = None) -> None:
    """
    End *span* after *error* interrupted our code, possibly inside ``span.end`` or ``tracer.start_span``.

    The SDK sets the end time before it calls the processors, and refuses a second end. Where the time was set and no
    processor was called, it is removed again. Where some were called, those that follow are.

    Args:
        span: The span; None where `start_span` has not returned it.
        end_ns: The span's end.
        error: The interruption.
        cleaned: The attributes that the span gets if it was interrupted before `fill_attributes`.
    """
    if span is None:
        span = _started_span(error)
    if cleaned is not None and hasattr(span, "_attributes"):
        fill_attributes(span, {id(span._name): (span._name, cleaned)})
    if span is None or getattr(span, "_start_time", 0) is None:
        return
    if not span.is_recording():
        frame = _frame_named(error, "on_end")
        if frame is not None:
            _call_remaining(frame)
        if frame is not None or getattr(span, "_end_time", None) is None:
            return
        span._end_time = None
    span.end(end_ns)


def _call_remaining(frame: FrameType) -> None:
    """Let those processors end a span that the multi-processor of *frame*, its ``on_end``, has not called yet."""
    names = frame.f_locals
    multi, span = names.get("self"), names.get("span")
    if isinstance(multi, ConcurrentMultiSpanProcessor):
        return  # it has handed the span to threads
    resume = getattr(multi, "resume", None)
    if resume is not None:  # the processor of a held span
        resume(span)
        return
    processors = inner_processors(getattr(multi, "processors", multi)) or ()
    called = names.get("processor", names.get("sp"))
    if called in processors:
        # Whether the interrupted one did its work is known of ours only: it may be called twice.
        own = type(called).__module__.startswith(__name__.partition(".")[0])
        processors = processors[processors.index(called) + (not own) :]
    for processor in processors:
        if processor is not getattr(multi, "excluded", None):
            processor.on_end(span)


def _started_span(error: BaseException) -> Any:
    """Return the span that `start_span` had made when *error* interrupted it; None if there is none."""
    frame = _frame_named(error, "start_span")
    return None if frame is None else frame.f_locals.get("span")


def _frame_named(error: BaseException, function: str) -> FrameType | None:
    """Return the outermost frame of a function of this name that *error* went through; None if there is none."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name == function:
            return trace.tb_frame
        trace = trace.tb_next
    return None


# Samplers: what a parent-based one delegates to is private.


def samples_children(sampler: Sampler) -> bool:
    """Return whether *sampler* is one of the SDK's that sample each child of a sampled span of this process."""
    if type(sampler).should_sample is not ParentBased.should_sample:
        return sampler is ALWAYS_ON
    return getattr(sampler, "_local_parent_sampled", None) is ALWAYS_ON


# Processors: the SDK can add processors to a provider, but cannot list or remove them.


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


# A span that is exported later: nothing public changes which processors get a span, or adds to one that has ended.


def processor_of_span(span: Any) -> Any:
    """Return the processor that *span* calls at its end; None where it is no span of the SDK."""
    return getattr(span, "_span_processor", None) if isinstance(span, Span) else None


def set_processor_of_span(span: Any, processor: SpanProcessor) -> None:
    """Let *span*, of the SDK, call *processor* at its end."""
    span._span_processor = processor


def with_result(span: ReadableSpan, attributes: Mapping[str, Any], events: Sequence[Event]) -> ReadableSpan:
    """Return a copy of *span*, which has ended, with further *attributes* and *events*, for which it has room."""
    changed = copy(span)
    before = span._attributes
    changed._attributes = BoundedAttributes(attributes={**(before or {}), **attributes}, immutable=True)
    changed._attributes.dropped = span.dropped_attributes
    all_events = BoundedList.from_seq(None, [*span._events, *events])
    all_events.dropped = span.dropped_events
    changed._events = all_events
    return changed


# The parts of a pipeline: the SDK has no way to list them; ``doctor`` shows them.


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


# The global provider: the API has no event for its being set, and gives proxies no other way to a tracer.


def watch_global_provider(attach: Callable[[], None]) -> Callable[[], None] | None:
    """
    Call *attach* each time the global tracer provider is set, under whichever name the program imported the setter.

    Returns:
        A function that undoes it, or None where it is in place already.
    """
    original = trace._set_tracer_provider  # every public way of setting the provider calls it
    if getattr(original, "_otel_parallelism", False):
        return None

    def set_and_attach(tracer_provider: trace.TracerProvider, log: bool) -> None:  # noqa: FBT001 - the API's signature
        original(tracer_provider, log)
        attach()

    set_and_attach._otel_parallelism = True  # type: ignore[attr-defined] # marks the function as ours
    trace._set_tracer_provider = set_and_attach

    def undo() -> None:
        if trace._set_tracer_provider is set_and_attach:
            trace._set_tracer_provider = original

    return undo


_PROXY_PROPERTY = "_tracer"
"""The property through which a `ProxyTracer` looks up the real tracer at each use."""


def serve_proxies(provider: TracerProvider) -> Callable[[], None] | None:
    """
    Give proxy tracers the tracers of *provider* as long as no global provider is set.

    Returns:
        A function that undoes it, or None where it is in place already or this API's proxies work differently.
    """
    original: Any = trace.ProxyTracer.__dict__.get(_PROXY_PROPERTY)
    if not isinstance(original, property) or getattr(original.fget, "_otel_parallelism", False):
        return None
    fget: Any = original.fget

    def serve(proxy: Any) -> trace.Tracer:
        tracer: trace.Tracer = fget(proxy)
        if not isinstance(tracer, trace.NoOpTracer) or trace._TRACER_PROVIDER is not None:
            return tracer
        return provider.get_tracer(
            proxy._instrumenting_module_name,
            proxy._instrumenting_library_version,
            proxy._schema_url,
            proxy._attributes,
        )

    serve._otel_parallelism = True  # type: ignore[attr-defined] # marks the function as ours
    setattr(trace.ProxyTracer, _PROXY_PROPERTY, property(serve))

    def undo() -> None:
        setattr(trace.ProxyTracer, _PROXY_PROPERTY, original)

    return undo


def real_meter(meter: Any) -> object:
    """Return the meter that *meter* forwards to, where it is a proxy made before the global provider was set."""
    return getattr(meter, "_real_meter", None) or meter
