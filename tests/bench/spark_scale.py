"""
Measures the analysis of many spans on a small Spark cluster of this machine, beside that of one process.

    python tests/bench/spark_scale.py [--spans 1000000] [--large 100000] [--heap 1024] [--alone]

It generates a Parquet file of so many spans in the Collector's ClickHouse layout: traces of 20 spans with one turn,
and one trace of ``--large`` spans. One process and Spark analyse it and write their tables; the tables must be equal.
``--alone`` leaves the one process out, for sizes that would take it long. ``--heap`` is that of an executor, in MB.

Columns: seconds by the clock, spans per second, and the peak memory in MB, of the executors with their Python workers
together, of these Python workers alone, and of the driver. Memory that processes share is divided among them, as Linux
tells it (``Pss``). It needs Java and the extra ``spark``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pyarrow as pa
from pyarrow import compute, parquet

sys.path.insert(0, str(Path(__file__).parents[2]))

from otel_parallelism.fleet.parquet_tables import ParquetTables
from otel_parallelism.model import SpanRecord
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.scale.file_analysis import HowToAnalyze, analyze_in_one_process
from otel_parallelism.settings import Settings
from tests.bench.throughput import MS, ordinary, single
from tests.readers.written_formats import clickhouse_parquet

if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPLATES: Final = 240
SPANS_A_TRACE: Final = 20
DAY_NS: Final = 86_400_000_000_000
PLAIN: Final = {"http.request.method": "GET", "server.address": "example.com", "http.response.status_code": 200}


def templates() -> Any:
    """Return the table of some traces: turns without content, whose first call makes many requests."""
    spans: list[SpanRecord] = []
    for number, trace in enumerate(ordinary(TEMPLATES, content=False)):
        first = trace[-1]
        requests = [
            SpanRecord(first.trace_id, f"{number + 1:08x}{at:08x}", first.span_id, "GET", start, start + MS, PLAIN)
            for at in range(SPANS_A_TRACE - len(trace))
            for start in (first.start_ns + at * MS,)
        ]
        spans += [*trace, *requests]
    return _table(spans)


def _table(spans: list[SpanRecord]) -> Any:
    table = parquet.read_table(pa.BufferReader(clickhouse_parquet(spans)))
    trace_ids = table.column("TraceId").cast(pa.string())
    return table.set_column(table.column_names.index("TraceId"), "TraceId", trace_ids)


def write_spans(path: Path, spans: int, large: int) -> int:
    """Write about so many *spans*, each copy of the templates with ids and times of its own; return how many."""
    table, count = templates(), 0
    at_id, at_time = (table.column_names.index(name) for name in ("TraceId", "Timestamp"))
    time_kind = table.schema.field("Timestamp").type
    with parquet.ParquetWriter(path, table.schema) as writer:
        for some in single("flat", large) if large else ():
            writer.write_table(_table(some))
            count += len(some)
        copy = 0
        while count < spans:
            ends = compute.utf8_slice_codeunits(table.column("TraceId"), 8)
            ids = compute.binary_join_element_wise(pa.scalar(f"{copy:08x}"), ends, "")
            times = compute.add(table.column("Timestamp").cast(pa.int64()), copy * 31 * DAY_NS // 1000)
            copied = table.set_column(at_id, "TraceId", ids).set_column(at_time, "Timestamp", times.cast(time_kind))
            writer.write_table(copied)
            count += copied.num_rows
            copy += 1
    return count


class PeakMemory:
    """Looks once a second how much memory the processes below this one hold."""

    def __init__(self) -> None:
        self.executors_mb = self.workers_mb = self.driver_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            now = {"executor": 0.0, "worker": 0.0, "driver": 0.0}
            for kind, mb in _descendants(os.getpid()):
                now[kind] += mb
            self.executors_mb = max(self.executors_mb, now["executor"] + now["worker"])
            self.workers_mb = max(self.workers_mb, now["worker"])
            self.driver_mb = max(self.driver_mb, now["driver"])


def _descendants(root: int) -> list[tuple[str, float]]:
    """Return what each process below *root* is, and its memory; a worker is a Python process of an executor."""
    processes: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            continue
        processes[int(folder.name)] = parent, command

    def kind_of(pid: int) -> str:
        kind = ""
        while pid in processes and pid != root:
            parent, command = processes[pid]
            if "CoarseGrainedExecutorBackend" in command:
                return "worker" if kind else "executor"
            kind = "driver"
            pid = parent
        return kind if pid == root else ""

    kinds = {pid: kind_of(pid) for pid in processes if pid != root}
    return [(kind, _memory_mb(pid)) for pid, kind in kinds.items() if kind]


def _memory_mb(pid: int) -> float:
    """Return the memory of a process in MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def in_one_process(path: Path, out: Path) -> None:
    """Write the tables of one process."""
    settings = Settings()
    with ParquetTables(str(out / "turns.parquet")) as tables:
        for report in analyze_in_one_process(read_spans(path, settings=settings), HowToAnalyze(settings)).reports:
            tables.add(report)


