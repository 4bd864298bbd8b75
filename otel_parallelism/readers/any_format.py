"""Reads a file of spans in any format that this package knows; the content decides which, not the name."""

from __future__ import annotations

import io
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.errors import UnreadableError
from otel_parallelism.long_numbers import decode_json

from . import formats
from .otlp_json import decode_otlp
from .parsing.json_text import JsonText, UnknownFormatError
from .parsing.opening import (
    ZSTD,
    broken_compression,
    check_text,
    decompressed,
    display_name,
    opened,
    peeked,
    with_lengths,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord

    from .parsing.json_fields import JsonFormat

FORMATS: Final[tuple[JsonFormat, ...]] = tuple(
    sorted(
        (import_module(f"{formats.__name__}.{module.name}").FORMAT for module in iter_modules(formats.__path__)),
        key=lambda known: known.rank,
    )
)
"""The JSON formats other than OTLP, in the order in which they are tried."""

EXPECTED: Final = 'spans: an OTLP trace request, {"resourceSpans": […]}, or another known format'
_RAW_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_LONGEST_CHARACTER: Final = 4


def read_spans(
    path: str | os.PathLike[str],
    progress: Callable[[int], None] | None = None,
    skip: Callable[[UnreadableError], None] | None = None,
) -> Iterator[SpanRecord]:
    """
    Yield the spans of the file at *path*, in the order of the file.

    The formats are OTLP JSON and protobuf, Jaeger, Zipkin, Datadog, Langfuse, LangSmith, the console exporters of
    Python and Go, and single spans as Phoenix, MLflow and others write them.

    Args:
        path: A file, a pipe, or ``-`` for the standard input. It can be compressed with gzip or zstd.
        progress: Called after each line or document with the number of bytes read from the file so far.
        skip: Called with the error of each line that cannot be read; reading goes on after it. None to stop there.

    Raises:
        UnreadableError: The file is missing, empty, of an unknown format, or holds no spans but something else. The
            spans of all lines before the error are yielded first.
    """
    name = display_name(path)
    with opened(path, "a file of spans") as file:
        tell = file.tell if file.seekable() else (lambda: 0)
        lines = decompressed(name, file)
        try:
            start = peeked(lines)
            if _is_binary(start):
                check_text(name, start.replace(b"\0", b""), EXPECTED)  # other known kinds of files
                yield from _binary_spans(name, lines.read(), skip)
                return
            if lines is file:
                check_text(name, start, EXPECTED)
            yield from _text_spans(name, lines, lambda: progress(tell()) if progress else None, skip)
        except broken_compression() as error:
            problem = f"the compressed data is broken ({error})"
            raise UnreadableError(name, None, problem, "complete compressed data") from None


def _binary_spans(name: str, data: bytes, skip: Callable[[UnreadableError], None] | None) -> Iterator[SpanRecord]:
    """Yield the spans of protobuf, or of messages with their lengths before them, which may be compressed."""
    from .otlp_protobuf import read_otlp_protobuf  # noqa: PLC0415 - protobuf takes time to import

    messages = with_lengths(data)
    if messages is None or not all(message.startswith((ZSTD, b"{")) for message in messages):
        yield from read_otlp_protobuf(name, data)
        return
    for message in messages:
        content = decompressed(name, io.BufferedReader(io.BytesIO(message))).read()
        if content.startswith(b"{"):
            yield from _text_spans(name, io.BufferedReader(io.BytesIO(content)), lambda: None, skip)
        else:
            yield from read_otlp_protobuf(name, content)


def _text_spans(
    name: str, lines: io.BufferedReader, progress: Callable[[], None], skip: Callable[[UnreadableError], None] | None
) -> Iterator[SpanRecord]:
    """Yield the spans of a text; a file without a single readable line is an error even if lines may be skipped."""
    problems: list[UnreadableError] = []
    others: set[str] = set()
    found = False

    def note(error: UnreadableError) -> None:
        problems.append(error)
        if found and skip is not None:
            for problem in problems:
                skip(problem)
            problems.clear()

    text = JsonText(name, lambda value: _decode(value, others), EXPECTED, None if skip is None else note)
    for span in text.spans(lines, progress):
        found = True
        yield span
    if not found:
        if problems:
            raise problems[0]
        if others:
            raise UnreadableError(name, None, f"it holds {' and '.join(sorted(others))} and no spans", EXPECTED)
    for problem in problems:
        if skip is not None:
            skip(problem)


def _decode(text: bytes | msgspec.Raw, others: set[str]) -> list[SpanRecord]:
    """
    Return the spans of one JSON value, and add the other signals that it holds to *others*.

    Raises:
        UnknownFormatError: It is of no known format.
        msgspec.DecodeError: The text is not JSON, or a field has a wrong type.
        ValueError: A field has a wrong value.
    """
    try:
        spans = decode_otlp(text)
    except (UnknownFormatError, msgspec.ValidationError) as error:
        data = error.data if isinstance(error, UnknownFormatError) else decode_json(text)
        if isinstance(data, list):
            return [span for item in _RAW_ITEMS.decode(text) for span in _decode(item, others)]
        if isinstance(data, dict):
            for known in FORMATS:
                if known.recognizes(data):
                    return known.spans(data)
        raise error from None
    if not spans:
        others.update(_signals(text))
    return spans


def _signals(text: bytes | msgspec.Raw) -> set[str]:
    data = decode_json(text)
    names = {"resourceMetrics": "metrics", "resourceLogs": "logs", "resourceProfiles": "profiles"}
    return {names[key] for key in data if key in names} if isinstance(data, dict) else set()


def _is_binary(start: bytes) -> bool:
    """Return whether a file with the first bytes *start* is no text."""
    if b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start < len(start) - _LONGEST_CHARACTER  # the last character may be cut
    return False
