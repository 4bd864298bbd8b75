"""
Divides a file of spans into parts that can be read apart, in different processes, and joins what went wrong in them.

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

from .any_format import EXPECTED, decode_row, decode_value, no_spans, read_spans
from .parquet import MAGIC, read_parquet, row_groups
from .parsing.json_text import JsonText
from .parsing.line_range import BYTE_ORDER_MARK, LinesBetween
from .parsing.opening import GZIP, ZSTD, is_binary, opened, peeked
from .parsing.skipped_errors import MOST_KEPT
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


class LineError(msgspec.Struct, frozen=True):
    """What an `UnreadableError` says, with the ``line`` counted from the start of a part. It can be pickled."""

    path: str
    line: int | None
    problem: str
    expected: str

    def raised(self, before: int = 0) -> UnreadableError:
        """Return the error of a part with *before* lines before it."""
        line = None if self.line is None else before + self.line
        return UnreadableError(self.path, line, self.problem, self.expected)


class PartOutcome(msgspec.Struct, frozen=True):
    """
    How the reading of a part ended.

    Attributes:
        lines: Its number of lines.
        found: Whether it has spans.
        errors: The errors of its lines.
        further: The number of further errors.
        others: The other signals in it, such as metrics.
        fatal: The error that ended the reading of the file; None if there was none.
        stopped: Whether the lines of the file that follow are not read.
    """

    lines: int = 0
    found: bool = False
    errors: tuple[LineError, ...] = ()
    further: int = 0
    others: frozenset[str] = frozenset()
    fatal: LineError | None = None
    stopped: bool = False


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
            if start.startswith((GZIP, ZSTD)):
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
        )

    def _read(self, progress: Callable[[int], None] | None) -> Iterator[SpanRecord]:
        part, settings = self._part, self._settings
        if part.kind == "file":
            return read_spans(part.path, progress, self._skip, settings)
        if part.kind == "row groups":
            groups = range(part.start, part.stop)
            return read_parquet(part.path, part.path, decode_row, settings, self._skip, groups=groups)
        return self._messages() if part.kind == "messages" else self._text()

    def _skip(self, error: UnreadableError) -> None:
        if len(self._errors) < MOST_KEPT:
            self._errors.append(LineError(error.path, error.line, error.problem, error.expected))
        else:
            self._further += 1

    def _messages(self) -> Iterator[SpanRecord]:
        from .otlp_protobuf import is_request, message_spans, without_spans  # noqa: PLC0415 - protobuf takes time

        with opened(self._part.path, "a file of spans") as file:
            file.seek(self._part.start)
            while file.tell() < self._part.stop:
                message = file.read(int.from_bytes(file.read(_LENGTH_BYTES), "big"))
                if not is_request(message):
                    raise without_spans(self._part.path, message)
                yield from message_spans(message)

    def _text(self) -> Iterator[SpanRecord]:
        part = self._part
        text = JsonText(
            part.path, lambda value: decode_value(value, self._others), EXPECTED, self._settings, self._skip
        )
        with opened(part.path, "a file of spans") as file:
            lines = LinesBetween(file, part.start, part.stop)
            yield from text.spans(cast("io.BufferedReader", lines), lambda: None, by_line=True)
        self._lines, self._stopped = lines.count, text.stopped


def must_be_read_whole(outcomes: Sequence[PartOutcome]) -> bool:
    """
    Return whether only reading a file as one part shows which of its spans count, and what is wrong with it.

    Where the whole file fails depends on its format, and it may fail before what a part can read.
    """
    return len(outcomes) > 1 and any(one.fatal is not None for one in outcomes)


def report_errors(path: str, outcomes: Sequence[PartOutcome], skip: Callable[[UnreadableError], None]) -> int:
    """
    Report what went wrong in the parts of a file, as `read_spans` does for the whole.

    Args:
        path: The file.
        outcomes: How the reading of each part ended, in order. If one part failed, it is that of the whole file.
        skip: Called with each error that costs only a line.

    Returns:
        How many of the parts count: no part after a line that ends the reading.

    Raises:
        UnreadableError: The file is unreadable, or has no spans.
    """
    fatal = next((one.fatal for one in outcomes if one.fatal is not None), None)
    ended = None if fatal is None else fatal.raised()
    counted = next((number for number, one in enumerate(outcomes, 1) if one.stopped), len(outcomes))
    errors: list[UnreadableError] = []
    before = 0
    for one in outcomes[:counted]:
        errors += [error.raised(before) for error in one.errors]
        errors += [UnreadableError(path, None, "it cannot be read", EXPECTED)] * one.further
        before += one.lines
    some_found = any(one.found for one in outcomes[:counted])
    if len(outcomes) > 1 and not some_found and errors:
        raise errors[0]
    for unread in errors:
        skip(unread)
    if ended is not None:
        raise ended
    others = set[str]().union(*(one.others for one in outcomes[:counted]))
    if others and not some_found:
        raise no_spans(path, others)
    return counted
