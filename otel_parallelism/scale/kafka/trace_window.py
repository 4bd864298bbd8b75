"""
Holds the spans of each trace until no more of them come, within bounds.

Time is an argument of every method, in milliseconds; nothing here asks for it. Spans are held as bytes, which take a
fraction of the memory of objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.scale.span_file import packed_spans, unpacked_spans

from .partition_progress import TraceState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord

    from .span_messages import TraceSpans

_SPAN_BYTES: Final = 250
"""About what the ids of a span take."""


class WindowBounds(msgspec.Struct, frozen=True):
    """
    When a trace is complete, and how much is held.

    Attributes:
        idle_s: A trace is complete when no span of it has come for this time, and the parents of all its spans have.
        missing_idle_s: A trace with spans whose parents have not come is complete after this time. A span comes when it
            ends, so that what is missing may still run.
        remember_s: For how long after that further spans of it are recognized as late.
        most_age_s: A trace that is not complete after this time is left out.
        most_spans: A trace with more spans is left out.
        most_bytes: The largest traces are left out when the spans of all open traces take up more memory.
        most_closed: When more closed traces are remembered, the oldest open ones are left out, because messages that
            are read again after a restart have spans of all of these.
    """

    idle_s: float = 30.0
    missing_idle_s: float = 900.0
    remember_s: float = 600.0
    most_age_s: float = 21_600.0
    most_spans: int = 50_000
    most_bytes: int = 512 << 20
    most_closed: int = 200_000


@dataclass(slots=True, eq=False)
class OpenTrace:
    """
    A trace that may get more spans.

    ``alone`` is whether all of its messages have only spans of it, by their keys, so that they are in one partition.
    ``earliest_ns`` is when its first span began. ``missing`` are the parents that have not come.
    """

    state: TraceState
    opened_ms: float
    newest_ms: float
    alone: bool = True
    earliest_ns: int = 1 << 64
    spans: int = 0
    size: int = 0
    packed: list[bytes] = field(default_factory=list)
    partitions: set[int] = field(default_factory=set)
    span_ids: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def add(self, spans: list[SpanRecord], partition: int) -> int:
        """Add *spans* that came from *partition*, and return about how many bytes of memory they take."""
        packed = packed_spans(spans)
        self.packed.append(packed)
        self.partitions.add(partition)
        for span in spans:
            self.span_ids.add(span.span_id)
            self.missing.discard(span.span_id)
            if span.parent_id and span.parent_id not in self.span_ids:
                self.missing.add(span.parent_id)
        self.earliest_ns = min([self.earliest_ns, *(span.start_ns for span in spans if span.start_ns > 0)])
        self.spans += len(spans)
        size = len(packed) + _SPAN_BYTES * len(spans)
        self.size += size
        return size

    def records(self) -> list[SpanRecord]:
        """Return the spans, in the order in which they came."""
        return [span for part in self.packed for span in unpacked_spans(part)]


class TraceWindow:
    """
    The open traces, and those that were closed and occur in messages that are read again after a restart.

    Args:
        bounds: When a trace is complete, and how much is held.
    """

    def __init__(self, bounds: WindowBounds) -> None:
        self._bounds = bounds
        self._open: dict[str, OpenTrace] = {}
        self._closed: dict[str, TraceState] = {}
        self._closed_ms: dict[TraceState, float] = {}
        self.held_bytes: int = 0

    def __len__(self) -> int:
        """Return the number of open traces."""
        return len(self._open)

    @property
    def has_many_closed(self) -> bool:
        """Whether more closed traces are remembered than the bounds say."""
        return len(self._closed) > self._bounds.most_closed

    def open_trace(self, trace_id: str) -> OpenTrace | None:
        """Return the trace if it is open."""
        return self._open.get(trace_id)

    def closed_state(self, trace_id: str) -> TraceState | None:
        """Return the state of the trace if it is closed, so that spans of it come too late."""
        return self._closed.get(trace_id)

    def add(self, spans: TraceSpans, partition: int, now_ms: float) -> OpenTrace:
        """Add *spans* of a trace that is not closed, and return the trace."""
        trace = self._open.get(spans.trace_id)
        if trace is None:
            trace = self._open[spans.trace_id] = OpenTrace(TraceState(spans.trace_id), now_ms, now_ms)
        trace.alone = trace.alone and spans.alone
        trace.newest_ms = max(trace.newest_ms, now_ms)
        self.held_bytes += trace.add(spans.spans, partition)
        return trace

    def add_closed(self, trace_id: str, now_ms: float) -> TraceState:
        """Return the state of a trace that was closed before the restart."""
        trace = self._open.get(trace_id)
        if trace is not None:
            self.close(trace, now_ms)
        state = self._closed.get(trace_id)
        if state is None:
            state = self._closed[trace_id] = TraceState(trace_id, is_done=True)
        if state.is_needed:
            self._closed_ms[state] = now_ms
        return state

    def close(self, trace: OpenTrace, now_ms: float) -> None:
        """Let go of the spans of *trace*, which is done from now on."""
        trace.state.is_done = True
        del self._open[trace.state.trace_id]
        self.held_bytes -= trace.size
        self._closed[trace.state.trace_id] = trace.state
        self._closed_ms[trace.state] = now_ms

    def release_closed(self, now_ms: float) -> None:
        """Let messages with spans of traces that were closed long ago be needed no longer."""
        before_ms = now_ms - self._bounds.remember_s * 1e3
        for state in [state for state, closed_ms in self._closed_ms.items() if closed_ms < before_ms]:
            self.release(state)

    def release(self, state: TraceState) -> None:
        """Let messages with spans of a closed trace be needed no longer."""
        state.is_needed = False
        self._closed_ms.pop(state, None)

    def forget(self, state: TraceState) -> None:
        """Forget a closed trace that no remembered message has: further spans with its id are a new trace."""
        self._closed.pop(state.trace_id, None)

    def complete(self, clock_ms: Callable[[OpenTrace], float]) -> list[OpenTrace]:
        """Return the traces that have got no span for so long that they are complete; *clock_ms* is their time."""
        idle_ms = self._bounds.idle_s * 1e3
        missing_ms = max(idle_ms, self._bounds.missing_idle_s * 1e3)
        return [
            trace
            for trace in self._open.values()
            if clock_ms(trace) - trace.newest_ms > (missing_ms if trace.missing else idle_ms)
        ]

    def too_old(self, clock_ms: Callable[[OpenTrace], float]) -> list[OpenTrace]:
        """Return the traces that have been open for too long; *clock_ms* is their time."""
        age_ms = self._bounds.most_age_s * 1e3
        return [trace for trace in self._open.values() if clock_ms(trace) - trace.opened_ms > age_ms]

    def beyond_memory(self) -> Iterator[OpenTrace]:
        """Yield the largest traces, so many that a tenth of the memory becomes free; none if there is enough."""
        if self.held_bytes <= self._bounds.most_bytes:
            return
        freed, enough = 0, self.held_bytes - self._bounds.most_bytes * 9 // 10
        for trace in sorted(self._open.values(), key=lambda one: one.size, reverse=True):
            yield trace
            freed += trace.size
            if freed >= enough:
                return

    def clear(self) -> None:
        """Forget everything: other consumers go on with it."""
        self._open.clear()
        self._closed.clear()
        self._closed_ms.clear()
        self.held_bytes = 0
