"""
Reads OTLP JSON files: one request per line, as the Collector's file exporter writes them, or one document.

A document is one or several ``ExportTraceServiceRequest`` over any number of lines, or an array of requests or of
``resourceSpans``. Files may be compressed with gzip. Metrics, logs and profiles are skipped.
"""

from __future__ import annotations

import gc
import gzip
import io
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.errors import UnreadableError

from .otlp_types import Request, ResourceSpans, records

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord

EXPECTED: Final = 'an OTLP trace request, {"resourceSpans": […]}'
STANDARD_INPUT: Final = "-"
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SIGNATURE_LENGTH = 64
# First bytes of other kinds of files.
_SIGNATURES: Final = {
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"BZh": "compressed with bzip2",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\xfd7zXZ": "compressed with xz",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
}
_REQUEST = msgspec.json.Decoder(Request, strict=False)
_REQUESTS = msgspec.json.Decoder(list[msgspec.Raw])
_DOCUMENT = msgspec.json.Decoder(msgspec.Raw)
_NOT_SPACE = re.compile(rb"\S")
_SNAKE = re.compile(r"_([a-z])")
_BYTE = re.compile(r"\(byte (\d+)\)")


def read_otlp_json(path: str | os.PathLike[str], progress: Callable[[int], None] | None = None) -> Iterator[SpanRecord]:
    """
    Yield the spans of the file at *path*, in the order of the file.

    Args:
        path: An OTLP JSON file, a pipe, or ``-`` for the standard input. The content, not the name, decides whether
            it is decompressed with gzip.
        progress: Called after each line or document with the number of bytes read from the file so far.

    Raises:
        UnreadableError: The file is missing, empty, in another compression, or not OTLP JSON. The spans of all lines
            before the error are yielded first.
    """
    name = "standard input" if path == STANDARD_INPUT else str(path)
    try:
        with _opened(path) as file:
            yield from _read(name, file, progress or (lambda _: None))
    except FileNotFoundError:
        raise UnreadableError(name, None, "there is no such file", "a file of OTLP JSON") from None
    except IsADirectoryError:
        raise UnreadableError(name, None, "it is a directory", "a file of OTLP JSON") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableError(name, None, f"it cannot be read ({reason})", "a readable file") from None


def _opened(path: str | os.PathLike[str]) -> io.BufferedReader:
    return open(0, "rb", closefd=False) if path == STANDARD_INPUT else Path(path).open("rb")


def _read(name: str, file: io.BufferedReader, progress: Callable[[int], None]) -> Iterator[SpanRecord]:
    # A pipe cannot be rewound, so its first bytes are peeked.
    start = file.peek(_SIGNATURE_LENGTH)[:_SIGNATURE_LENGTH]
    tell = file.tell if file.seekable() else (lambda: 0)
    lines = file
    if start.startswith(_GZIP):
        lines = io.BufferedReader(gzip.GzipFile(fileobj=file))
    else:
        _check(name, start)
    number = 0
    document: bytes | None = None
    try:
        for line in lines:
            number += 1
            if number == 1:
                line = line.removeprefix(_BYTE_ORDER_MARK)  # noqa: PLW2901 - the mark is no content
            if document is None and line.strip():
                document = line if _is_document(line) else b""
            if document:
                yield from _document(name, number, document + lines.read())
            else:
                yield from _request(name, number, line)
            progress(tell())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableError(
            name, number + 1, f"the compressed data is broken ({error})", "complete gzip data"
        ) from None
    if document is None:
        raise UnreadableError(name, None, "it is empty", EXPECTED)


def _check(name: str, start: bytes) -> None:
    """
    Check that a file with the first bytes *start* may be text.

    Raises:
        UnreadableError: It is another kind of file; the message names the kind.
    """
    for magic, kind in _SIGNATURES.items():
        # When it compresses, the Collector writes the length of each message before it.
        if start.startswith(magic) or start[4:].startswith(magic):
            raise UnreadableError(name, None, f"it is {kind}", "OTLP JSON, plain or compressed with gzip")
    if b"\0" in start:
        raise UnreadableError(name, None, "it is binary data", "OTLP JSON, plain or compressed with gzip")
    if start and name.endswith(".gz"):
        raise UnreadableError(name, None, "its name ends in .gz, but it is not compressed with gzip", "gzip")


def _is_document(line: bytes) -> bool:
    """Return whether a file with the first *line* is one document; a truncated line counts as one, and fails."""
    text = line.strip()
    return text.startswith(b"[") or not text.endswith(b"}")


