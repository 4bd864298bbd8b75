"""Spans in a file of this program's own, grouped by trace, so that another process can read those of some traces."""

from __future__ import annotations

import io
import marshal
import pickle
import zlib
from typing import IO, TYPE_CHECKING, Any

import msgspec

from otel_parallelism.model import SpanEvent, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

_EVENTS = SpanRecord.__struct_fields__.index("events")
_PLAIN = b"m"
_OTHER = b"p"
_VERSION = 2  # of the format of marshal: later ones look for objects that occur twice, which takes longer


class Piece(msgspec.Struct, frozen=True):
    """Where in a file the spans of some traces are: ``length`` bytes from ``start`` on. ``group`` tells the traces."""

    group: int
    start: int
    length: int


class SpanFile:
    """
    A file to which one process appends spans, and from which all processes read.

    Args:
        file: The file, opened without a buffer; it belongs to this object.
        groups: Into how many groups traces are divided.
    """

    def __init__(self, file: IO[bytes], groups: int) -> None:
        """Begin at the end of the file."""
        self._file = file
        self._groups = groups
        self._end = file.seek(0, io.SEEK_END)

    def append(self, spans: Iterable[SpanRecord]) -> list[Piece]:
        """Write *spans*, and return where those of each group are; inside a group their order stays."""
        traces: dict[str, list[SpanRecord]] = {}
        for span in spans:
            traces.setdefault(span.trace_id, []).append(span)
        groups: dict[int, list[SpanRecord]] = {}
        for trace_id, held in traces.items():
            group = zlib.crc32(trace_id.encode("utf-8", "replace")) % self._groups
            groups.setdefault(group, []).extend(held)
        pieces = []
        self._file.seek(self._end)
        for group, held in groups.items():
            data = packed_spans(held)
            self._file.write(data)
            pieces.append(Piece(group, self._end, len(data)))
            self._end += len(data)
        return pieces

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def spans(self, piece: Piece) -> list[SpanRecord]:
        """Return the spans of *piece*."""
        self._file.seek(piece.start)
        data = bytearray()
        while len(data) < piece.length:
            read = self._file.read(piece.length - len(data))
            if not read:
                message = "a temporary file of spans ends early"
                raise OSError(message)
            data += read
        return unpacked_spans(data)


def packed_spans(spans: list[SpanRecord]) -> bytes:
    """Return *spans* as bytes, which `unpacked_spans` of the same version of Python reads."""
    rows = [_row(span) for span in spans]
    try:
        return _PLAIN + marshal.dumps(rows, _VERSION)
    except ValueError:  # a value of a type of another library, as a column of a table can have
        return _OTHER + pickle.dumps(rows, pickle.HIGHEST_PROTOCOL)


def unpacked_spans(data: bytes | bytearray) -> list[SpanRecord]:
    """Return the spans that `packed_spans` has written. It can run code, so *data* must be this program's own."""
    written = memoryview(data)[1:]
    rows = marshal.loads(written) if data[:1] == _PLAIN else pickle.loads(written)  # noqa: S301, S302 - ours
    return [_record(row) for row in rows]


def _row(span: SpanRecord) -> tuple[Any, ...]:
    """Return the fields of *span*, with those of its events in place of the events."""
    row = msgspec.structs.astuple(span)
    if not span.events:
        return row
    events = tuple([(event.name, event.attributes) for event in span.events])
    return (*row[:_EVENTS], events, *row[_EVENTS + 1 :])


def _record(row: tuple[Any, ...]) -> SpanRecord:
    if row[_EVENTS]:
        row = (*row[:_EVENTS], tuple([SpanEvent(*event) for event in row[_EVENTS]]), *row[_EVENTS + 1 :])
    return SpanRecord(*row)
