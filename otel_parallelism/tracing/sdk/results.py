"""
A turn's result on its span: attributes and finding events, as many as fit beside what the user has written.

The SDK drops the oldest attribute or event when one too many is added, which would be the user's: so room is
counted first, and the important keys go first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism import names
from otel_parallelism.tracing.shield import swallow

from .compatibility import span_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from otel_parallelism.model import Finding, Report
    from otel_parallelism.settings import Settings

_DEFAULT_LIMIT = 128


def attributes_of(report: Report) -> dict[str, Any]:
    """Return the attributes of *report*'s turn, the most important first; what is not known is absent."""
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
    """Return the attributes of *finding*'s event."""
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


def write_report(span: Span, report: Report, settings: Settings) -> None:
    """Write *report* on *span*, which is still recording. An error of the SDK's is noted, never raised."""
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
            _log(span, findings)
    except Exception as error:  # noqa: BLE001 - the span is the user's and ends as it would have
        swallow("writing a turn's result", error)


def _limit(limits: object, name: str) -> int:
    # An absent limit in the SDK's limits means none; an SDK without that field has the specification's default.
    found = getattr(limits, name, _DEFAULT_LIMIT)
    return 1 << 30 if found is None else int(found)


def _fitting(attributes: dict[str, Any], present: Mapping[str, Any], limit: int, longest: int | None) -> dict[str, Any]:
    """Return as many of *attributes*, in their order, as fit beside those *present*, cut to the *longest* string."""
    if len(present) + len(attributes) > limit:
        room = limit - len(present)
        taken = set(present)
        new = [key for key in attributes if key not in taken]
        left_out = set(new[max(0, room) :])
        attributes = {key: value for key, value in attributes.items() if key not in left_out}
    if longest is None:
        return attributes
    # Cut here: the SDK would cut as well, with a warning in the user's log.
    return {key: _cut(value, longest) for key, value in attributes.items()}


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return value[:longest]
    return tuple(part[:longest] for part in value) if isinstance(value, tuple) else value


def _log(span: Span, findings: list[Finding]) -> None:
    """Write *findings* as log-based events, tied to *span*."""
    from opentelemetry._logs import LogRecord, SeverityNumber, get_logger  # noqa: PLC0415 - only where asked for
    from opentelemetry.trace import set_span_in_context  # noqa: PLC0415

    logger = get_logger(names.INSTRUMENTATION, schema_url=names.SCHEMA_URL)
    for finding in findings:
        logger.emit(
            LogRecord(
                event_name=names.FINDING_EVENT,
                severity_number=SeverityNumber.INFO,
                attributes=event_of(finding),
                context=set_span_in_context(span),
            )
        )
