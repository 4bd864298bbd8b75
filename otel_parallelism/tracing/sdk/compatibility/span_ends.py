"""
The end of a span.

`Span.end` freezes the attributes before it calls processors (all SDKs up to 1.45), so the last moment to write on a
span is before `end` runs. From 1.40 on the SDK calls `_on_ending`; where a later SDK lets processors write there, `end`
is not patched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor

from otel_parallelism.interruptions import traceback_of
from otel_parallelism.tracing.left_locks import release_left_locks

from .pipeline_parts import inner_processors
from .span_fields import fill_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

# ruff: noqa: SLF001 - this folder is where private names are accessed


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
    release_left_locks(error)
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
    trace = traceback_of(error)
    while trace is not None:
        if trace.tb_frame.f_code.co_name == function:
            return trace.tb_frame
        trace = trace.tb_next
    return None
