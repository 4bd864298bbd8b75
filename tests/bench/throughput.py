"""
Measures how fast stored spans are analysed, and with how much memory, beside reading them alone.

    python tests/bench/throughput.py [--turns 2000] [--large 20000] [--jobs 2] [--formats json protobuf parquet]

It generates files of ordinary turns with and without content, and of three single traces: flat (one turn around a model
request, a call and many other spans), deep (the same spans, each inside the one before), and calls (one turn of many
calls). ``--turns`` is the number of ordinary turns, of 6.5 spans each; ``--large`` the spans of a single trace. Every
measurement runs in a process of its own; with several jobs, the memory is that of the largest process. Nothing is
asserted: times depend on the machine, and ratios hold within one run. ``--turns 15000 --large 100000`` has about
100,000 spans a file.

Columns: the spans; spans per second of a processor when they are only read, and by ``analyze`` in one process; its
memory; spans per second by the clock in one process, and in several, with their start; how much faster these are. Other
work on the machine slows what is measured by the clock.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from otel_parallelism.model import SpanRecord
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.scale.file_analysis import HowToAnalyze, analyze_in_one_process, analyze_in_processes
from otel_parallelism.settings import Settings
from tests.fleet.month import month
from tests.readers.written_formats import ClickhouseWriter, otlp_line, protobuf_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TURNS: Final = 2_000
LARGE: Final = 20_000
TOGETHER: Final = 1_000
"""The spans of a line of JSON, of a message of protobuf, and of a group of rows."""
MS: Final = 1_000_000
CONTENT: Final = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
)
FORMATS: Final = ("json", "protobuf", "parquet")


def ordinary(turns: int, *, content: bool) -> Iterator[list[SpanRecord]]:
    """Yield the spans of each of so many turns."""
    for spans in month(turns):
        if content:
            yield spans
        else:
            yield [msgspec.structs.replace(span, attributes=_without_content(span)) for span in spans]


def _without_content(span: SpanRecord) -> dict[str, object]:
    return {key: value for key, value in span.attributes.items() if key not in CONTENT}


def single(kind: str, count: int) -> Iterator[list[SpanRecord]]:
    """Yield the one trace of *kind* with *count* spans, a part at a time."""
    trace, agent = "ab" * 16, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bench"}
    call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_page"}
    plain = {"http.request.method": "GET", "server.address": "example.com", "http.response.status_code": 200}
    some = [SpanRecord(trace, f"{1:016x}", "", "invoke_agent bench", MS, (2 * count + 9) * MS, agent)]
    for number in range(2, count + 1):
        parent = number - 1 if kind == "deep" else 1
        start = number * MS
        end = (2 * count - number) * MS if kind == "deep" else start + MS
        is_call = kind == "calls" or number == count
        described = call if is_call else plain
        name = "execute_tool get_page" if is_call else "GET"
        some.append(SpanRecord(trace, f"{number:016x}", f"{parent:016x}", name, start, end, described))
        if len(some) >= TOGETHER:
            yield some
            some = []
    yield some


def inputs(turns: int, large: int) -> dict[str, Callable[[], Iterator[list[SpanRecord]]]]:
    """Return what makes the spans of each input, by its name."""
    return {
        "turns with content": lambda: ordinary(turns, content=True),
        "turns without content": lambda: ordinary(turns, content=False),
        **{f"one trace, {kind}": functools.partial(single, kind, large) for kind in ("flat", "deep", "calls")},
    }


def written(path: Path, form: str, traces: Iterator[list[SpanRecord]]) -> int:
    """Write spans to *path*, about ``TOGETHER`` at a time; return how many."""
    count = 0
    add: Callable[[list[SpanRecord]], object]
    with contextlib.ExitStack() as stack:
        if form == "parquet":
            table = stack.enter_context(ClickhouseWriter(path))
            add = table.add
        else:
            file = stack.enter_context(path.open("wb"))
            write = otlp_line if form == "json" else protobuf_message
            add = lambda spans: file.write(write(spans))  # noqa: E731 - one of three
        some: list[SpanRecord] = []
        for spans in traces:
            some += spans
            count += len(spans)
            if len(some) >= TOGETHER:
                add(some)
                some = []
        if some:
            add(some)
    return count


def measure(what: str, path: str) -> None:
    """Read the file at *path*, or analyse it in so many processes as *what* says, and print the seconds."""
    settings = Settings()
    began, before = time.perf_counter(), time.process_time()
    if what == "parse":
        for _ in read_spans(path, settings=settings):
            pass
    elif what == "1":
        analyze_in_one_process(read_spans(path, settings=settings), HowToAnalyze(settings))
    else:
        analyze_in_processes([path], HowToAnalyze(settings), int(what), lambda _: None, lambda _: None)
    seconds = time.perf_counter() - began
    print(seconds, time.process_time() - before)


class Measurement(NamedTuple):
    """Seconds by the clock, seconds of a processor in the first process, and MB of memory of the largest process."""

    clock_s: float
    processor_s: float
    memory_mb: float


def measured(what: str, path: Path) -> Measurement:
    """Return what *what* takes in a new process."""
    command = [sys.executable, __file__, "--measure", what, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - this program
    assert process.stdout is not None
    with process.stdout as out:
        numbers = out.read().split() or (b"nan", b"nan")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return Measurement(float(numbers[0]), float(numbers[1]), usage.ru_maxrss / 1024)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--large", type=int, default=LARGE)
    parser.add_argument("--jobs", nargs="*", default=["2"])
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        measure(*options.measure)
        return
    head = f"{'':24}{'':9}{'spans':>9}{'parse':>10}{'analyze':>10}{'MB':>6}{'by clock':>10}"
    print(head + "".join(f"{f'{jobs} jobs':>10}{'MB':>6}{'faster':>8}" for jobs in options.jobs))
    with tempfile.TemporaryDirectory() as folder:
        for name, traces in inputs(options.turns, options.large).items():
            for form in options.formats:
                path = Path(folder, form)
                count = written(path, form, traces())
                one = measured("1", path)
                row = f"{name:24}{form:9}{count:9,}{count / measured('parse', path).processor_s:10,.0f}"
                row += f"{count / one.processor_s:10,.0f}{one.memory_mb:6.0f}{count / one.clock_s:10,.0f}"
                for jobs in options.jobs:
                    more = measured(jobs, path)
                    row += f"{count / more.clock_s:10,.0f}{more.memory_mb:6.0f}{one.clock_s / more.clock_s:7.2f}x"
                print(row, flush=True)


if __name__ == "__main__":
    main()
