"""
Splits text into JSON values: one a line, or values over many lines, one after another or in arrays.

A broken line costs that line if the caller says so; what stands between the values, such as a program's other output,
is a broken line too.
"""

from __future__ import annotations

import gc
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from otel_parallelism.errors import UnreadableError

from .node_objects import json_of
from .opening import broken_compression

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord

Decode: TypeAlias = "Callable[[Any], list[SpanRecord]]"
"""Returns the spans of one JSON value, given as text. It raises `UnknownFormatError` if it knows no such value."""

_VALUES = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE = msgspec.json.Decoder(msgspec.Raw)
_NOT_SPACE = re.compile(rb"\S")
_NEXT_VALUE: Final = re.compile(rb"^[\[{]", re.MULTILINE)
_LAST_LINE: Final = re.compile(rb"^}$", re.MULTILINE)
_LONGEST_SHOWN: Final = 10_000_000
_BYTE = re.compile(r"\(byte (\d+)\)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UnknownFormatError(Exception):
    """
    The text is JSON, but of no known format; the message says what it is.

    Attributes:
        data: The decoded value.
    """

    def __init__(self, message: str, data: object = None) -> None:
        """Say what the value *data* is."""
        super().__init__(message)
        self.data = data


class JsonText:
    """The JSON values of one file."""

    def __init__(
        self, name: str, decode: Decode, expected: str, skip: Callable[[UnreadableError], None] | None = None
    ) -> None:
        """
        Prepare to read the file called *name* in messages.

        Args:
            name: What messages call the file.
            decode: Returns the spans of one value.
            expected: What messages say was expected.
            skip: Called with the error of each line, or value, that cannot be read, which is then skipped; None to
                raise the first.
        """
        self._name = name
        self._decode = decode
        self._expected = expected
        self._skip = skip

    def spans(self, lines: io.BufferedReader, progress: Callable[[], None]) -> Iterator[SpanRecord]:
        """
        Yield the spans of all values in *lines*.

        Args:
            lines: The text; one value a line is read line by line, anything else as a whole.
            progress: Called after each line or value.

        Raises:
            UnreadableError: The text is empty or broken.
        """
        number = 0
        document: bytes | None = None
        try:
            for line in lines:
                number += 1
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)  # noqa: PLW2901 - the mark is no content
                if document is None and line.strip():
                    document = line if self._is_document(line) else b""
                if document:
                    yield from self._values(number, document + lines.read())
                else:
                    yield from self._line(number, line)
                progress()
        except broken_compression() as error:
            problem = f"the compressed data is broken ({error})"
            self._report(UnreadableError(self._name, number + 1, problem, "complete gzip data"))
        if document is None:
            raise UnreadableError(self._name, None, "it is empty", self._expected)

    def _is_document(self, line: bytes) -> bool:
        """
        Return whether a file with the first *line* is read as a whole.

        A truncated line counts as a document, and fails. Other output before the first value does too, if it may be
        skipped.
        """
        text = line.strip()
        return text.startswith(b"[") or not text.endswith(b"}") or (self._skip is not None and text[:1] != b"{")

    def _report(self, error: UnreadableError) -> None:
        if self._skip is None:
            raise error from None
        self._skip(error)

    def _line(self, number: int, line: bytes) -> list[SpanRecord]:
        """Return the spans of one line: one value, or several if files without a final newline were joined."""
        if not line.strip():
            return []
        try:
            return self._decoded(line)
        except UnknownFormatError as error:
            self._report(UnreadableError(self._name, number, str(error), self._expected))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            if _has_more(error):
                return list(self._values(number, line))
            self._report(UnreadableError(self._name, number, _problem(error, line), self._expected))
        return []

    def _values(self, first: int, text: bytes) -> Iterator[SpanRecord]:
        """Yield the spans of consecutive values, or arrays of values, that span several lines."""
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
                    # Another value follows; the decoder stopped after its first byte.
                    stop = start + _position(error, 1) - 1
                    parts = _parts(view[start:stop])
                for part in parts:
                    yield from self._decoded(part)
            except UnknownFormatError as error:
                number = first + text.count(b"\n", 0, start)
                self._report(UnreadableError(self._name, number, str(error), self._expected))
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                shown, after = self._node_object(text, start)
                if shown is not None:
                    yield from shown
                    start = _next(text, after)
                    continue
                written = len(text.rstrip())
                number = first + text.count(b"\n", 0, min(start + _position(error, written), written))
                self._report(UnreadableError(self._name, number, _problem(error, text[start:stop]), self._expected))
                # Read on at the next line that begins as a value does.
                found = _NEXT_VALUE.search(text, start + 1)
                stop = found.start() if found else end
            start = _next(text, stop)

    def _node_object(self, text: bytes, start: int) -> tuple[list[SpanRecord] | None, int]:
        """Return the spans of an object as Node.js prints it, None if there is no such object, and where it ends."""
        found = _LAST_LINE.search(text, start)
        if found is None or text[start : start + 1] != b"{" or found.end() - start > _LONGEST_SHOWN:
            return None, start
        try:
            converted = json_of(text[start : found.end()].decode())
            return (None if converted is None else self._decoded(converted.encode())), found.end()
        except (msgspec.DecodeError, ValueError, RecursionError, UnknownFormatError):
            return None, start

    def _decoded(self, text: bytes | msgspec.Raw) -> list[SpanRecord]:
        """
        Return the spans in *text*.

        The garbage collector is disabled meanwhile: decoding creates no cycles, and without collections a long line
        is read about 1.7 times as fast.
        """
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self._decode(text)
        finally:
            if collecting:
                gc.enable()


def _next(text: bytes, start: int) -> int:
    """Return the position of the first non-space byte from *start* on; the length of *text* if there is none."""
    found = _NOT_SPACE.search(text, start)
    return found.start() if found else len(text)


def _parts(text: memoryview) -> list[msgspec.Raw]:
    return _VALUES.decode(text) if text[0] == ord("[") else [_VALUE.decode(text)]


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
