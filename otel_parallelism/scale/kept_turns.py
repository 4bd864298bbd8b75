"""
Joins the analysis of any number of traces in bounded memory.

The results of up to a number of turns stay in memory. Beyond it all go to temporary files, which have no name, so that
they vanish with the process; they hold what a report holds, and so no contents of calls.
"""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from array import array
from collections.abc import Sequence
from itertools import chain, groupby
from typing import IO, TYPE_CHECKING, Final, TypeVar, overload

from otel_parallelism.analysis.analyze import AnalysisPart, TurnResult, join_parts, joined_reports, order_of
from otel_parallelism.analysis.turns.normalization import joined_coverage
from otel_parallelism.model import Analysis, Report

from .packing import Packing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_parallelism.model import Coverage

Value = TypeVar("Value")

_COVERAGES_AT_ONCE: Final = 1_000


def join_many(parts: Iterable[AnalysisPart], *, most_in_memory: int) -> Analysis:
    """
    Return what `join_parts` returns for the *parts* of an input.

    Args:
        parts: The analysis of some traces each, in any order.
        most_in_memory: The reports of more turns are read from a file each time one is asked for.
    """
    rest = iter(parts)
    held: list[AnalysisPart] = []
    turns = 0
    for part in rest:
        held.append(part)
        turns += len(part.results)
        if turns > most_in_memory:
            return _join_in_files(chain(_taken(held), rest))
    return join_parts(held)


def _taken(parts: list[AnalysisPart]) -> Iterator[AnalysisPart]:
    """Yield *parts*, and hold none that has been yielded."""
    parts.reverse()
    while parts:
        yield parts.pop()


def _join_in_files(parts: Iterable[AnalysisPart]) -> Analysis:
    results = StoredValues(Packing[TurnResult](TurnResult))
    starts: list[int] = []
    coverages: list[Coverage] = []
    for part in parts:
        for result in part.results:
            starts.append(order_of(result)[0])
            results.append(result)
        coverages.append(part.coverage)
        if len(coverages) >= _COVERAGES_AT_ONCE:
            coverages = [joined_coverage(coverages, 0)]
    reports = StoredValues(Packing[Report](Report))
    for report in joined_reports(_in_order(results, starts)):
        reports.append(report)
    return Analysis(reports, joined_coverage(coverages, len(reports)))


def _in_order(results: StoredValues[TurnResult], starts: Sequence[int]) -> Iterator[TurnResult]:
    """Yield *results*, which have these *starts*, in the order of an input."""
    numbers = sorted(range(len(starts)), key=starts.__getitem__)
    for _, together in groupby(numbers, starts.__getitem__):
        same = list(together)
        if len(same) > 1:
            same.sort(key=lambda number: order_of(results[number]))
        for number in same:
            yield results[number]


class StoredValues(Sequence[Value]):
    """
    Values in a temporary file, which lasts as long as this object; each value is read anew when it is asked for.

    Args:
        packing: How a value becomes bytes.
    """

    def __init__(self, packing: Packing[Value]) -> None:
        """Begin without values."""
        self._packing = packing
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="otel-parallelism-")  # noqa: SIM115 - closed by the next line
        weakref.finalize(self, _close, self._file)
        self._ends = array("q", [0])

    def append(self, value: Value) -> None:
        """Add *value* at the end. No value has been read yet."""
        data = self._packing.pack(value)
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> Value: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Value]: ...

    def __getitem__(self, at: int | slice) -> Value | Sequence[Value]:
        """Return the value at the place *at*, or those of a slice, which are then all in memory."""
        places = range(len(self))[at]
        return self._read(places) if isinstance(places, int) else tuple(map(self._read, places))

    def _read(self, place: int) -> Value:
        start, end = self._ends[place : place + 2]
        self._file.seek(start)
        return self._packing.unpack(self._file.read(end - start))


def _close(file: IO[bytes]) -> None:
    """Close *file*. What could not be written on a full disk has been told by `StoredValues.append`."""
    with contextlib.suppress(OSError):
        file.close()
