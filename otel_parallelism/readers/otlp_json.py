"""
Reads OTLP JSON: one request per line, as the Collector's file exporter writes them, or one document.

A document is one or several ``ExportTraceServiceRequest`` over any number of lines, or an array of requests or of
``resourceSpans``. Files may be compressed with gzip or zstd. Metrics, logs and profiles are skipped. OTLP before 0.19
and Tempo's answers have other names for some fields; single spans are read too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.errors import UnreadableError
from otel_parallelism.long_numbers import MAX_DIGITS, decode_json, is_out_of_range
from otel_parallelism.settings import Settings

from .parsing.json_text import JsonText, UnknownFormatError
from .parsing.opening import check_text, decompressed, display_name, opened, peeked
from .parsing.otlp_types import Request, ResourceSpans, records
from .parsing.plain_attributes import with_listed_attributes
from .parsing.plausible_times import PlausibleTimes

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord

__all__ = ["UnreadableError", "decode_otlp", "otlp_groups", "read_otlp_json"]

EXPECTED: Final = 'an OTLP trace request, {"resourceSpans": […]}'
_KIND: Final = "OTLP JSON, plain or compressed with gzip"
_REQUEST = msgspec.json.Decoder(Request, strict=False)
_SNAKE = re.compile(r"_([a-z])")
_WORD = re.compile(r"[A-Za-z_.]{1,32}")
_RENAMED: Final = {
    "instrumentationLibrarySpans": "scopeSpans",  # OTLP before 0.19, which Tempo still writes
    "instrumentationLibrary": "scope",
}
_ATTRIBUTES: Final = ".attributes"
_OTHER_SIGNALS: Final = frozenset({"resourceMetrics", "resourceLogs", "resourceProfiles", "partialSuccess"})


def read_otlp_json(path: str | os.PathLike[str], progress: Callable[[int], None] | None = None) -> Iterator[SpanRecord]:
    """
    Yield the spans of the file at *path*, in the order of the file.

    Args:
        path: An OTLP JSON file, a pipe, or ``-`` for the standard input. The content, not the name, decides whether
            it is decompressed.
        progress: Called after each line or document with the number of bytes read from the file so far.

    Raises:
        UnreadableError: The file is missing, empty, in another compression, or not OTLP JSON. The spans of all lines
            before the error are yielded first.
    """
    name = display_name(path)
    with opened(path, "a file of OTLP JSON") as file:
        tell = file.tell if file.seekable() else (lambda: 0)
        settings = Settings()
        lines = decompressed(name, file, settings)
        if lines is file:
            check_text(name, peeked(file), _KIND)
        text = JsonText(name, PlausibleTimes().decoder(decode_otlp), EXPECTED, settings)
        yield from text.spans(lines, lambda: progress(tell()) if progress else None)


def decode_otlp(text: bytes | msgspec.Raw) -> list[SpanRecord]:
    """
    Return the spans of one JSON value.

    Raises:
        UnknownFormatError: The value is not OTLP.
        msgspec.DecodeError: The text is not JSON, or a field has a wrong type.
        ValueError: An id is empty, zero or no id.
    """
    try:
        request = _REQUEST.decode(text)
    except msgspec.ValidationError as error:
        if _ATTRIBUTES in str(error):
            request = Request(_with_plain_attributes(text, error))
        elif is_out_of_range(error):
            request = Request(msgspec.UNSET)
        else:
            raise
    if request.resource_spans is not msgspec.UNSET:
        groups = request.resource_spans or []
        if not all(group.scope_spans for group in groups):
            groups = otlp_groups(decode_json(text)) or groups
    elif msgspec.UNSET is not request.resource_metrics or msgspec.UNSET is not request.resource_logs:
        return []
    else:
        data = decode_json(text)
        found = otlp_groups(data)
        if found is None:
            raise UnknownFormatError(_looks(data), data)
        groups = found
    return [record for group in groups for record in records(group)]


def _with_plain_attributes(text: bytes | msgspec.Raw, error: msgspec.ValidationError) -> list[ResourceSpans]:
    """
    Return the ``resourceSpans`` of a request whose attributes may be plain JSON.

    Raises:
        msgspec.ValidationError: They are not; the *error* that the request has as it is.
    """
    try:
        groups = otlp_groups(with_listed_attributes(decode_json(text)))
    except msgspec.ValidationError:
        groups = None
    if groups is None:
        raise error from None
    return groups


def _looks(data: object) -> str:
    """Return a clause that says what a JSON value that is no request looks like."""
    if isinstance(data, Mapping):
        # A key that is no plain word can be data.
        keys = ", ".join(sorted(repr(key) for key in data if _WORD.fullmatch(str(key)))[:5])
        return f"a JSON object with {keys or 'unknown keys'} is not a request"
    return f"a JSON {type(data).__name__} is not a request"


def otlp_groups(data: object) -> list[ResourceSpans] | None:
    """
    Return the ``resourceSpans`` in forms other than a camel-case request, None if *data* is not OTLP.

    These are snake-case names, a single ``resourceSpans``, the answers of Tempo's and Jaeger's APIs, and single spans.

    Raises:
        msgspec.ValidationError: A field has a wrong type.
    """
    data = _camel(data)
    if not isinstance(data, Mapping):
        return None
    for key in ("trace", "result"):
        inner = data.get(key)
        if isinstance(inner, Mapping) and inner.keys() & {"resourceSpans", "batches"}:
            data = inner
    for key in ("resourceSpans", "batches"):
        if key in data:
            return msgspec.convert(data[key], list[ResourceSpans] | None, strict=False) or []
    if "scopeSpans" in data:
        return [msgspec.convert(data, ResourceSpans, strict=False)]
    if {"spanId", "startTimeUnixNano"} <= data.keys() and not isinstance(data.get("attributes"), Mapping):
        return [_single(dict(data))]
    return [] if not data or data.keys() & _OTHER_SIGNALS else None


def _single(span: dict[str, Any]) -> ResourceSpans:
    """Return the group of a span that stands alone, with its own resource and scope if it has them."""
    group = {
        "resource": span.pop("resource", None),
        "scopeSpans": [{"scope": span.pop("scope", None), "spans": [span]}],
    }
    return msgspec.convert(group, ResourceSpans, strict=False)


def _camel(data: object) -> object:
    """Return *data* with field names in lower camel case; attribute keys, which are values in OTLP, stay."""
    if isinstance(data, dict):
        found: dict[str, object] = {}
        for key, value in data.items():
            name = _renamed(key)
            # Some versions write both the old name and the new one; only one of them may have the spans.
            if name not in found or (value and (name == key or not found[name])):
                found[name] = _camel(value)
        return _with_text(found)
    if isinstance(data, list):
        return [_camel(item) for item in data]
    return data


def _with_text(data: dict[str, object]) -> dict[str, object]:
    """Return *data*, if it is an integer that is too long to convert, as a text."""
    whole = data.get("intValue")
    return {"stringValue": whole} if isinstance(whole, str) and len(whole) > MAX_DIGITS else data


def _renamed(key: str) -> str:
    camel = _SNAKE.sub(lambda match: match[1].upper(), key)
    return _RENAMED.get(camel, camel)
