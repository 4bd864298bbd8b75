"""Analyses traces inside a Spark executor, one after another, and returns rows of turns with their findings."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.analysis.analyze import TurnResult, joined_report, pairs_mentioned
from otel_parallelism.analysis.dependencies.experience import Experience
from otel_parallelism.analysis.turns.normalization import joined_coverage
from otel_parallelism.fleet.parquet_tables import table_rows, table_schemas
from otel_parallelism.fleet.trace_buffer import batches_of
from otel_parallelism.model import Coverage
from otel_parallelism.scale.span_file import unpacked_spans
from otel_parallelism.shown_names import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_parallelism.model import SpanRecord
    from otel_parallelism.scale.file_analysis import HowToAnalyze

_ROWS: Final = 500
"""Rows that are written at once, and coverages that are joined at once."""
_ZERO_NS: Final = 1 << 95
_PAIR: Final = "\x1f"


class TaskCounts(msgspec.Struct, frozen=True):
    """What one task has read: its ``coverage``, the number of its ``turns``, and how many rows have which problem."""

    coverage: Coverage
    turns: int
    problems: dict[str, int]


def analysed_schema(pa: Any) -> Any:
    """
    Return the Arrow schema of analysed turns, made with the module *pa*.

    ``place`` sorts the turns as a report does, ``overlapping`` are the pairs of tools that ran at the same time, and
    ``pairs`` of a finding are those whose overlapping in earlier turns it mentions. The last row of each task has only
    ``counts``, which are `TaskCounts` in MessagePack.
    """
    turn, finding = (pa.struct(list(schema)) for schema in table_schemas(pa, "us"))
    texts = pa.list_(pa.string())
    found = pa.struct([("pairs", texts), ("row", finding)])
    return pa.schema(
        [
            ("place", pa.string()),
            ("turn", turn),
            ("found", pa.list_(found)),
            ("overlapping", texts),
            ("counts", pa.binary()),
        ]
    )


def analysed_batches(batches: Iterable[Any], how: HowToAnalyze) -> Iterator[Any]:
    """
    Yield batches of analysed turns.

    Args:
        batches: Arrow batches of packed spans, in which the rows of one trace follow one another. At most a few small
            traces or a large one, and one batch, are in memory.
        how: How traces are analysed.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    schema = analysed_schema(pa)
    analyze_traces = how.part_analyzer()
    rows: list[dict[str, Any]] = []
    coverages: list[Coverage] = []
    problems: Counter[str] = Counter()
    turns = 0
    for traces in batches_of(_traces(batches, problems)):
        part = analyze_traces(chain.from_iterable(traces))
        rows += map(_turn_row, part.results)
        coverages.append(part.coverage)
        if len(coverages) >= _ROWS:
            coverages = [joined_coverage(coverages, 0)]
        turns += len(part.results)
        if len(rows) >= _ROWS:
            yield pa.RecordBatch.from_pylist(rows, schema=schema)
            rows.clear()
    counts = TaskCounts(joined_coverage(coverages, 0), turns, dict(problems))
    rows.append({"counts": msgspec.msgpack.encode(counts)})
    yield pa.RecordBatch.from_pylist(rows, schema=schema)


def _traces(batches: Iterable[Any], problems: Counter[str]) -> Iterator[list[SpanRecord]]:
    """Yield the spans of each trace, and count rows with problems."""
    spans: list[SpanRecord] = []
    current: str | None = None
    for batch in batches:
        columns = (batch.column(name).to_pylist() for name in ("trace_id", "spans", "number", "problem"))
        for trace_id, packed, number, problem in zip(*columns, strict=True):
            if trace_id is None:
                problems[problem] += number
                continue
            if trace_id != current and spans:
                yield spans
                spans = []
            current = trace_id
            spans += unpacked_spans(packed)
    if spans:
        yield spans


def _turn_row(result: TurnResult) -> dict[str, Any]:
    report = joined_report(result, Experience())
    turn, findings = table_rows(report)
    shown = [finding for finding in report.findings if finding.advice != "intended"]
    for row in (turn, *findings):
        row["start"] = None if row["start"] is None else row["start"] // 1_000
    return {
        "place": f"{min(report.turn.start_ns, _ZERO_NS) + _ZERO_NS:030d}\n{turn['span_id']}\n{turn['trace_id']}",
        "turn": turn,
        "found": [
            {"pairs": [_pair_text(pair) for pair in pairs_mentioned(result, finding)], "row": row}
            for finding, row in zip(shown, findings, strict=True)
        ],
        "overlapping": [_pair_text(pair) for pair in result.overlapping],
    }


def _pair_text(pair: tuple[str, str]) -> str:
    return encodable(_PAIR.join(pair))