def measured(command: Sequence[str], heap_mb: int = 1024) -> tuple[float, PeakMemory]:
    """Run *command*, with executors of so large a heap; return its seconds by the clock, and its memory."""
    memory, began = PeakMemory(), time.perf_counter()
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    environment["PYSPARK_SUBMIT_ARGS"] = f"--conf spark.executor.memory={heap_mb}m pyspark-shell"
    with tempfile.TemporaryDirectory() as folder:  # Spark leaves folders of its cluster where it runs
        done = subprocess.run(command, check=False, env=environment | {"SPARK_WORKER_DIR": folder}, capture_output=True)  # noqa: S603 - ours
    memory.stop()
    assert done.returncode == 0, done.stderr.decode()[-4_000:]
    return time.perf_counter() - began, memory


def rows_in(path: Path) -> list[str]:
    """Return the rows of a table in any order, with instants in microseconds."""
    table = parquet.read_table(path)
    start = table.column("start").cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    table = table.set_column(table.column_names.index("start"), "start", start)
    return sorted(map(repr, map(msgspec.json.encode, table.to_pylist())))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--master", default="local-cluster[2,1,1024]")
    parser.add_argument("--heap", type=int, default=1024)
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        in_one_process(*options.one)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "spans.parquet"
        count = write_spans(path, options.spans, options.large)
        print(f"{count:,} spans, {path.stat().st_size / 2**20:,.0f} MB", flush=True)
        print(f"{'':16}{'s':>8}{'spans/s':>10}{'executors MB':>14}{'workers MB':>12}{'driver MB':>11}")
        if not options.alone:
            seconds, memory = measured([sys.executable, __file__, "--one", str(path), str(folder)])
            print(
                f"{'one process':16}{seconds:8.0f}{count / seconds:10,.0f}{'':26}{memory.driver_mb:11,.0f}", flush=True
            )
        command = [sys.executable, "-m", "otel_parallelism.scale.spark", str(path), "--out", str(folder / "out")]
        command += ["--master", options.master, "--partitions", str(options.partitions)]
        seconds, memory = measured(command, options.heap)
        row = (
            f"{'Spark':16}{seconds:8.0f}{count / seconds:10,.0f}{memory.executors_mb:14,.0f}{memory.workers_mb:12,.0f}"
        )
        print(f"{row}{memory.driver_mb:11,.0f}", flush=True)
        for one, table in (("turns.parquet", "turns"), ("turns-findings.parquet", "findings")):
            rows = parquet.read_table(folder / "out" / table).num_rows
            if options.alone:
                print(f"{rows:,} {table}")
            else:
                equal = rows_in(folder / one) == rows_in(folder / "out" / table)
                print(f"{rows:,} {table}: {'equal' if equal else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
