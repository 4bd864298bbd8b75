"""
Reads OTLP JSON files: one request a line, as the Collector's file exporter writes them, or one document.

A document is an ``ExportTraceServiceRequest`` over any number of lines, several of them, or an array of requests or
of ``resourceSpans``. Files may be compressed with gzip. What is not spans (metrics, logs) is passed over.
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
_LOOKED_AT = 64
# How other kinds of files begin.
_OTHER_KINDS: Final = {
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
_SOLID = re.compile(rb"\S")
_SNAKE = re.compile(r"_([a-z])")
_BYTE = re.compile(r"\(byte (\d+)\)")


def read(path: str | os.PathLike[str], progress: Callable[[int], None] | None = None) -> Iterator[SpanRecord]:
    """
    Yield the spans of the file at *path*, in its order.

    Args:
        path: An OTLP JSON file, possibly compressed with gzip (its content tells, not its name); a pipe; or ``-`` for
            the standard input.
        progress: Called with the number of bytes of the file read so far, after each line or document.

    Raises:
        UnreadableError: The file is missing, empty, compressed in another way, or does not hold OTLP JSON; raised
            where the reading gets that far, after the spans of all lines before.
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
    # A pipe cannot be rewound, but what it holds can be looked at.
    start = file.peek(_LOOKED_AT)[:_LOOKED_AT]
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
                line = line.removeprefix(_BYTE_ORDER_MARK)  # noqa: PLW2901 - as if it had not been there
            if document is None and line.strip():
                document = line if _is_document(line) else b""
            if document:
                yield from _document(name, number, document + lines.read())
            else:
                yield from _request(name, number, line)
            progress(tell())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableError(name, number + 1, f"the compressed data is broken ({error})", "whole gzip data") from None
    if document is None:
        raise UnreadableError(name, None, "it is empty", EXPECTED)


def _check(name: str, start: bytes) -> None:
    """
    Say what a file that begins like this is, where that is not text.

    Raises:
        UnreadableError: It is some other kind of file.
    """
    for magic, kind in _OTHER_KINDS.items():
        # The Collector writes the length of each message in front where it compresses.
        if start.startswith(magic) or start[4:].startswith(magic):
            raise UnreadableError(name, None, f"it is {kind}", "OTLP JSON, plain or compressed with gzip")
    if b"\0" in start:
        raise UnreadableError(name, None, "it is binary data", "OTLP JSON, plain or compressed with gzip")
    if start and name.endswith(".gz"):
        raise UnreadableError(name, None, "its name ends in .gz, but it is not compressed with gzip", "gzip")


def _is_document(line: bytes) -> bool:
    """Tell from its first line whether a file is one document; a line cut off looks like one, and fails like one."""
    text = line.strip()
    return text.startswith(b"[") or not text.endswith(b"}")


def _request(name: str, number: int, line: bytes) -> list[SpanRecord]:
    """Return the spans of one line that holds one request, or several: files without a last newline, put together."""
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
    """Yield the spans of requests written over many lines, or of arrays of them, one after another."""
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
                stop = start + _position(error, 1) - 1  # another document follows, and its first byte was taken
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
    """Return where the next thing that is not white space begins."""
    found = _SOLID.search(text, start)
    return found.start() if found else len(text)


def _parts(text: memoryview) -> list[msgspec.Raw]:
    return _REQUESTS.decode(text) if text[0] == ord("[") else [_DOCUMENT.decode(text)]


def _spans(text: bytes | msgspec.Raw) -> list[SpanRecord]:
    """
    Return the spans that *text* holds.

    Nothing made here is a cycle, yet the garbage collector would walk the lists of a long line again and again: it
    rests until the line is read, which is then about 1.7 times as fast.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return [record for group in _groups(text) for record in records(group)]
    finally:
        if collecting:
            gc.enable()


class _NotOtlpError(Exception):
    """What was read is JSON, but not OTLP."""


def _groups(text: bytes | msgspec.Raw) -> list[ResourceSpans]:
    """Return the ``resourceSpans`` that *text* holds: those of a request, or the one it is."""
    request = _REQUEST.decode(text)
    if request.resource_spans is not msgspec.UNSET:
        return request.resource_spans or []
    if msgspec.UNSET is not request.resource_metrics:
        return []
    if msgspec.UNSET is not request.resource_logs or msgspec.UNSET is not request.resource_profiles:
        return []
    return _other_forms(text)


def _other_forms(text: bytes | msgspec.Raw) -> list[ResourceSpans]:
    """Read what is not a request in lower camel case: names with underscores, and single ``resourceSpans``."""
    data = _camel(msgspec.json.decode(text))
    if not isinstance(data, Mapping):
        message = f"a JSON {type(data).__name__} is no request"
        raise _NotOtlpError(message)
    if "resourceSpans" in data:
        return msgspec.convert(data, Request, strict=False).resource_spans or []
    if "scopeSpans" in data:
        return [msgspec.convert(data, ResourceSpans, strict=False)]
    if data and not data.keys() & {"resourceMetrics", "resourceLogs", "resourceProfiles", "partialSuccess"}:
        keys = ", ".join(sorted(repr(key) for key in data)[:5])
        message = f"a JSON object with {keys} is no request"
        raise _NotOtlpError(message)
    return []


def _camel(data: object) -> object:
    """Write field names in lower camel case; attribute keys are values here, and stay."""
    if isinstance(data, dict):
        return {_SNAKE.sub(lambda match: match[1].upper(), key): _camel(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_camel(item) for item in data]
    return data


def _has_more(error: Exception) -> bool:
    """Tell whether what was read is whole, and something follows it."""
    return "trailing characters" in str(error)


def _position(error: Exception, otherwise: int) -> int:
    """Return where in the text the decoder stopped, from 0."""
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
