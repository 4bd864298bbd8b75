"""
Writes a turn's report on its span, as attributes and finding events.

At its limits, the SDK drops the oldest attribute or event, which is the user's. So only as many are added as fit, the
most important first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism import names
from otel_parallelism.tracing.shield import swallow

from .compatibility.span_fields import span_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from otel_parallelism.model import Finding, Report
    from otel_parallelism.settings import Settings

    from .held_spans import HeldSpan

_DEFAULT_LIMIT = 128


def attributes_of(report: Report) -> dict[str, Any]:
    """Return the attributes of a turn's span for *report*, the most important first; unknown values are absent."""
    values = (
        report.verdict,
        report.ratio,
        report.efficiency,
        float(report.avoidable),
        report.cause,
        report.recommendation or None,
        report.calls,
        report.coverage,
        report.chains,
        float(report.makespan),
        float(report.work),
        report.efficiency_floor,
        float(report.avoidable_potential),
        report.achievable_ratio,
        report.effective_ratio,
        report.peak_concurrency,
        float(report.busy),
        report.max_chain_length,
        report.avoidable_steps,
    )
    return {key: value for key, value in zip(_KEYS, values, strict=True) if value is not None}


_KEYS = tuple(attribute.key for attribute in names.TURN_ATTRIBUTES)


def event_of(finding: Finding) -> dict[str, Any]:
    """Return the attributes of the event of *finding*."""
    attributes: dict[str, Any] = {
        names.FINDING_KIND: finding.kind,
        names.FINDING_CAUSE: finding.cause,
        names.FINDING_ADVICE: finding.advice,
        names.FINDING_TOOLS: finding.calls,
        names.FINDING_AVOIDABLE: float(finding.avoidable),
        names.FINDING_EVIDENCE: finding.evidence,
    }
    if finding.location is not None:
        attributes[names.CALLER_FILE_PATH] = finding.location.file_path
        attributes[names.CALLER_LINE_NUMBER] = finding.location.line_number
    return attributes


def is_open(span: Any) -> bool:
    """Return whether *span* can be written to. An ended span may be a copy that can only be read."""
    is_recording = getattr(span, "is_recording", None)
    return is_recording is not None and is_recording()


def write_report(span: Span | HeldSpan, report: Report, settings: Settings) -> None:
    """Write *report* on *span*, which must still be recording. Errors are logged, not raised."""
    try:
        limits = span_limits(span)
        present = getattr(span, "attributes", None) or {}
        longest = getattr(limits, "max_span_attribute_length", None)
        most = _limit(limits, "max_span_attributes")
        span.set_attributes(_fitting(attributes_of(report), present, most, longest))
        findings = [finding for finding in report.findings if finding.advice != "intended"][: settings.max_findings]
        if settings.emit != "log":
            room = _limit(limits, "max_events") - len(getattr(span, "events", ()))
            most = _limit(limits, "max_event_attributes")
            longest = getattr(limits, "max_attribute_length", None)
            for finding in findings[: max(0, room)]:
                span.add_event(names.FINDING_EVENT, _fitting(event_of(finding), {}, most, longest))
        if settings.emit != "event":
            _log(span, _events_of(findings))
    except Exception as error:  # noqa: BLE001 - the program's span must end in any case
        swallow("writing a turn's report", error)


def log_result(span: Span, report: Report, settings: Settings) -> None:
    """
    Emit *report* as log-based events in the context of *span*, which cannot be written to. Errors are logged.

    One event has what would be the attributes of the span; each finding has one, as `write_report` makes them.
    """
    try:
        findings = [finding for finding in report.findings if finding.advice != "intended"][: settings.max_findings]
        _log(span, [(names.RESULT_EVENT, attributes_of(report)), *_events_of(findings)])
    except Exception as error:  # noqa: BLE001 - a logger must not fail the program
        swallow("logging a turn's report", error)


def add_attributes(span: Span, attributes: Mapping[str, Any]) -> None:
    """Add those of *attributes* to *span*, of another instrumentation, that it has not and that fit. Never raises."""
    try:
        if not is_open(span):
            return
        limits = span_limits(span)
        present = getattr(span, "attributes", None) or {}
        absent = {key: value for key, value in attributes.items() if key not in present}
        longest = getattr(limits, "max_span_attribute_length", None)
        span.set_attributes(_fitting(absent, present, _limit(limits, "max_span_attributes"), longest))
    except Exception as error:  # noqa: BLE001 - the attributes are optional
        swallow("adding attributes to a span", error)


def _limit(limits: object, name: str) -> int:
    """Return the limit called *name*; the specification's default where the SDK has no such field."""
    # None means no limit.
    found = getattr(limits, name, _DEFAULT_LIMIT)
    return 1 << 30 if found is None else int(found)


def _fitting(attributes: dict[str, Any], present: Mapping[str, Any], limit: int, longest: int | None) -> dict[str, Any]:
    """Return the first *attributes* that fit beside those *present*; strings are cut to *longest* characters."""
    if len(present) + len(attributes) > limit:
        room = limit - len(present)
        taken = set(present)
        new = [key for key in attributes if key not in taken]
        left_out = set(new[max(0, room) :])
        attributes = {key: value for key, value in attributes.items() if key not in left_out}
    if longest is None:
        return attributes
    # The SDK would cut them too, but with a warning in the program's log.
    return {key: _cut(value, longest) for key, value in attributes.items()}


def _cut(value: Any, longest: int) -> Any:
    """Return *value*, a string or a tuple of strings, cut to *longest* characters each; others unchanged."""
    if isinstance(value, str):
        return value[:longest]
    return tuple(part[:longest] for part in value) if isinstance(value, tuple) else value


def _events_of(findings: list[Finding]) -> list[tuple[str, dict[str, Any]]]:
    return [(names.FINDING_EVENT, event_of(finding)) for finding in findings]


def _log(span: Span | HeldSpan, events: list[tuple[str, dict[str, Any]]]) -> None:
    """Emit *events*, each a name and attributes, as log-based events in the context of *span*."""
    from opentelemetry._logs import LogRecord, SeverityNumber, get_logger  # noqa: PLC0415 - loaded only if configured
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context  # noqa: PLC0415 - likewise

    logger = get_logger(names.INSTRUMENTATION, schema_url=names.SCHEMA_URL)
    context = set_span_in_context(NonRecordingSpan(span.get_span_context()))
    for name, attributes in events:
        logger.emit(
            LogRecord(
                event_name=name,
                severity_number=SeverityNumber.INFO,
                attributes=attributes,
                context=context,
            )
        )
