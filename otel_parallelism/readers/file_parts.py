"""
Divides a file of spans into parts that can be read apart, in different processes.

Lines of JSON, messages of protobuf and row groups of Parquet are such parts; any other file is a single one. Reading
all parts gives the spans and the errors that `read_spans` gives for the whole file.
"""

from __future__ import annotations

import stat
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

import msgspec

from otel_parallelism.errors import UnreadableError

from .any_format import EXPECTED, decode_row, decode_value, read_spans
from .line_range import LinesBetween
from .parquet import MAGIC, read_parquet, row_groups
from .parsing.field_errors import WrongFieldError
from .parsing.json_text import JsonText
from .parsing.opening import BYTE_ORDER_MARK, GZIP, ZSTD, is_binary, is_zstd, opened, peeked
from .parsing.plausible_times import PlausibleTimes
from .parsing.skipped_errors import MOST_KEPT
from .part_outcomes import LineError, PartOutcome
from .services.address import is_address

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator, Sequence

    from otel_parallelism.model import SpanRecord
    from otel_parallelism.settings import Settings

_LENGTH_BYTES: Final = 4
_LONGEST_FIRST_LINE: Final = 64 << 20


class FilePart(msgspec.Struct, frozen=True):
    """
    A part of the file at ``path``.

    ``start`` and ``stop`` are bytes for lines and messages, and numbers of row groups. A line belongs to the part in
    which it starts. A ``file`` is read whole.
    """

    path: str
    kind: Literal["file", "lines", "messages", "row groups"] = "file"
    start: int = 0
    stop: int = 0


def is_shared(path: str) -> bool:
    """Return whether another process can open *path* and read the same: it is a regular file."""
    if path == "-" or is_address(path):
        return False
    try:
        return stat.S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return False


def file_parts(path: str, settings: Settings, part_bytes: int) -> list[FilePart]:
    """
    Return the parts of the file at *path*, in order.

    Args:
        path: As for `read_spans`.
        settings: As for `read_spans`.
        part_bytes: About how large a part is.
    """
    whole = [FilePart(path)]
    try:
        size = Path(path).stat().st_size if is_shared(path) else 0
        if size < 2 * part_bytes:
            return whole
        with opened(path, "a file of spans") as file:
            start = peeked(file)
            if start.startswith(GZIP) or is_zstd(start):
                return whole
            if start.startswith(MAGIC):
                return _grouped(path, "row groups", row_groups(path), part_bytes) or whole
            if is_binary(start):
                return _messages(path, file, size, part_bytes) or whole
            return _lines(path, file, size, part_bytes, settings) or whole
    except (OSError, UnreadableError):
        return whole  # which reports the error


def _grouped(
    path: str, kind: Literal["messages", "row groups"], sizes: Sequence[int], part_bytes: int, unit: int = 0
) -> list[FilePart]:
    """
    Return parts of neighbours whose *sizes* add up to *part_bytes*, none if that is one.

    Positions count sizes and a *unit* before each, or items if *unit* is 0.
    """
    parts: list[FilePart] = []
    start = at = inside = 0
    for number, size in enumerate(sizes, 1):
        inside += size
        at = at + unit + size if unit else number
        if inside >= part_bytes or number == len(sizes):
            parts.append(FilePart(path, kind, start, at))
            start, inside = at, 0
    return parts if len(parts) > 1 else []


def _messages(path: str, file: io.BufferedReader, size: int, part_bytes: int) -> list[FilePart]:
    """Return parts of a file of uncompressed messages with their lengths before them; none if it is another file."""
    sizes: list[int] = []
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(_LENGTH_BYTES + len(ZSTD))
        length = int.from_bytes(head[:_LENGTH_BYTES], "big")
        # A request does not start with a zero byte, so that the file is no single request.
        if head[:1] != b"\0" or not length or head[_LENGTH_BYTES:].startswith((ZSTD, b"{")):
            return []
        sizes.append(length)
        at += _LENGTH_BYTES + length
    return _grouped(path, "messages", sizes, part_bytes, _LENGTH_BYTES) if at == size else []


