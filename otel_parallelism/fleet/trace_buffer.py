"""
Puts the spans of each trace together, however they are scattered over an input, in bounded memory.

Up to a number of spans stay in memory. Further ones go to temporary files, by a hash of their trace, and each file is
read back alone. The files have no name, so that they vanish with the process; they hold what the input holds.
"""

from __future__ import annotations

import pickle
import tempfile
import zlib
from typing import IO, TYPE_CHECKING, Final

from otel_parallelism.names import CONVERSATION_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_parallelism.model import SpanRecord

MOST_IN_MEMORY: Final = 50_000
FILES: Final = 32
_MOST_DEPTH: Final = 4
_TOGETHER: Final = 200
"""Spans that are written at once."""
_BATCH: Final = 1_000
"""Spans that are analysed at once."""


def traces_of(
    spans: Iterable[SpanRecord], *, most_in_memory: int = MOST_IN_MEMORY, depth: int = 0
) -> Iterator[list[SpanRecord]]:
    """
    Yield the spans of each trace, once, in the order in which they came.

    Traces that may belong together, by links or conversations, come as one, unless there are too many spans.

    Args:
        spans: Spans of any traces, in any order.
        most_in_memory: More spans go to temporary files, except those of one very large trace.
        depth: How often these spans have been divided among files already.
    """
    traces: dict[str, list[SpanRecord]] = {}
    files: list[_SpanFile] = []
    kept = 0
    try:
        for span in spans:
            if files:
                files[_place(span.trace_id, depth)].add(span)
                continue
            traces.setdefault(span.trace_id, []).append(span)
            kept += 1
            if kept > most_in_memory and depth < _MOST_DEPTH:
                files = [_SpanFile() for _ in range(FILES)]
                for trace_id, held in traces.items():
                    file = files[_place(trace_id, depth)]
                    for one in held:
                        file.add(one)
                traces.clear()
        if depth == 0:
            yield from _related_traces(traces)
        while traces:
            yield traces.pop(next(iter(traces)))
        for file in files:
            yield from traces_of(file.spans(), most_in_memory=most_in_memory, depth=depth + 1)
            file.close()
    finally:
        for file in files:
            file.close()


def batches_of(traces: Iterable[list[SpanRecord]]) -> Iterator[list[list[SpanRecord]]]:
    """
    Yield *traces*, several small ones at a time: to analyse them together, pass by pass, takes less time.

    Each pass then runs for many spans in a row, and its code stays in the processor's caches. A trace with spans that
    may belong to a turn of another trace comes alone, so that the result does not depend on what it is beside.
    """
    batch: list[list[SpanRecord]] = []
    spans = 0
    for trace in traces:
        if any(map(may_belong_elsewhere, trace)):
            yield [trace]
            continue
        batch.append(trace)
        spans += len(trace)
        if spans >= _BATCH:
            yield batch
            batch, spans = [], 0
    if batch:
        yield batch


def may_belong_elsewhere(span: SpanRecord) -> bool:
    """Return whether *span* has links or the id of a conversation, which may lead to a turn of another trace."""
    return bool(span.links) or CONVERSATION_ID in span.attributes


def _related_traces(traces: dict[str, list[SpanRecord]]) -> Iterator[list[SpanRecord]]:
    """Take those of *traces* that may belong together, and yield their spans as one list, if there are any."""
    related = {trace_id for trace_id, spans in traces.items() if any(map(may_belong_elsewhere, spans))}
    linked = {link for trace_id in related for span in traces[trace_id] for link in span.links}
    if linked:
        related |= {
            trace_id for trace_id, spans in traces.items() if not linked.isdisjoint(span.span_id for span in spans)
        }
    if related:
        yield [span for trace_id in [one for one in traces if one in related] for span in traces.pop(trace_id)]


def _place(trace_id: str, depth: int) -> int:
    return zlib.crc32(f"{depth} {trace_id}".encode("utf-8", "replace")) % FILES


class _SpanFile:
    """Spans in a temporary file without a name."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="otel-parallelism-")  # noqa: SIM115 - closed by `close`
        self._waiting: list[SpanRecord] = []

    def add(self, span: SpanRecord) -> None:
        self._waiting.append(span)
        if len(self._waiting) >= _TOGETHER:
            self._write()

    def spans(self) -> Iterator[SpanRecord]:
        self._write()
        self._file.seek(0)
        while True:
            try:
                yield from pickle.load(self._file)  # noqa: S301 - this process wrote it, and no other can
            except EOFError:
                return

    def close(self) -> None:
        self._file.close()

    def _write(self) -> None:
        if self._waiting:
            pickle.dump(self._waiting, self._file, pickle.HIGHEST_PROTOCOL)
            self._waiting = []
