"""
Reads Parquet as rows, a few at a time, so that little of a file is in memory.

A row is what a line is elsewhere: one that cannot be read costs that row. What a row means is for the formats to say.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from otel_parallelism.errors import UnreadableError

from .parsing.arrow_values import column_values, value_of
from .parsing.field_errors import WrongFieldError
from .parsing.json_text import UnknownFormatError
from .parsing.opening import ANY_RATIO_BYTES, TooLargeError, raised
from .parsing.skipped_errors import SkippedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_parallelism.model import SpanRecord
    from otel_parallelism.settings import Settings

MAGIC: Final = b"PAR1"
EXPECTED: Final = "a Parquet file of spans"
_ROWS: Final = 256
_BUFFER_BYTES: Final = 1 << 20
_ATTRIBUTES: Final = frozenset({"SpanAttributes", "span_attributes"})
_UNUSED: Final = frozenset(
    {"TraceState", "ScopeVersion", "StatusMessage", "Events.Timestamp"}
    | {"Links.TraceId", "Links.TraceState", "Links.Attributes"}
)
"""Columns of the Collector's ClickHouse schema that no report needs."""
_TEXTS: Final = frozenset({"SpanName", "SpanKind", "ServiceName", "ScopeName", "StatusCode"})
"""Other columns of this schema, which ClickHouse writes as bytes. An id can be binary, so that it stays as it is."""
_DIGITS_OF_64_BITS: Final = 20
_UNITS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def read_parquet(
    name: str,
    file: str | IO[bytes],
    decode: Callable[[dict[str, Any]], list[SpanRecord]],
    settings: Settings,
    skip: Callable[[UnreadableError], None] | None,
    *,
    groups: range | None = None,
) -> Iterator[SpanRecord]:
    """
    Yield the spans of the Parquet *file*, in the order of its rows.

    Args:
        name: What messages call the file.
        file: A path, or a file that can seek.
        decode: Returns the spans of one row. Times are nanoseconds, and maps are objects.
        settings: How much the file may decompress to.
        skip: Called with the error of each row that cannot be read; its line is the number of the row. None to stop
            there.
        groups: The row groups to read, whose errors are all passed to *skip*; None for the whole file. Rows are
            numbered from the first row of the file.

    Raises:
        UnreadableError: The file is broken or too large, no row has spans, or pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - as above
    except ImportError:
        how = 'pip install "otel-parallelism[parquet]"'
        raise UnreadableError(name, None, f"it is a Parquet file; to read it, {how}", "pyarrow") from None
    number, errors = 0, SkippedErrors(name, EXPECTED, skip, some_found=groups is not None)
    try:
        with parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES) as table:
            bound = _Bound(_size(file), table.metadata, settings)
            number = first_row(table.metadata, groups)
            for batch in table.iter_batches(_ROWS, groups, use_threads=False):
                bound.add(batch.nbytes)
                for row in batch_rows(pa, batch):
                    number += 1
                    try:
                        if isinstance(row, Exception):
                            raise row
                        spans = decode(row)
                    except (UnknownFormatError, ValueError, RecursionError) as error:
                        errors.add(_row_error(name, number, error))
                    else:
                        errors.found()
                        yield from spans
    except TooLargeError as error:
        raise UnreadableError(name, None, str(error), EXPECTED) from None
    except (pa.ArrowException, OSError, MemoryError, OverflowError, UnicodeDecodeError):
        # The messages can quote the content.
        problem = f"the Parquet data is broken{f' after row {number}' if number else ''}"
        raise UnreadableError(name, None, problem, EXPECTED) from None
    errors.close()
    if not number and groups is None:
        raise UnreadableError(name, None, "it has no rows", EXPECTED)


def _row_error(name: str, number: int, error: Exception) -> UnreadableError:
    problem = str(error) if isinstance(error, (UnknownFormatError, WrongFieldError)) else "a value cannot be read"
    expected = error.expected if isinstance(error, WrongFieldError) else ""
    return UnreadableError(name, number, problem, expected or EXPECTED)


def first_row(metadata: Any, groups: range | None) -> int:
    """Return how many rows of a file with *metadata* are before the row *groups*."""
    return 0 if groups is None else sum(metadata.row_group(index).num_rows for index in range(groups.start))


def row_groups(path: str) -> list[int]:
    """Return the bytes of each row group of the Parquet file at *path*; none if it cannot be read by group."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - as above
    except ImportError:
        return []
    try:
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as table:
            if "rs" in table.schema_arrow.names:
                return []  # a block of Tempo's: what its columns mean is said once for the whole
            groups = (table.metadata.row_group(index) for index in range(table.metadata.num_row_groups))
            return [max(0, group.total_byte_size) for group in groups]
    except (pa.ArrowException, OSError, MemoryError, OverflowError, UnicodeDecodeError):
        return []