def _lines(path: str, file: io.BufferedReader, size: int, part_bytes: int, settings: Settings) -> list[FilePart]:
    """Return parts of a text with one value a line; none if it is another text."""
    first = b""
    while not first.strip().removeprefix(BYTE_ORDER_MARK):
        first = file.readline(_LONGEST_FIRST_LINE)
        if not first or len(first) >= _LONGEST_FIRST_LINE:
            return []
    text = JsonText(path, lambda _: [], EXPECTED, settings, lambda _: None)
    if text.is_document(first.removeprefix(BYTE_ORDER_MARK)):
        return []
    bounds = [*range(0, size, part_bytes), size]
    return [FilePart(path, "lines", start, stop) for start, stop in pairwise(bounds)]


class PartReader:
    """Reads the spans of one part, once; afterwards ``outcome`` says what went wrong."""

    def __init__(self, part: FilePart, settings: Settings) -> None:
        """Prepare to read *part*, with *settings* as for `read_spans`."""
        self._part = part
        self._settings = settings
        self._errors: list[LineError] = []
        self._further = 0
        self._found = False
        self._others: set[str] = set()
        self._fatal: LineError | None = None
        self._lines = 0
        self._stopped = False
        self._times = PlausibleTimes()

    def spans(self, progress: Callable[[int], None] | None = None) -> Iterator[SpanRecord]:
        """Yield the spans; *progress* is as for `read_spans`, and called only while a whole file is read."""
        try:
            for span in self._read(progress):
                self._found = True
                yield span
        except UnreadableError as error:
            self._fatal = LineError(error.path, error.line, error.problem, error.expected)

    @property
    def outcome(self) -> PartOutcome:
        """How the reading ended."""
        return PartOutcome(
            self._lines,
            self._found,
            tuple(self._errors),
            self._further,
            frozenset(self._others),
            self._fatal,
            self._stopped,
            self._times.some_refused,
        )

    def _read(self, progress: Callable[[int], None] | None) -> Iterator[SpanRecord]:
        part, settings = self._part, self._settings
        if part.kind == "file":
            return read_spans(part.path, progress, self._skip, settings)
        if part.kind == "row groups":
            groups = range(part.start, part.stop)
            decode = self._times.decoder(decode_row)
            return read_parquet(part.path, part.path, decode, settings, self._skip, groups=groups)
        return self._messages() if part.kind == "messages" else self._text()

    def _skip(self, error: UnreadableError) -> None:
        if len(self._errors) < MOST_KEPT:
            self._errors.append(LineError(error.path, error.line, error.problem, error.expected))
        else:
            self._further += 1

    def _messages(self) -> Iterator[SpanRecord]:
        from .otlp_protobuf import (  # noqa: PLC0415 - protobuf takes time
            is_request,
            message_spans,
            without_spans,
            wrong_message,
        )

        with opened(self._part.path, "a file of spans") as file:
            file.seek(self._part.start)
            while file.tell() < self._part.stop:
                message = file.read(int.from_bytes(file.read(_LENGTH_BYTES), "big"))
                if not is_request(message):
                    raise without_spans(self._part.path, message)
                try:
                    yield from self._times.checked(message_spans(message))
                except WrongFieldError as error:
                    self._skip(wrong_message(self._part.path, None, error))

    def _text(self) -> Iterator[SpanRecord]:
        part = self._part
        decode = self._times.decoder(lambda value: decode_value(value, self._others))
        text = JsonText(part.path, decode, EXPECTED, self._settings, self._skip)
        with opened(part.path, "a file of spans") as file:
            lines = LinesBetween(file, part.start, part.stop)
            yield from text.spans(cast("io.BufferedReader", lines), lambda: None, by_line=True)
        self._lines, self._stopped = lines.count, text.stopped
