"""Reads the result that this package has recorded on a turn's span: attributes and finding events."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from otel_parallelism import names
from otel_parallelism.model import Caller, RecordedFinding, RecordedResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import SpanEvent, SpanRecord

Recorded = TypeVar("Recorded", RecordedResult, RecordedFinding)

_FIELDS: Final = {
    attribute.key: attribute.key.removeprefix(names.PREFIX)
    for attribute in names.TURN_ATTRIBUTES
    if attribute.key.removeprefix(names.PREFIX) in RecordedResult.__struct_fields__
}
_FINDING_FIELDS: Final = {
    names.FINDING_KIND: "kind",
    names.FINDING_CAUSE: "cause",
    names.FINDING_ADVICE: "advice",
    names.FINDING_TOOLS: "tools",
    names.FINDING_AVOIDABLE: "avoidable",
    names.FINDING_EVIDENCE: "evidence",
}


def recorded_result(span: SpanRecord) -> RecordedResult | None:
    """
    Return the result that *span* carries; None if it carries none.

    A value of another type is left out. A result without a known verdict is none, and neither is an event without a
    known kind, cause and advice a finding.
    """
    if names.VERDICT not in span.attributes:
        return None
    result = _converted(span.attributes, _FIELDS, RecordedResult)
    if result is None:
        return None
    findings = (_finding(event) for event in span.events if event.name == names.FINDING_EVENT)
    return msgspec.structs.replace(result, findings=tuple(finding for finding in findings if finding is not None))


def _finding(event: SpanEvent) -> RecordedFinding | None:
    found = _converted(event.attributes, _FINDING_FIELDS, RecordedFinding)
    place = event.attributes.get(names.CALLER_FILE_PATH), event.attributes.get(names.CALLER_LINE_NUMBER)
    if found is None or not isinstance(place[0], str) or not isinstance(place[1], int):
        return found
    return msgspec.structs.replace(found, location=Caller(place[0], place[1]))


@functools.cache
def _types(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the type of each field. Reading them from the class takes milliseconds."""
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


def _converted(attributes: Mapping[str, object], fields: Mapping[str, str], kind: type[Recorded]) -> Recorded | None:
    """Return the *attributes* named in *fields* as a struct of *kind*; None if a required one is missing or wrong."""
    types = _types(kind)
    values = {}
    for key, name in fields.items():
        if key in attributes:
            try:
                values[name] = msgspec.convert(attributes[key], types[name], strict=False)
            except msgspec.ValidationError:
                continue  # written by another version, or by another program
    try:
        return kind(**values)
    except TypeError:
        return None