class _Bound:
    """How much a file decompresses to: what its metadata says, and what its rows take up."""

    def __init__(self, packed: int, metadata: Any, settings: Settings) -> None:
        self._settings = settings
        self._packed = packed
        self._rows_bytes = 0
        # pyarrow aborts the process where the metadata of a column is broken, so that it is not asked for.
        groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
        self._check(sum(max(0, group.total_byte_size) for group in groups))

    def add(self, size: int) -> None:
        """Count a batch of *size* bytes."""
        self._rows_bytes += size
        self._check(self._rows_bytes)

    def _check(self, size: int) -> None:
        most, ratio = self._settings.max_decompressed_bytes, self._settings.max_decompression_ratio
        if size > most:
            raise TooLargeError(f"it decompresses to more than {most:,} bytes; {raised('max_decompressed_bytes')}")
        if size > max(ANY_RATIO_BYTES, ratio * self._packed):
            raise TooLargeError(f"it decompresses to {ratio:,} times its size; {raised('max_decompression_ratio')}")


def _size(file: str | IO[bytes]) -> int:
    if isinstance(file, str):
        return Path(file).stat().st_size
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size


def unused_columns(names: Sequence[str]) -> frozenset[str]:
    """Return those of the columns *names* that no report needs; none if it is not known whose columns they are."""
    return frozenset() if _ATTRIBUTES.isdisjoint(names) else _UNUSED.intersection(names)


def batch_rows(pa: Any, batch: Any) -> Iterator[dict[str, Any] | Exception]:
    """
    Yield each row of an Arrow *batch* as an object with times in nanoseconds, or the error that its values raise.

    Args:
        pa: The module `pyarrow`.
        batch: A `pyarrow.RecordBatch`.
    """
    of_spans = not _ATTRIBUTES.isdisjoint(batch.schema.names)
    unused = unused_columns(batch.schema.names)
    names, columns, factors = [], [], []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if field.name in unused:
            continue
        kind = _whole_numbers(pa, field.type)
        names.append(field.name)
        factors.append(_UNITS[field.type.unit] if _is_time(pa, field.type) else 1)
        whole = column if kind == column.type else column.cast(kind)
        columns.append(_with_texts(pa, field.name, whole) if of_spans else whole)
    for values in _values(pa, columns, factors, batch.num_rows):
        yield values if isinstance(values, Exception) else dict(zip(names, values, strict=True))


def _with_texts(pa: Any, name: str, column: Any) -> Any:
    """Return a *column* of bytes, or of maps from bytes to bytes, with texts in their place if all are UTF-8."""
    kind = column.type
    if name in _TEXTS and kind == pa.binary():
        try:
            return column.cast(pa.string())
        except pa.ArrowException:
            return column
    inner = kind.value_type if pa.types.is_list(kind) else kind
    if not pa.types.is_map(inner) or not (inner.key_type == inner.item_type == pa.binary()):
        return column
    texts = pa.map_(pa.string(), pa.string())
    try:
        return column.cast(pa.list_(texts) if pa.types.is_list(kind) else texts)
    except pa.ArrowException:
        return column


def _values(pa: Any, columns: list[Any], factors: list[int], rows: int) -> Iterator[tuple[Any, ...] | Exception]:
    """Yield the values of each row, those of a column times its factor, or the error that one of them raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of two values of one key
            found = [
                values if factor == 1 else [_times(value, factor) for value in values]
                for values, factor in zip((column_values(pa, column) for column in columns), factors, strict=True)
            ]
        yield from zip(*found, strict=True)
    except (ValueError, OverflowError, RecursionError):
        for at in range(rows):
            try:
                yield tuple(
                    _times(value_of(column[at]), factor) for column, factor in zip(columns, factors, strict=True)
                )
            except (ValueError, OverflowError, RecursionError) as error:
                yield error if isinstance(error, ValueError | RecursionError) else ValueError()


def _times(value: Any, factor: int) -> Any:
    return value * factor if factor != 1 and value is not None else value


def _is_time(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_duration(kind))


def _whole_numbers(pa: Any, kind: Any) -> Any:
    """
    Return *kind* with whole numbers in place of times, which Python has to the microsecond only.

    Spark has decimals of 20 digits in place of whole numbers without a sign.
    """
    if _is_time(pa, kind):
        return pa.int64()
    if kind == pa.decimal128(_DIGITS_OF_64_BITS, 0):
        return pa.uint64()
    if pa.types.is_map(kind):
        return pa.map_(kind.key_type, _whole_numbers(pa, kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        listed = pa.list_ if pa.types.is_list(kind) else pa.large_list
        return listed(kind.value_field.with_type(_whole_numbers(pa, kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_whole_numbers(pa, field.type)) for field in kind])
    return kind
