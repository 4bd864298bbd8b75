"""
Writes turns and their findings as two Parquet files, for notebooks: a row a turn, and a row a finding.

The rows have no arguments and no results of calls. They are written in batches, so that few are in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from otel_parallelism.errors import ParallelismError
from otel_parallelism.shown_names import encodable

from .turn_numbers import numbers_of

if TYPE_CHECKING:
    from types import TracebackType

    from otel_parallelism.model import Report

_BATCH: Final = 5_000
_SUFFIX: Final = ".parquet"
_FLOATS: Final = (
    *("duration", "work", "makespan", "busy", "ratio", "efficiency", "efficiency_floor", "achievable_ratio"),
    *("effective_ratio", "coverage", "calls_per_response", "lost", "perhaps"),
)
_WHOLES: Final = (
    *("calls", "peak_concurrency", "responses", "responses_with_several", "findings", "chains", "avoidable_steps"),
    *("avoidable_tokens", "avoidable_cached_tokens", "input_tokens"),
)


class MissingPyarrowError(ParallelismError, ImportError):
    """Parquet was asked for and the package `pyarrow` is not installed; the message says how to install it."""


class ParquetTables:
    """
    Two Parquet files: ``NAME.parquet`` has a row for each turn, ``NAME-findings.parquet`` one for each finding.

    Raises:
        MissingPyarrowError: The package `pyarrow` is not installed.
        OSError: A file cannot be written.
    """

    def __init__(self, path: str) -> None:
        """Open both files."""
        try:
            import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional dependency
            from pyarrow import parquet  # noqa: PLC0415 - as above
        except ImportError:
            message = "Parquet needs pyarrow: pip install 'otel-parallelism[parquet]'"
            raise MissingPyarrowError(message) from None
        self._pa = pa
        self._turns_schema, self._findings_schema = table_schemas(pa)
        self._turns: list[dict[str, Any]] = []
        self._findings: list[dict[str, Any]] = []
        self._turn_file = parquet.ParquetWriter(path, self._turns_schema)
        try:
            self._finding_file = parquet.ParquetWriter(self.findings_path(path), self._findings_schema)
        except OSError:
            self._turn_file.close()
            raise

    @staticmethod
    def findings_path(path: str) -> str:
        """
        Return the name of the file with the findings.

        >>> ParquetTables.findings_path("turns.parquet")
        'turns-findings.parquet'
        """
        stem = path[: -len(_SUFFIX)] if path.lower().endswith(_SUFFIX) else path
        return f"{stem}-findings{_SUFFIX}"

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what is left, and close both files."""
        try:
            self._write()
        finally:
            self._turn_file.close()
            self._finding_file.close()

    def add(self, report: Report) -> None:
        """Add the turn of *report* and its findings."""
        turn, findings = table_rows(report)
        self._turns.append(turn)
        self._findings += findings
        if len(self._turns) >= _BATCH or len(self._findings) >= _BATCH:
            self._write()

    def _write(self) -> None:
        for rows, file, schema in (
            (self._turns, self._turn_file, self._turns_schema),
            (self._findings, self._finding_file, self._findings_schema),
        ):
            if rows:
                file.write_table(self._pa.Table.from_pylist(rows, schema=schema))
                rows.clear()


def table_schemas(pa: Any, unit: str = "ns") -> tuple[Any, Any]:
    """Return the Arrow schemas of turns and of findings, made with the module *pa*; *unit* is that of instants."""
    text, instant = pa.string(), pa.timestamp(unit, tz="UTC")
    turns = pa.schema(
        [
            *((name, text) for name in ("trace_id", "span_id", "name", "agent", "day")),
            ("start", instant),
            *((name, pa.float64()) for name in _FLOATS),
            *((name, pa.int64()) for name in _WHOLES),
            *((name, text) for name in ("verdict", "cause", "recommendation")),
        ]
    )
    findings = pa.schema(
        [
            *((name, text) for name in ("trace_id", "span_id", "agent", "day")),
            ("start", instant),
            *((name, text) for name in ("kind", "cause", "advice")),
            ("calls", pa.list_(text)),
            *((name, text) for name in ("inside", "file_path")),
            ("line_number", pa.int64()),
            ("avoidable", pa.float64()),
            ("avoidable_tokens", pa.int64()),
            ("recommendation", text),
            ("evidence", pa.list_(text)),
        ]
    )
    return turns, findings


def table_rows(report: Report) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the row of the turn of *report*, and one for each of its findings; instants are in nanoseconds."""
    facts, turn = numbers_of(report), report.turn
    shared = {
        "trace_id": encodable(turn.trace_id),
        "span_id": encodable(turn.span_id),
        "agent": encodable(facts.agent),
        "day": facts.day,
        "start": turn.start_ns if 0 <= turn.start_ns < 1 << 63 else None,
    }
    row = {
        **shared,
        "name": encodable(turn.name),
        "duration": facts.duration_ns / 1e9,
        "work": report.work,
        "makespan": report.makespan,
        "busy": report.busy,
        "ratio": report.ratio,
        "efficiency": report.efficiency,
        "efficiency_floor": report.efficiency_floor,
        "achievable_ratio": report.achievable_ratio,
        "effective_ratio": report.effective_ratio,
        "coverage": report.coverage,
        "calls_per_response": report.calls_per_step,
        "lost": facts.whole.lost_ns / 1e9,
        "perhaps": facts.whole.perhaps_ns / 1e9,
        "calls": report.calls,
        "peak_concurrency": report.peak_concurrency,
        "responses": facts.responses,
        "responses_with_several": facts.several,
        "findings": facts.whole.findings,
        "chains": report.chains,
        "avoidable_steps": report.avoidable_steps,
        "avoidable_tokens": report.avoidable_tokens,
        "avoidable_cached_tokens": report.avoidable_cached_tokens,
        "input_tokens": facts.input_tokens,
        "verdict": report.verdict,
        "cause": report.cause,
        "recommendation": encodable(report.recommendation) or None,
    }
    rows = []
    for each in facts.findings:
        finding, location = each.finding, each.finding.location
        rows.append(
            {
                **shared,
                "kind": finding.kind,
                "cause": finding.cause,
                "advice": finding.advice,
                "calls": [encodable(tool) for tool in finding.calls],
                "inside": encodable(each.around) or None,
                "file_path": None if location is None else encodable(location.file_path),
                "line_number": None if location is None else location.line_number,
                "avoidable": finding.avoidable,
                "avoidable_tokens": each.tokens,
                "recommendation": encodable(finding.recommendation) or None,
                "evidence": [encodable(sentence) for sentence in finding.evidence],
            }
        )
    return row, rows
