"""
Holds the spans of each trace until no more of them come, within bounds.

Time is an argument of every method, in milliseconds; nothing here asks for it. Spans are held as bytes, which take a
fraction of the memory of objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from otel_parallelism.scale.span_file import packed_spans, unpacked_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord

    from .span_messages import TraceSpans

_SPAN_BYTES: Final = 250
"""About what the ids of a span take."""

Place: TypeAlias = tuple[int, int, int]
"""Where spans of a trace came from: partition, offset of the message, number of the trace in it."""


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
    """

    idle_s: float = 30.0
    missing_idle_s: float = 900.0
    remember_s: float = 600.0
    most_age_s: float = 21_600.0
    most_spans: int = 50_000
    most_bytes: int = 512 << 20


@dataclass(slots=True, eq=False)
class OpenTrace:
    """
    A trace that may get more spans.

    ``alone`` is whether all of its messages have only spans of it, by their keys, so that they are in one partition.
    ``earliest_ns`` is when its first span began. ``missing`` are the parents that have not come.
    """

    trace_id: str
    opened_ms: float
    newest_ms: float
    alone: bool = True
    earliest_ns: int = 1 << 64
    spans: int = 0
    size: int = 0
    packed: list[bytes] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    partitions: set[int] = field(default_factory=set)
    span_ids: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def add(self, spans: list[SpanRecord], place: Place) -> int:
        """Add *spans* that were at *place*, and return about how many bytes of memory they take."""
        packed = packed_spans(spans)
        self.packed.append(packed)
        self.places.append(place)
        self.partitions.add(place[0])
        self.span_ids.update(span.span_id for span in spans)
        self.missing.update(span.parent_id for span in spans if span.parent_id)
        self.missing -= self.span_ids
        self.earliest_ns = min([self.earliest_ns, *(span.start_ns for span in spans if span.start_ns > 0)])
        self.spans += len(spans)
        size = len(packed) + _SPAN_BYTES * len(spans)
        self.size += size
        return size

    def records(self) -> list[SpanRecord]:
        """Return the spans, in the order in which they came."""
        return [span for part in self.packed for span in unpacked_spans(part)]


@dataclass(slots=True)
class _ClosedTrace:
    closed_ms: float
    places: list[Place]
    before_restart: bool = False


class TraceWindow:
    """
    The open traces, and for a while those that were closed.

    Args:
        bounds: When a trace is complete, and how much is held.
        forget: Called with each place of a closed trace when late spans of it are no longer recognized.
    """

    def __init__(self, bounds: WindowBounds, forget: Callable[[Place], None]) -> None:
        self._bounds = bounds
        self._forget = forget
        self._open: dict[str, OpenTrace] = {}
        self._closed: dict[str, _ClosedTrace] = {}
        self.held_bytes = 0

    def __len__(self) -> int:
        """Return the number of open traces."""
        return len(self._open)

    def is_closed(self, trace_id: str) -> bool:
        """Return whether spans of the trace *trace_id* come too late."""
        return trace_id in self._closed

    def add(self, spans: TraceSpans, place: Place, now_ms: float) -> OpenTrace:
        """Add *spans* of a trace that is not closed, and return the trace."""
        trace = self._open.get(spans.trace_id)
        if trace is None:
            trace = self._open[spans.trace_id] = OpenTrace(spans.trace_id, now_ms, now_ms)
        trace.alone = trace.alone and spans.alone
        trace.newest_ms = max(trace.newest_ms, now_ms)
        self.held_bytes += trace.add(spans.spans, place)
        return trace

    def add_closed(self, trace_id: str, place: Place, now_ms: float) -> None:
        """Remember that there are spans of a trace at *place* that was closed, before a restart or since."""
        closed = self._closed.get(trace_id)
        if closed is None:
            closed = self._closed[trace_id] = _ClosedTrace(now_ms, [], before_restart=True)
        closed.places.append(place)

    def close(self, trace: OpenTrace, now_ms: float) -> None:
        """Let go of the spans of *trace*, and remember that it is closed."""
        del self._open[trace.trace_id]
        self.held_bytes -= trace.size
        self._closed[trace.trace_id] = _ClosedTrace(now_ms, trace.places)

    def forget_closed(self, now_ms: float) -> None:
        """Forget the traces that were closed long ago."""
        before_ms = now_ms - self._bounds.remember_s * 1e3
        for trace_id in [name for name, closed in self._closed.items() if closed.closed_ms < before_ms]:
            self._forget_trace(trace_id)

    def reopen(self, trace_id: str) -> None:
        """Forget a trace that was closed before the restart, if spans of it were open then: it had been forgotten."""
        closed = self._closed.get(trace_id)
        if closed is not None and closed.before_restart:
            self._forget_trace(trace_id)

    def _forget_trace(self, trace_id: str) -> None:
        for place in self._closed.pop(trace_id).places:
            self._forget(place)

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
        self.held_bytes = 0
