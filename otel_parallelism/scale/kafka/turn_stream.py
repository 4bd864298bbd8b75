"""
Turns messages with spans into reports on turns, each once, and says which offsets to commit.

It knows neither Kafka nor the time: messages, the time of day and the partitions come from its caller. A batch of
complete traces is analysed; their turns are written; the offsets are committed; then their metrics are recorded.
Nothing of the next batch is written before the offsets of this one are committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_parallelism.tracing.shield import swallow

from .partition_clock import NOT_STARTED, PartitionClock
from .partition_progress import PartitionProgress
from .span_messages import UnreadableMessageError, traces_in
from .stream_outlets import BEGUN_BEFORE, FAILED, IN_PARTS, LARGE, LATE, MEMORY, NO_ID, OLD, UNREADABLE
from .trace_turns import trace_turns
from .trace_window import TraceWindow, WindowBounds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_parallelism.model import Report
    from otel_parallelism.scale.file_analysis import HowToAnalyze

    from .partition_progress import Resumption, TraceState
    from .span_messages import SpanMessage, TraceSpans
    from .stream_outlets import Outlets
    from .trace_window import OpenTrace
    from .turn_file import TurnLine

MOST_TEXT_BYTES: Final = 4_096
"""The longest text that brokers store with an offset: their setting ``offset.metadata.max.bytes``."""
BATCH_TRACES: Final = 500
"""How many traces are analysed before offsets are committed, at most."""


@dataclass(frozen=True, slots=True)
class _Written:
    """Turns that were written, those of them to record, and the offset and text to commit for each partition."""

    lines: list[TurnLine]
    reports: list[Report]
    positions: dict[int, tuple[int, str]]


class TurnStream:
    """
    The traces of the partitions that this consumer has.

    Args:
        how: How traces are analysed.
        bounds: When a trace is complete, and how much is held.
        outlets: Where the results go.
        most_text_bytes: The longest text that is committed with an offset. If more would be needed, complete traces
            wait until the oldest open ones are complete.
    """

    def __init__(
        self, how: HowToAnalyze, bounds: WindowBounds, outlets: Outlets, *, most_text_bytes: int = MOST_TEXT_BYTES
    ) -> None:
        self._analyze = how.part_analyzer()
        self._bounds = bounds
        self._outlets = outlets
        self._most_text_bytes = most_text_bytes
        self._window = TraceWindow(bounds)
        self._partitions: dict[int, PartitionProgress] = {}
        self._clocks: dict[int, PartitionClock] = {}
        self._has_all = False
        self._committed: dict[int, tuple[int, str]] = {}
        self._written: _Written | None = None
        self.turns: int = 0
        self.read_spans: int = 0
        self.calls_without_turn: int = 0

    @property
    def open_traces(self) -> int:
        """The number of traces that may get more spans."""
        return len(self._window)

    @property
    def partitions(self) -> list[int]:
        """The partitions that are read."""
        return list(self._partitions)

    def next_offset(self, partition: int) -> int:
        """Return the offset of the next message of *partition*."""
        return self._partitions[partition].next_offset

    def assign(self, starts: Mapping[int, Resumption], *, has_all: bool) -> None:
        """
        Begin to read partitions.

        Args:
            starts: Where reading each partition goes on.
            has_all: Whether they are all partitions of the topic. If not, only traces whose messages have the trace's
                id as their key are analysed: other consumers may have spans of the others.
        """
        self._partitions = {partition: PartitionProgress(start) for partition, start in starts.items()}
        self._clocks = {partition: PartitionClock() for partition in starts}
        self._has_all = has_all

    def revoke(self) -> list[TurnLine]:
        """
        Forget everything about all partitions: the offsets tell other consumers what is not done.

        Returns:
            The turns that were written and whose offsets could not be committed.
        """
        self._commit()
        uncommitted = [] if self._written is None else self._written.lines
        self._written = None
        self._drop()
        return uncommitted

    def read(self, message: SpanMessage, now_ms: float) -> None:
        """Take a message of a partition, in the order of offsets. *now_ms* is the time of day."""
        progress = self._partitions.get(message.partition)
        if progress is None or message.offset < progress.next_offset:
            return
        clock = self._clocks[message.partition]
        arrived_ms = clock.read_message(message.timestamp_ms, now_ms)
        if progress.began_ms is None:
            progress.began_ms = round(message.timestamp_ms or now_ms)
        repeated = progress.is_repeating
        states = []
        for spans in self._traces(message, is_new=not repeated):
            if repeated and progress.was_done(spans.trace_id):
                states.append(self._window.add_closed(spans.trace_id, arrived_ms))
            else:
                states.append(self._take(spans, message.partition, arrived_ms))
        progress.add(message.offset, states)
        for trace in list(self._window.beyond_memory()):
            self._leave_out(trace, MEMORY)

    def reach_end(self, partition: int, now_ms: float) -> None:
        """Note that all messages of *partition* that there were at the time of day *now_ms* have been read."""
        progress = self._partitions.get(partition)
        if progress is None:
            return
        if progress.is_repeating:
            progress.end_repetition()
        if progress.began_ms is None:
            progress.began_ms = round(now_ms)
        self._clocks[partition].reach_end(now_ms)

    def emit(self) -> bool:
        """Write, commit and record the turns of a batch of complete traces; return whether there may be more."""
        is_repeating = any(progress.is_repeating for progress in self._partitions.values())
        if not self._partitions or is_repeating or not self._commit():
            return False
        slowest_ms = self._slowest_ms()

        def clock_ms(trace: OpenTrace) -> float:
            return self._clock_of(trace) if trace.alone else slowest_ms

        complete = sorted(self._window.complete(clock_ms), key=lambda trace: trace.newest_ms)
        for trace in set(self._window.too_old(clock_ms)).difference(complete):
            self._leave_out(trace, OLD)
        self._forget_messages(slowest_ms)
        # All of them may fit where a part does not: bits that are equal to their neighbours take the least room.
        for batch in (complete[:BATCH_TRACES], complete):
            positions = self._positions_after(batch)
            if positions is not None:
                try:
                    self._write(batch, positions)
                except BaseException:
                    self._drop()  # what is marked as done was not written, so that no offset may be committed
                    raise
                return self._commit() and len(batch) < len(complete)
        if complete:
            self._outlets.wait(len(complete))
        return False

    def _traces(self, message: SpanMessage, *, is_new: bool) -> list[TraceSpans]:
        """Return the spans of *message* by trace; what cannot be read of a message that *is_new* is counted."""
        where = f"partition {message.partition}, offset {message.offset}"
        try:
            traces, invalid = traces_in(message)
        except UnreadableMessageError as error:
            if is_new:
                self._outlets.left_out(UNREADABLE, 1, f"{where}: {error}")
            return []
        if invalid and is_new:
            self._outlets.left_out(NO_ID, invalid, where)
        return traces

    def _take(self, spans: TraceSpans, partition: int, arrived_ms: float) -> TraceState:
        closed = self._window.closed_state(spans.trace_id)
        if closed is not None:
            self._outlets.left_out(LATE, len(spans.spans), f"trace {spans.trace_id}")
            return closed
        self.read_spans += len(spans.spans)
        trace = self._window.add(spans, partition, arrived_ms)
        if trace.spans > self._bounds.most_spans:
            self._leave_out(trace, LARGE)
        return trace.state

    def _leave_out(self, trace: OpenTrace, reason: str) -> None:
        self._outlets.left_out(reason, trace.spans, f"trace {trace.state.trace_id}")
        self._window.close(trace, self._clock_of(trace))

    def _forget_messages(self, slowest_ms: float) -> None:
        """Forget closed traces, and messages that are not needed; where too many traces remain, the oldest."""
        self._window.release_closed(slowest_ms)
        while True:
            for progress in self._partitions.values():
                for state in progress.forget_messages():
                    self._window.forget(state)
            oldest = [progress.oldest_needed() for progress in self._partitions.values()]
            holding = {state for state in oldest if state is not None}
            if not holding or not self._window.has_many_closed:
                return
            for state in holding:
                trace = self._window.open_trace(state.trace_id)
                if trace is not None:
                    self._leave_out(trace, OLD)
                self._window.release(state)

    def _positions_after(self, traces: Sequence[OpenTrace]) -> dict[int, tuple[int, str]] | None:
        """Mark *traces* as done, and return what to commit then; None, and no mark, if a text becomes too long."""
        for trace in traces:
            trace.state.is_done = True
        positions = {
            partition: progress.position()
            for partition, progress in self._partitions.items()
            if progress.began_ms is not None
        }
        if all(len(text) <= self._most_text_bytes for _, text in positions.values()):
            return positions
        for trace in traces:
            trace.state.is_done = False
        return None

    def _write(self, traces: Sequence[OpenTrace], positions: dict[int, tuple[int, str]]) -> None:
        """Analyse *traces*, which are marked as done, and write their turns."""
        lines: list[TurnLine] = []
        unrecorded: list[Report] = []
        for trace in traces:
            reason = self._reason_to_leave_out(trace)
            if not reason:
                try:
                    found = trace_turns(trace.records(), self._analyze)
                except Exception as error:  # noqa: BLE001 - one trace must not stop the analysis of all others
                    swallow("analysing a trace", error)
                    reason = FAILED
                else:
                    lines += found.lines
                    unrecorded += found.unrecorded
                    self.calls_without_turn += found.calls_without_turn
            if reason:
                self._outlets.left_out(reason, trace.spans, f"trace {trace.state.trace_id}")
            self._window.close(trace, self._clock_of(trace))
        if lines:
            self._outlets.write(lines)
        self._written = _Written(lines, unrecorded, positions)

    def _reason_to_leave_out(self, trace: OpenTrace) -> str:
        if not self._has_all and not trace.alone:
            return IN_PARTS
        partitions = trace.partitions if trace.alone else self._partitions
        began_ms = max(self._partitions[one].began_ms or 0 for one in partitions)
        return BEGUN_BEFORE if trace.earliest_ns < began_ms * 1_000_000 else ""

    def _commit(self) -> bool:
        """Commit what was written, and then record the metrics of its turns; return whether all is committed."""
        written = self._written
        if written is None:
            return True
        # All in one request: a trace can have spans in several partitions.
        changed = {one: at for one, at in written.positions.items() if at != self._committed.get(one)}
        if changed and not self._outlets.commit(changed):
            return False
        self._committed.update(changed)
        self._written = None
        self.turns += len(written.lines)
        if written.reports:
            self._outlets.record(written.reports)
        return True

    def _clock_of(self, trace: OpenTrace) -> float:
        """Return the time up to which all partitions have been read in which further spans of *trace* can be."""
        if trace.alone:
            return min(self._clocks[one].ms for one in trace.partitions)
        return self._slowest_ms()

    def _slowest_ms(self) -> float:
        return min((clock.ms for clock in self._clocks.values()), default=NOT_STARTED)

    def _drop(self) -> None:
        self._window.clear()
        self._partitions, self._clocks, self._committed = {}, {}, {}
