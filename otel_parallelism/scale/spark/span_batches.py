"""Reads batches of a table of spans inside a Spark executor, and packs the spans of each trace into bytes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from otel_parallelism.readers.any_format import decode_row
from otel_parallelism.readers.parquet import batch_rows
from otel_parallelism.readers.parsing.dedicated_columns import KEY, DedicatedColumns
from otel_parallelism.readers.parsing.field_errors import WrongFieldError
from otel_parallelism.readers.parsing.json_text import UnknownFormatError
from otel_parallelism.scale.span_file import packed_spans
from otel_parallelism.shown_names import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_parallelism.model import SpanRecord

PACKED_SCHEMA: Final = "trace_id string, arrived bigint, number bigint, spans binary, problem string"
"""
The columns of packed spans.

A row has ``number`` spans of one trace, from a file that arrived at the time ``arrived`` (microseconds). Or it has no
trace, and counts ``number`` rows of the input that have the same ``problem``.
"""
_ROWS: Final = 256
"""Rows that are Python objects at the same time; a row of some layouts is a whole trace."""
_SPANS: Final = 2_000
"""Spans that are packed at once."""
_NO_BLOCK: Final = "no folder/data.parquet"
"""A block's names of dedicated columns are in a file beside it, which Spark does not pass on."""
_UNREADABLE: Final = "a value cannot be read"


def packed_batches(batches: Iterable[Any], names: Sequence[str], *, with_arrival: bool = False) -> Iterator[Any]:
    """
    Yield batches of packed spans.

    Args:
        batches: Arrow batches of a table in any layout that the reader of Parquet knows.
        names: The names of its columns, which the batches do not have.
        with_arrival: Whether the last column, which has no name, is the time at which the row arrived.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    packing = _Packing(pa)
    for batch in batches:
        arrivals = batch.columns[-1].cast(pa.int64()).to_pylist() if with_arrival else None
        named = pa.RecordBatch.from_arrays(batch.columns[: len(names)], names=list(names))
        for start in range(0, named.num_rows, _ROWS):
            for at, row in enumerate(_decoded_rows(pa, named.slice(start, _ROWS)), start):
                packing.add(0 if arrivals is None else arrivals[at], row)
            if packing.is_full():
                yield packing.taken()
    yield packing.taken()


def _decoded_rows(pa: Any, batch: Any) -> Iterator[list[SpanRecord] | str]:
    """Yield the spans of each row, or what is wrong with it."""
    columns = DedicatedColumns(_NO_BLOCK)
    try:
        rows = list(batch_rows(pa, batch))
    except pa.ArrowException:
        yield from [_UNREADABLE] * batch.num_rows
        return
    for row in rows:
        try:
            if isinstance(row, Exception):
                raise row
            yield decode_row(row | {KEY: columns} if "rs" in row else row)
        except (UnknownFormatError, WrongFieldError) as error:
            yield str(error)
        except (ValueError, RecursionError):
            yield _UNREADABLE


class _Packing:
    """Spans and problems that have not been written yet."""

    def __init__(self, pa: Any) -> None:
        self._pa = pa
        self._traces: dict[tuple[str, int], list[SpanRecord]] = {}
        self._problems: Counter[tuple[str, int]] = Counter()
        self._count = 0

    def add(self, arrived: int, row: list[SpanRecord] | str) -> None:
        """Add the spans of a row that *arrived* at a time, or its problem."""
        if isinstance(row, str):
            self._problems[row, arrived] += 1
            return
        for span in row:
            self._traces.setdefault((span.trace_id, arrived), []).append(span)
        self._count += len(row)

    def is_full(self) -> bool:
        """Return whether it is time to write them."""
        return self._count >= _SPANS

    def taken(self) -> Any:
        """Return all as one batch, and begin anew."""
        rows: list[tuple[str | None, int, int, bytes | None, str | None]] = [
            (encodable(trace_id), arrived, len(spans), packed_spans(spans), None)
            for (trace_id, arrived), spans in self._traces.items()
        ]
        rows += [(None, arrived, number, None, problem) for (problem, arrived), number in self._problems.items()]
        self._traces, self._count = {}, 0
        self._problems.clear()
        pa = self._pa
        kinds = {
            "trace_id": pa.string(),
            "arrived": pa.int64(),
            "number": pa.int64(),
            "spans": pa.binary(),
            "problem": pa.string(),
        }
        columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
        arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds.values(), strict=True)]
        return pa.RecordBatch.from_arrays(arrays, names=list(kinds))