def _request(name: str, number: int, line: bytes) -> list[SpanRecord]:
    """Return the spans of one line: one request, or several if files without a final newline were concatenated."""
    if not line.strip():
        return []
    try:
        return _spans(line)
    except _NotOtlpError as error:
        raise UnreadableError(name, number, str(error), EXPECTED) from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        if _has_more(error):
            return list(_document(name, number, line))
        raise UnreadableError(name, number, _problem(error, line), EXPECTED) from None


def _document(name: str, first: int, text: bytes) -> Iterator[SpanRecord]:
    """Yield the spans of consecutive requests, or arrays of requests, that span several lines."""
    view = memoryview(text)
    start, end = _next(text, 0), len(text)
    while start < end:
        stop = end
        try:
            try:
                parts = _parts(view[start:])
            except msgspec.DecodeError as error:
                if not _has_more(error):
                    raise
                stop = (
                    start + _position(error, 1) - 1
                )  # another document follows; the decoder stopped after its first byte
                parts = _parts(view[start:stop])
            for part in parts:
                yield from _spans(part)
        except _NotOtlpError as error:
            raise UnreadableError(name, first + text.count(b"\n", 0, start), str(error), EXPECTED) from None
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            written = len(text.rstrip())
            line = first + text.count(b"\n", 0, min(start + _position(error, written), written))
            raise UnreadableError(name, line, _problem(error, text[start:stop]), EXPECTED) from None
        start = _next(text, stop)


def _next(text: bytes, start: int) -> int:
    """Return the position of the first non-space byte from *start* on; the length of *text* if there is none."""
    found = _NOT_SPACE.search(text, start)
    return found.start() if found else len(text)


def _parts(text: memoryview) -> list[msgspec.Raw]:
    return _REQUESTS.decode(text) if text[0] == ord("[") else [_DOCUMENT.decode(text)]


def _spans(text: bytes | msgspec.Raw) -> list[SpanRecord]:
    """
    Return the spans in *text*.

    The garbage collector is disabled meanwhile: decoding creates no cycles, and without collections a long line is
    read about 1.7 times as fast.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return [record for group in _groups(text) for record in records(group)]
    finally:
        if collecting:
            gc.enable()


class _NotOtlpError(Exception):
    """The text is JSON, but not OTLP."""


def _groups(text: bytes | msgspec.Raw) -> list[ResourceSpans]:
    """Return the ``resourceSpans`` of the request in *text*, or the single one that *text* is."""
    request = _REQUEST.decode(text)
    if request.resource_spans is not msgspec.UNSET:
        return request.resource_spans or []
    if msgspec.UNSET is not request.resource_metrics:
        return []
    if msgspec.UNSET is not request.resource_logs or msgspec.UNSET is not request.resource_profiles:
        return []
    return _other_forms(text)


def _other_forms(text: bytes | msgspec.Raw) -> list[ResourceSpans]:
    """Return the ``resourceSpans`` in forms other than a camel-case request: snake-case names, or a single one."""
    data = _camel(msgspec.json.decode(text))
    if not isinstance(data, Mapping):
        message = f"a JSON {type(data).__name__} is not a request"
        raise _NotOtlpError(message)
    if "resourceSpans" in data:
        return msgspec.convert(data, Request, strict=False).resource_spans or []
    if "scopeSpans" in data:
        return [msgspec.convert(data, ResourceSpans, strict=False)]
    if data and not data.keys() & {"resourceMetrics", "resourceLogs", "resourceProfiles", "partialSuccess"}:
        keys = ", ".join(sorted(repr(key) for key in data)[:5])
        message = f"a JSON object with {keys} is not a request"
        raise _NotOtlpError(message)
    return []


def _camel(data: object) -> object:
    """Return *data* with field names in lower camel case; attribute keys, which are values in OTLP, stay."""
    if isinstance(data, dict):
        return {_SNAKE.sub(lambda match: match[1].upper(), key): _camel(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_camel(item) for item in data]
    return data


def _has_more(error: Exception) -> bool:
    """Return whether the decoder read a complete value that other text follows."""
    return "trailing characters" in str(error)


def _position(error: Exception, otherwise: int) -> int:
    """Return the byte at which the decoder stopped, from 0; *otherwise* if the error does not say."""
    match = _BYTE.search(str(error))
    return int(match[1]) if match else otherwise


def _problem(error: Exception, text: bytes) -> str:
    if isinstance(error, msgspec.ValidationError):
        return f"not OTLP: {error}"
    if isinstance(error, msgspec.DecodeError):
        written = len(text.rstrip())
        if "truncated" in str(error) or _position(error, 0) >= written:
            return "the JSON ends early"
        return f"broken JSON ({str(error).removeprefix('JSON is malformed: ')})"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8 text"
    return str(error) or type(error).__name__
