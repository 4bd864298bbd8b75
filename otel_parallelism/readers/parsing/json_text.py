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

from .field_errors import WrongFieldError
from .node_objects import json_of
from .not_json import mended_json
from .opening import BYTE_ORDER_MARK, TooLargeError, broken_compression, raised, read_whole
from .text_progress import LONGEST_SHOWN, Effort, LineNumbers

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord
    from otel_parallelism.settings import Settings

Decode: TypeAlias = "Callable[[Any], list[SpanRecord]]"
"""Returns the spans of one JSON value, given as text. It raises `UnknownFormatError` if it knows no such value."""

_VALUES = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE = msgspec.json.Decoder(msgspec.Raw)
_NOT_SPACE = re.compile(rb"\S")
_BEFORE_OBJECT: Final = rb"(?:[^\[{\n]|\[[^\[\]{\n]*\])[^{\n]*\{(?=[^\n]*\}[ \r]*$)"
_PREFIXED: Final = re.compile(_BEFORE_OBJECT, re.MULTILINE)
"""What a log writes before an object that ends its line, such as a time or ``[INFO]``."""

_NEXT_VALUE: Final = re.compile(rb"^(?:[\[{]|(?=[^\s\"}\]])" + _BEFORE_OBJECT + rb")", re.MULTILINE)
"""The start of a line at which a value or a line of a log begins; the lines inside a value are indented or quoted."""

