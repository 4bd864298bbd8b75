"""Where the turns of a topic go: a file of JSON lines, and metrics. What is left out is counted and logged."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from otel_parallelism import names
from otel_parallelism.tracing.sdk.tracer import package_version
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.turn_instruments import TurnInstruments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opentelemetry.metrics import MeterProvider

    from otel_parallelism.model import Report
    from otel_parallelism.settings import Settings

    from .turn_file import TurnFile, TurnLine

FLUSH_MS: Final = 5_000
_logger = logging.getLogger(names.INSTRUMENTATION)


class TurnOutlets:
    """
    The outlets of a `TurnStream`.

    Args:
        file: The file of turns.
        settings: Of the metrics.
        provider: The provider of our metrics; None for the global one.
    """

    def __init__(self, file: TurnFile, settings: Settings, provider: MeterProvider | None = None) -> None:
        self._file = file
        self._provider = provider
        meter = metrics.get_meter(names.INSTRUMENTATION, package_version(), provider, names.SCHEMA_URL)
        self._instruments = TurnInstruments(meter, settings)
        self._told: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.commit_positions: Callable[[Mapping[int, tuple[int, str]]], bool] = _cannot_commit

    @property
    def exports_metrics(self) -> bool:
        """Whether there is a meter provider that does anything."""
        return hasattr(self._provider or metrics.get_meter_provider(), "force_flush")

    def write(self, turns: Sequence[TurnLine]) -> None:
        """Append *turns* to the file."""
        self._file.write(turns)

    def commit(self, positions: Mapping[int, tuple[int, str]]) -> bool:
        """Commit the offset and text of each partition; return whether that was possible."""
        return self.commit_positions(positions)

    def record(self, reports: Iterable[Report]) -> None:
        """Record the metrics of turns, and export them now, so that a process that is killed later loses none."""
        try:
            for report in reports:
                self._instruments.record(report, _exemplar(report))
            flush = getattr(self._provider or metrics.get_meter_provider(), "force_flush", None)
            if flush is not None:
                flush(FLUSH_MS)
        except Exception as error:  # noqa: BLE001 - turns are written without metrics, too
            swallow("recording metrics", error)

    def left_out(self, what: str, number: int, example: str) -> None:
        """Count what is left out, and log the first case and each time that there are ten times as many."""
        self.counts[what] += number
        if self.counts[what] >= self._told.get(what, 1):
            self._told[what] = self.counts[what] * 10
            _logger.warning("left out so far: %s %s; the last: %s", f"{self.counts[what]:,}", what, example)

    def wait(self, traces: int) -> None:
        """Log once that complete *traces* wait."""
        if "wait" not in self._told:
            self._told["wait"] = 1
            _logger.warning(
                "%s complete traces wait for older ones that are open: the text to commit would become too long. More "
                "partitions prevent that, or a higher offset.metadata.max.bytes of the brokers with --metadata-bytes",
                f"{traces:,}",
            )


def _cannot_commit(_: Mapping[int, tuple[int, str]]) -> bool:
    return False


def _exemplar(report: Report) -> Context:
    """Return the context whose span exemplars link to: the turn's, if it has one."""
    turn = report.turn
    try:
        place = SpanContext(int(turn.trace_id, 16), int(turn.span_id, 16), is_remote=True, trace_flags=TraceFlags(1))
    except ValueError:
        return Context()
    return set_span_in_context(NonRecordingSpan(place), Context())
