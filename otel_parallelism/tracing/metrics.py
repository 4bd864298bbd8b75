"""Metrics: the figures of each ended turn, and observable instruments for open turns."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace
from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from otel_parallelism import names
from otel_parallelism.analysis.schedule.limits import median_of

from .sdk.compatibility.global_provider import real_meter
from .sdk.tracer import package_version
from .shield import swallow
from .state.live_turns import LiveTurn, live_turns
from .turn_instruments import TurnInstruments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.trace import Span

    from otel_parallelism.model import Report
    from otel_parallelism.settings import Settings

    from .state.registry import Registry

_Read: TypeAlias = "Callable[[TurnMetrics, list[LiveTurn]], Iterator[Observation]]"

_MAX_PENDING = 256
_MANY_CALLS = 1_000


class TurnMetrics:
    """The instruments of one meter provider; None means the global one, even if it is set later."""

    def __init__(self, provider: MeterProvider | None, settings: Settings, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry
        self._live = True
        self._pending: deque[tuple[Report, Context]] = deque()
        self._meter = meter = metrics.get_meter(names.INSTRUMENTATION, package_version(), provider, names.SCHEMA_URL)
        self._ended = TurnInstruments(meter, settings)
        for instrument, make, read in (
            (names.METRIC_ACTIVE_TURNS, meter.create_observable_up_down_counter, TurnMetrics._active_turns),
            (names.METRIC_ACTIVE_CALLS, meter.create_observable_up_down_counter, TurnMetrics._active_calls),
            (names.METRIC_LIVE_RATIO, meter.create_observable_gauge, TurnMetrics._live_ratio),
        ):
            make(instrument.name, [self._callback(read)], instrument.unit, instrument.meaning)

    def stop(self) -> None:
        """Record and report nothing from now on; OpenTelemetry cannot remove instruments."""
        self._record_pending()
        self._live = False

    def forget(self) -> None:
        """Drop the pending reports: the parent process of this fork records them."""
        self._pending.clear()

    def record(self, report: Report, turn: Span) -> None:
        """
        Queue *report* for recording; its exemplars link to the span *turn*.

        It is recorded at the next collection, in the reader's thread. Recording it here would double the cost of a
        turn's end for the program.
        """
        if not self._live:
            return
        made_at = NonRecordingSpan(turn.get_span_context())
        many = len(report.turn.calls) >= _MANY_CALLS
        # Arguments and results refer to the turn's nodes and spans, which must not be kept until the next collection.
        timed = report.turn.calls if self._settings.call_duration_metric else ()
        calls = tuple([replace(call, arguments=None, result=None) for call in timed])
        report = replace(report, turn=replace(report.turn, calls=calls, steps=(), inputs=()))
        self._pending.append((report, set_span_in_context(made_at, Context())))
        # Pending reports use memory, so neither many reports nor a large one wait.
        if len(self._pending) >= _MAX_PENDING or many:
            self._record_pending()

    def _record_pending(self) -> None:
        """Record all pending reports; may be called from any thread."""
        while True:
            try:
                report, context = self._pending.popleft()
            except IndexError:
                return
            try:
                self._ended.record(report, context)
            except Exception as error:  # noqa: BLE001 - the other reports are recorded
                swallow("recording the metrics of a turn", error)

    def _callback(self, read: _Read) -> Callable[[CallbackOptions], list[Observation]]:
        registry, meter = self._registry, self._meter

        def observe(_: CallbackOptions) -> list[Observation]:
            # A meter keeps the first callbacks: after another `install` they report for its instruments.
            current = registry.instruments
            return current.observed(meter, read) if isinstance(current, TurnMetrics) else []

        return observe

    def observed(self, meter: Meter, read: _Read) -> list[Observation]:
        """Return the observations of *read*; none where these instruments belong to another meter than *meter*."""
        if real_meter(meter) is not real_meter(self._meter):
            return []
        try:
            # Callbacks run before the reader collects recorded values, so these are in the same collection.
            self._record_pending()
            return list(read(self, list(live_turns(self._registry))))
        except Exception as error:  # noqa: BLE001 - the reader must collect the other metrics
            swallow("observing open turns", error)
            return []

    def _by_agent(self, turns: list[LiveTurn]) -> dict[str, list[LiveTurn]]:
        found: dict[str, list[LiveTurn]] = {agent: [] for agent in tuple(self._ended.agents)}
        for turn in turns:
            found.setdefault(self._ended.agent(turn.agent), []).append(turn)
        return found

    def _active_turns(self, turns: list[LiveTurn]) -> Iterator[Observation]:
        for agent, open_turns in self._by_agent(turns).items():
            yield Observation(len(open_turns), {names.AGENT_NAME: agent})

    def _active_calls(self, turns: list[LiveTurn]) -> Iterator[Observation]:
        for agent, open_turns in self._by_agent(turns).items():
            yield Observation(sum(turn.open_calls for turn in open_turns), {names.AGENT_NAME: agent})

    def _live_ratio(self, turns: list[LiveTurn]) -> Iterator[Observation]:
        for agent, open_turns in self._by_agent(turns).items():
            ratios = [turn.ratio for turn in open_turns if turn.ratio is not None]
            if ratios:
                yield Observation(median_of(ratios), {names.AGENT_NAME: agent})