_LAST_LINE: Final = re.compile(rb"^}\r?$", re.MULTILINE)
_ENDS_EARLY: Final = "the JSON ends early"
_BYTE = re.compile(r"\(byte (\d+)\)")


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
        self,
        name: str,
        decode: Decode,
        expected: str,
        settings: Settings,
        skip: Callable[[UnreadableError], None] | None = None,
    ) -> None:
        """
        Prepare to read the file called *name* in messages.

        Args:
            name: What messages call the file.
            decode: Returns the spans of one value.
            expected: What messages say was expected.
            settings: ``max_line_bytes`` is the size of the longest line or document that is read.
            skip: Called with the error of each line, or value, that cannot be read, which is then skipped; None to
                raise the first.
        """
        self._name = name
        self._decode = decode
        self._expected = expected
        self._settings = settings
        self._skip = skip
        self.stopped: bool = False

    def spans(
        self, lines: io.BufferedReader, progress: Callable[[], None], *, by_line: bool = False
    ) -> Iterator[SpanRecord]:
        """
        Yield the spans of all values in *lines*. Afterwards ``stopped`` says whether a limit kept the rest unread.

        Args:
            lines: The text; one value a line is read line by line, anything else as a whole.
            progress: Called after each line or value.
            by_line: Whether *lines* are a part of a text with one value a line, perhaps an empty part.

        Raises:
            UnreadableError: The text is empty or broken.
        """
        number = 0
        document: bytes | None = b"" if by_line else None
        try:
            for line in self._lines(lines):
                number += 1
                if number == 1 and not by_line:
                    line = line.removeprefix(BYTE_ORDER_MARK)  # noqa: PLW2901 - the mark is no content
                if document is None and line.strip():
                    document = line if self.is_document(line) else b""
                if document:
                    yield from self._values(number, read_whole(lines, self._settings, document))
                else:
                    yield from self._line(number, line)
                progress()
        except broken_compression() as error:
            problem = f"the compressed data is broken ({error})"
            self._report(UnreadableError(self._name, number + 1, problem, "complete compressed data"))
            document = document or b""
        except TooLargeError as error:
            self.stopped = True
            self._report(UnreadableError(self._name, max(1, number + (not document)), str(error), self._expected))
            document = document or b""
        if document is None:
            raise UnreadableError(self._name, None, "it is empty", self._expected)

    def _lines(self, file: io.BufferedReader) -> Iterator[bytes]:
        """
        Yield the lines of *file*.

        Raises:
            TooLargeError: A line is longer than the settings allow.
        """
        most = self._settings.max_line_bytes
        while line := file.readline(most + 1):
            if len(line) > most:
                raise TooLargeError(f"the line is longer than {most:,} bytes; {raised('max_line_bytes')}")
            yield line

    def is_document(self, line: bytes) -> bool:
        """
        Return whether a file with the first *line* is read as a whole.

        A truncated line counts as a document, and fails. Other output before the first value does too, if it may be
        skipped.
        """
        text = line.strip()
        return text.startswith(b"[") or not text.endswith(b"}") or (self._skip is not None and text[:1] != b"{")

    def _report(self, error: UnreadableError) -> None:
        if self._skip is not None:
            self._skip(error)
            return
        try:
            raise error from None
        finally:
            # Breaks the reference cycle through its traceback, which leads to all that was read.
            del error

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
            prefixed = _PREFIXED.match(line)
            mended = line[prefixed.end() - 1 :] if prefixed is not None else mended_json(line)
            if mended != line:
                return self._line(number, mended)
            problem = _problem(error, len(line.rstrip()))
            self._report(UnreadableError(self._name, number, problem, _expected(error) or self._expected))
        return []

    def _values(self, first: int, text: bytes) -> Iterator[SpanRecord]:
        """Yield the spans of consecutive values, or arrays of values, that span several lines."""
        text = mended_json(text)
        view, start, end = memoryview(text), _next(text, 0), len(text)
        written, lines = len(text.rstrip()), LineNumbers(first, text)
        effort = Effort(end)
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
                effort.broken = 0
            except UnknownFormatError as error:
                self._report(UnreadableError(self._name, lines.at(start), str(error), self._expected))
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                prefixed = _PREFIXED.match(text, start)
                if prefixed is not None:
                    start = prefixed.end() - 1
                    continue
                # Read on at the next line that begins as a value does.
                found = _NEXT_VALUE.search(text, start + 1)
                stop = found.start() if found else end
                shown, after = self._node_object(text, start, stop)
                if shown is not None:
                    yield from shown
                    start = _next(text, after)
                    continue
                problem = _problem(error, written - start)
                otherwise = written if problem == _ENDS_EARLY else 0
                number = lines.at(min(start + _position(error, otherwise), written), start)
                spent = effort.is_spent(error, end - start if problem == _ENDS_EARLY else 0)
                problem += "; too much is broken to read on" if spent else ""
                self._report(UnreadableError(self._name, number, problem, _expected(error) or self._expected))
                stop = end if spent else stop
            start = _next(text, stop)

    def _node_object(self, text: bytes, start: int, stop: int) -> tuple[list[SpanRecord] | None, int]:
        """
        Return the spans of an object as Node.js prints it, None if there is no such object, and where it ends.

        Its last line is before *stop*, where the next line begins as a value does: what is inside is indented.
        """
        found = _LAST_LINE.search(text, start, stop)
        if found is None or text[start : start + 1] != b"{" or found.end() - start > LONGEST_SHOWN:
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


def _expected(error: Exception) -> str:
    """Return what a decoder expected, empty if it does not say."""
    return error.expected if isinstance(error, WrongFieldError) else ""


def _problem(error: Exception, written: int) -> str:
    """Return what is wrong with a value that has *written* bytes, in one clause."""
    if isinstance(error, msgspec.ValidationError):
        return f"not OTLP: {error}"
    if isinstance(error, msgspec.DecodeError):
        if "truncated" in str(error) or _position(error, 0) >= written:
            return _ENDS_EARLY
        detail = str(error).removeprefix("JSON is malformed: ")
        return "it is not JSON" if detail == "invalid character (byte 0)" else f"broken JSON ({detail})"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8 text"
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    # Other messages quote the value, which can be private.
    return str(error) if isinstance(error, WrongFieldError) else "a field has a wrong value"
