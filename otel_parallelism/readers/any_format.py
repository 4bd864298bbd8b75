"""Reads a file of spans in any format that this package knows; the content decides which, not the name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.errors import UnreadableError
from otel_parallelism.long_numbers import decode_json
from otel_parallelism.settings import Settings

from . import formats
from .otlp_json import decode_otlp
from .parquet import MAGIC, read_parquet
from .parsing.data_frames import frame_rows
from .parsing.dedicated_columns import KEY, DedicatedColumns
from .parsing.json_fields import listed_objects
from .parsing.json_text import JsonText, UnknownFormatError
from .parsing.opening import (
    ZSTD,
    TooLargeError,
    broken_compression,
    byte_stream,
    check_text,
    decompressed,
    display_name,
    is_binary,
    opened,
    peeked,
    read_whole,
    with_lengths,
)
from .parsing.plausible_times import PlausibleTimes
from .parsing.skipped_errors import SkippedErrors
from .services.address import is_address
from .services.stored_traces import answers

if TYPE_CHECKING:
    import io
    import os
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord

    from .parsing.json_fields import Fields, JsonFormat

FORMATS: Final[tuple[JsonFormat, ...]] = tuple(
    sorted(
        (import_module(f"{formats.__name__}.{module.name}").FORMAT for module in iter_modules(formats.__path__)),
        key=lambda known: known.rank,
    )
)
"""The JSON formats other than OTLP, in the order in which they are tried."""

EXPECTED: Final = 'spans: an OTLP trace request, {"resourceSpans": […]}, or another known format'
_COLUMNS_OF_SIGNALS: Final = {
    "logs": {"severitytext", "severitynumber", "logattributes"},
    "metrics": {"metricname", "metricattributes", "aggregationtemporality"},
    "turns of this program's command fleet, or their findings,": {"achievableratio", "avoidabletokens"},
}
_LISTS: Final = ("data", "traces", "runs", "spans", "observations", "items", "results")
"""Where the answer of an API has its records."""

_DEEPEST_LIST: Final = 3
_OPENING: Final = ("{", "[")
_RAW_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def read_spans(
    path: str | os.PathLike[str],
    progress: Callable[[int], None] | None = None,
    skip: Callable[[UnreadableError], None] | None = None,
    settings: Settings | None = None,
    other: Callable[[Any], bool] | None = None,
) -> Iterator[SpanRecord]:
    """
    Yield the spans of the file at *path*, in the order of the file.

    The formats are OTLP JSON and protobuf, Jaeger, Zipkin, Datadog, Langfuse, LangSmith, the console exporters of
    Python and Go, single spans as Phoenix, MLflow and others write them, and tables of spans in Parquet.

    Args:
        path: A file, a pipe, or ``-`` for the standard input. It can be compressed with gzip or zstd. Or the address of
            a service that stores traces, such as ``tempo://tempo.example.com?since=2h``.
        progress: Called after each line or document with the number of bytes read from the file so far.
        skip: Called with the error of each line that cannot be read; reading goes on after it. None to stop there.
        settings: How long a line may be, and how large what a compressed file contains; default: ``Settings()``.
        other: Called with each JSON value of a text, as text, before it is read as spans. Where it returns true, it has
            read the value, which then is neither spans nor an error.

    Raises:
        UnreadableError: The file is missing, empty, of an unknown format, or holds no spans but something else. The
            spans of all lines before the error are yielded first.
    """
    settings = Settings() if settings is None else settings
    if is_address(path):
        for name, text in answers(str(path), settings, skip):
            stream = byte_stream(text) if isinstance(text, bytes) else text
            yield from _text_spans(name, stream, lambda: None, settings, skip)
        return
    name = display_name(path)
    with opened(path, "a file of spans") as file:
        tell = file.tell if file.seekable() else (lambda: 0)
        lines = decompressed(name, file, settings)
        try:
            start = peeked(lines)
            if start.startswith(MAGIC):
                inside = byte_stream(read_whole(lines, settings)) if lines is not file or not file.seekable() else None
                yield from _table_spans(name, path, inside, settings, skip)
                return
            compressed = lines is not file
            if is_binary(start):
                # other known kinds of files
                check_text(name, start.replace(b"\0", b""), EXPECTED, compressed=compressed)
                yield from _binary_spans(name, read_whole(lines, settings), settings, skip, other)
                return
            check_text(name, start, EXPECTED, compressed=compressed)
            yield from _text_spans(
                name, lines, lambda: progress(tell()) if progress else None, settings, skip, other=other
            )
        except broken_compression() as error:
            problem = f"the compressed data is broken ({error})"
            raise UnreadableError(name, None, problem, "complete compressed data") from None
        except TooLargeError as error:
            raise UnreadableError(name, None, str(error), EXPECTED) from None


def _table_spans(
    name: str,
    path: str | os.PathLike[str],
    inside: io.BufferedReader | None,
    settings: Settings,
    skip: Callable[[UnreadableError], None] | None,
) -> Iterator[SpanRecord]:
    """Yield the spans of the Parquet file at *path*, or of its content *inside*."""
    columns = DedicatedColumns(path)
    times = PlausibleTimes()

    def decode(row: dict[str, Any]) -> list[SpanRecord]:
        return times.checked(decode_row(row | {KEY: columns} if "rs" in row else row))

    yield from read_parquet(name, str(path) if inside is None else inside, decode, settings, skip)
    problem = columns.problem(name)
    if problem is not None:
        if skip is None:
            raise problem
        skip(problem)


def _binary_spans(
    name: str,
    data: bytes,
    settings: Settings,
    skip: Callable[[UnreadableError], None] | None,
    other: Callable[[Any], bool] | None,
) -> Iterator[SpanRecord]:
    """Yield the spans of protobuf, or of messages with their lengths before them, which may be compressed."""
    from .otlp_protobuf import read_otlp_protobuf  # noqa: PLC0415 - protobuf takes time to import

    messages, complete = with_lengths(data)
    if not messages or not all(message.startswith((ZSTD, b"{")) for message in messages):
        yield from read_otlp_protobuf(name, data, other, skip)
        return
    errors = SkippedErrors(name, EXPECTED, skip)
    for number, message in enumerate(messages, 1):
        try:
            content = read_whole(decompressed(name, byte_stream(message), settings), settings)
            if content.startswith(b"{"):
                spans = list(_text_spans(name, byte_stream(content), lambda: None, settings, skip, other=other))
            else:
                spans = list(read_otlp_protobuf(name, content, other, skip))
        except broken_compression() as error:
            problem = f"the compressed data is broken ({error})"
            errors.add(UnreadableError(name, number, problem, "complete compressed data"))
        except UnreadableError as error:
            errors.add(UnreadableError(name, number, error.problem, error.expected))
        else:
            errors.found()
            yield from spans
    if not complete:
        errors.add(UnreadableError(name, len(messages) + 1, "the last message ends early", EXPECTED))
    errors.close()


def _text_spans(
    name: str,
    lines: io.BufferedReader,
    progress: Callable[[], None],
    settings: Settings,
    skip: Callable[[UnreadableError], None] | None,
    *,
    other: Callable[[Any], bool] | None = None,
) -> Iterator[SpanRecord]:
    """Yield the spans of a text; a file without a single readable line is an error even if lines may be skipped."""
    others: set[str] = set()
    errors = SkippedErrors(name, EXPECTED, skip)
    times = PlausibleTimes()

    def decode(value: Any) -> list[SpanRecord]:
        if other is not None and other(value):
            errors.found()
            return []
        return times.checked(decode_value(value, others))

    text = JsonText(name, decode, EXPECTED, settings, None if skip is None else errors.add)
    for span in text.spans(lines, progress):
        errors.found()
        yield span
    errors.close()
    if others and not errors.some_found:
        raise no_spans(name, others)


def no_spans(name: str, others: set[str]) -> UnreadableError:
    """Return the error of a file called *name* that has no spans but *others*, such as metrics."""
    return UnreadableError(name, None, f"it holds {' and '.join(sorted(others))} and no spans", EXPECTED)


def decode_value(text: bytes | msgspec.Raw, others: set[str]) -> list[SpanRecord]:
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
        # Its traceback leads to what was decoded, which can take ten times as much memory as the text.
        error.__traceback__ = None
        data = error.data if isinstance(error, UnknownFormatError) else decode_json(text)
        if isinstance(data, str) and data.lstrip()[:1] in _OPENING:
            # JSON in a JSON string, as some log pipelines and exports write it.
            return decode_value(data.encode(), others)
        if isinstance(data, list):
            return [span for item in _RAW_ITEMS.decode(text) for span in decode_value(item, others)]
        if isinstance(data, dict):
            found = _decoded_object(data)
            if found is not None:
                return found
        raise error from None
    if not spans:
        others.update(_signals(text))
    return spans


def _decoded_object(data: Fields, depth: int = _DEEPEST_LIST) -> list[SpanRecord] | None:
    """Return the spans of an object, of a table, or of the objects in a list of an answer; None if it is unknown."""
    items = frame_rows(data)
    if items is None:
        for known in FORMATS:
            if known.recognizes(data):
                return known.spans(data)
        items = next((listed for key in _LISTS if (listed := listed_objects(data.get(key)))), [])
    if not items or not depth:
        return None
    found: list[SpanRecord] = []
    for item in items:
        spans = _decoded_object(item, depth - 1)
        if spans is None:
            return None
        found += spans
    return found


def decode_row(row: dict[str, Any]) -> list[SpanRecord]:
    """
    Return the spans of one row of a table.

    Raises:
        UnknownFormatError: Its columns are those of no known layout.
        ValueError: A field has a wrong value.
    """
    for known in FORMATS:
        if known.recognizes(row):
            return known.spans(row)
    raise UnknownFormatError(_columns_told(row))


def _columns_told(row: dict[str, Any]) -> str:
    """Return a clause that says what a table with the columns of *row* holds."""
    names = {name.lower().replace("_", "") for name in row}
    for signal, columns in _COLUMNS_OF_SIGNALS.items():
        if names & columns:
            return f"it holds {signal} and no spans"
    return "its columns are those of no known layout of spans"


def _signals(text: bytes | msgspec.Raw) -> set[str]:
    data = decode_json(text)
    names = {"resourceMetrics": "metrics", "resourceLogs": "logs", "resourceProfiles": "profiles"}
    return {names[key] for key in data if key in names} if isinstance(data, dict) else set()
