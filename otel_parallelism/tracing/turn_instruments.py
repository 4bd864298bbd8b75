"""The instruments for the figures of ended turns, live and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism import names

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    from otel_parallelism.model import Report
    from otel_parallelism.names import Instrument
    from otel_parallelism.settings import Settings

_OTHER = "other"


class TurnInstruments:
    """
    The instruments of one meter.

    Metric attributes hold neither ids nor content. Agents beyond ``settings.max_agents``, and tools beyond
    ``settings.max_tools``, are counted as ``other``.
    """

    def __init__(self, meter: Meter, settings: Settings) -> None:
        self._settings = settings
        self.agents: set[str] = set()
        self._tools: set[str] = set()
        self._ratio = _histogram(meter, names.METRIC_RATIO)
        self._efficiency = _histogram(meter, names.METRIC_EFFICIENCY)
        self._efficiency_floor = _histogram(meter, names.METRIC_EFFICIENCY_FLOOR)
        self._duration = _histogram(meter, names.METRIC_TURN_DURATION)
        self._time_lost = _histogram(meter, names.METRIC_TIME_LOST)
        self._chain_length = _histogram(meter, names.METRIC_CHAIN_LENGTH)
        self._calls_per_step = _histogram(meter, names.METRIC_CALLS_PER_STEP)
        self._call_duration = _histogram(meter, names.METRIC_CALL_DURATION) if settings.call_duration_metric else None
        self._findings = _counter(meter, names.METRIC_FINDINGS)
        self._steps = _counter(meter, names.METRIC_STEPS_AVOIDABLE)
        self._tokens = _counter(meter, names.METRIC_TOKENS_AVOIDABLE)

    def record(self, report: Report, context: Context) -> None:
        """Record *report*; *context* holds the span that exemplars link to."""
        agent = self.agent(report.turn.agent)
        turn = {names.AGENT_NAME: agent, names.VERDICT: report.verdict}
        self._duration.record(max(0, report.turn.end_ns - report.turn.start_ns) / 1e9, turn, context)
        if report.ratio is not None:
            self._ratio.record(report.ratio, turn, context)
        if report.efficiency is not None:
            self._efficiency.record(report.efficiency, turn, context)
        if report.efficiency_floor is not None:
            self._efficiency_floor.record(report.efficiency_floor, turn, context)
        if report.calls_per_step is not None:
            self._calls_per_step.record(report.calls_per_step, turn, context)
        self._record_findings(report, agent, context)
        if report.avoidable_steps:
            self._steps.add(report.avoidable_steps, {names.AGENT_NAME: agent}, context)
        if report.avoidable_tokens:
            self._tokens.add(report.avoidable_tokens, {names.AGENT_NAME: agent}, context)
        if self._call_duration is not None:
            for call in report.turn.calls:
                attributes = {
                    names.AGENT_NAME: agent,
                    names.TOOL_NAME: _bounded(call.tool, self._tools, self._settings.max_tools),
                }
                self._call_duration.record(call.duration_ns / 1e9, attributes, context)

    def _record_findings(self, report: Report, agent: str, context: Context) -> None:
        for finding in report.findings:
            if finding.advice == "intended":
                continue
            why = {names.AGENT_NAME: agent, names.METRIC_CAUSE: finding.cause, names.METRIC_ADVICE: finding.advice}
            self._findings.add(1, why, context)
            if finding.avoidable:
                self._time_lost.record(finding.avoidable, why, context)
            if finding.kind == "sequential_chain":
                self._chain_length.record(finding.longest or len(finding.calls), why, context)

    def agent(self, agent: str) -> str:
        """Return *agent* as a metric attribute."""
        return _bounded(agent, self.agents, self._settings.max_agents)


def _bounded(name: str, known: set[str], most: int) -> str:
    """Return *name* as a metric attribute, and add it to the *known* ones: ``other`` past *most* names."""
    if name in known:
        return name
    if len(known) >= most:
        return _OTHER
    known.add(name)
    return name


def _histogram(meter: Meter, instrument: Instrument) -> Any:
    return meter.create_histogram(
        instrument.name,
        instrument.unit,
        instrument.meaning,
        explicit_bucket_boundaries_advisory=list(instrument.boundaries),
    )


def _counter(meter: Meter, instrument: Instrument) -> Any:
    return meter.create_counter(instrument.name, instrument.unit, instrument.meaning)
