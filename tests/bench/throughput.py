"""
Measures how fast stored spans are analysed, and with how much memory, beside reading them alone.

    python tests/bench/throughput.py [--turns 2000] [--large 20000] [--jobs 2] [--formats json …] [--inputs NAME …]

It generates files of ordinary turns with and without content, and with an HTTP request inside each call and each model
request; of turns with long content; and of three single traces. In a turn with long content the model asks for six
calls one by one, each of its requests repeats all messages before it, and each call returns ten rows. The traces are
flat (one turn around a model request, a call and many other spans), deep (the same spans, each inside the one before),
and calls (one turn of many calls).

``--turns`` is the number of ordinary turns, of 6.5 spans each; to each 20 of them there is one turn with long content,
of 14 spans. ``--large`` is the number of spans of a single trace. Every measurement runs in a process of its own; with
several jobs, the memory is that of the largest process. Nothing is asserted: times depend on the machine, and ratios
hold within one run. ``--turns 15000 --large 100000`` has about 100,000 spans a file. ``--inputs`` leaves out others.

Columns: the spans; spans per second of a processor when they are only read, and by ``analyze`` in one process; its
memory; spans per second by the clock in one process, and in several, with their start; how much faster these are. Other
work on the machine slows what is measured by the clock.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
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
_HTTP: Final = {"http.request.method": "GET", "server.address": "example.com", "http.response.status_code": 200}
FORMATS: Final = ("json", "protobuf", "parquet")
_START_MS: Final = 1_764_000_000_000
_TOOLS: Final = ("get_orders", "get_profile", "get_tickets", "get_payments", "get_shipments", "get_reviews")
_NOUNS: Final = ("order", "parcel", "invoice", "refund", "contract", "delivery", "account", "warehouse", "voucher")
_PROMPT: Final = " ".join(
    f"Our {noun} desk number {number} answers within {number} hours, and keeps its notes on {noun}s short and friendly."
    for number in range(1, 9)
    for noun in _NOUNS
)


def ordinary(turns: int, *, content: bool) -> Iterator[list[SpanRecord]]:
    """Yield the spans of each of so many turns."""
    for spans in month(turns):
        if content:
            yield spans
        else:
            yield [msgspec.structs.replace(span, attributes=_without_content(span)) for span in spans]


def with_requests(turns: int) -> Iterator[list[SpanRecord]]:
    """Yield ordinary turns with a request of an HTTP client inside each call and each model request."""
    for spans in ordinary(turns, content=True):
        inner = [_http_request(span) for span in spans if span.parent_id]
        yield [*spans, *inner]


def _http_request(span: SpanRecord) -> SpanRecord:
    inner_id = f"{int(span.span_id, 16) ^ 1:016x}"
    start, end = span.start_ns + MS, span.end_ns - MS
    return SpanRecord(span.trace_id, inner_id, span.span_id, "GET", start, end, _HTTP, source=span.source)


def _without_content(span: SpanRecord) -> dict[str, object]:
    return {key: value for key, value in span.attributes.items() if key not in CONTENT}


def long_contents(turns: int, *, handed_on: bool) -> Iterator[list[SpanRecord]]:
    """Yield the spans of so many turns with long content; in each, calls are independent, or *handed_on* a value."""
    random = Random(1)  # noqa: S311 - a sample, no secret
    for number in range(turns):
        trace, root, at = f"{number + 1:032x}", f"{number * 100 + 1:016x}", (_START_MS + number * 60_000) * MS
        made: list[SpanRecord] = []
        for name, took_ms, described in _long_turn(random, number, handed_on=handed_on):
            span_id = f"{number * 100 + len(made) + 2:016x}"
            attributes = {"gen_ai.operation.name": name.partition(" ")[0], **described}
            made.append(SpanRecord(trace, span_id, root, name, at, at + took_ms * MS, attributes))
            at += took_ms * MS
        agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bench"}
        yield [SpanRecord(trace, root, "", "invoke_agent bench", made[0].start_ns, at, agent), *made]


def _long_turn(random: Random, number: int, *, handed_on: bool) -> Iterator[tuple[str, int, dict[str, object]]]:
    """Yield the name, the milliseconds and the attributes of each span of a turn with long content."""
    given, answered, arguments_key, result_key = CONTENT
    customers = random.sample(range(10**6, 10**7), len(_TOOLS))
    asked = f"Compare the customers {', '.join(map(str, customers))}."
    messages: list[object] = [_message("system", _PROMPT), _message("user", asked)]
    found = ""
    for index, (tool, customer) in enumerate(zip(_TOOLS, customers, strict=True)):
        arguments = {"order": found} if handed_on and found else {"customer": customer}
        call_id = f"call-{number}-{index}"
        call: dict[str, object] = {"type": "tool_call", "id": call_id, "name": tool, "arguments": arguments}
        answer: dict[str, object] = {"role": "assistant", "parts": [call]}
        yield "chat", 300, {given: json.dumps(messages), answered: json.dumps([answer])}
        rows = [_row(random) for _ in range(10)]
        found = str(rows[0]["id"])
        about: dict[str, object] = {"gen_ai.tool.name": tool, "gen_ai.tool.call.id": call_id}
        contents = {arguments_key: json.dumps(arguments), result_key: json.dumps({"rows": rows})}
        yield f"execute_tool {tool}", 400, {**about, **contents}
        returned = {"type": "tool_call_response", "id": call_id, "response": {"rows": rows}}
        messages += [answer, {"role": "tool", "parts": [returned]}]
    yield "chat", 300, {given: json.dumps(messages), answered: json.dumps([_message("assistant", "Done.")])}


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _row(random: Random) -> dict[str, object]:
    return {
        "id": f"ORD-{random.randrange(10**6, 10**7)}",
        "customer": f"cust_{random.randrange(10**5)}",
        "total": round(random.random() * 1000, 2),
        "status": random.choice(_NOUNS),
        "note": " ".join(random.choices(_NOUNS, k=8)),
        "date": f"2026-0{random.randint(1, 9)}-1{random.randint(0, 9)}",
    }


def single(kind: str, count: int) -> Iterator[list[SpanRecord]]:
    """Yield the one trace of *kind* with *count* spans, a part at a time."""
    trace, agent = "ab" * 16, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bench"}
    call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_page"}
    # ClickHouse's layout leaves the unit of a time open, so that times near 1970 are read as seconds.
    first = _START_MS * MS
    some = [SpanRecord(trace, f"{1:016x}", "", "invoke_agent bench", first, first + 2 * count * MS, agent)]
    for number in range(2, count + 1):
        parent = number - 1 if kind == "deep" else 1
        start = first + number * MS
        end = first + (2 * count - number) * MS if kind == "deep" else start + MS
        is_call = kind == "calls" or number == count
        described = call if is_call else _HTTP
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
        "turns with requests": lambda: with_requests(turns),
        "long content": lambda: long_contents(max(1, turns // 20), handed_on=False),
        "long content, handed on": lambda: long_contents(max(1, turns // 20), handed_on=True),
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


def write_input(name: str, path: Path, form: str, turns: int, large: int) -> int:
    """Write the input called *name*; return how many spans it has."""
    return written(path, form, inputs(turns, large)[name]())


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
    parser.add_argument("--inputs", nargs="+", choices=inputs(0, 0), default=list(inputs(0, 0)))
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        measure(*options.measure)
        return
    head = f"{'':24}{'':9}{'spans':>9}{'parse':>10}{'analyze':>10}{'MB':>6}{'by clock':>10}"
    print(head + "".join(f"{f'{jobs} jobs':>10}{'MB':>6}{'faster':>8}" for jobs in options.jobs))
    # What this process held at its peak would count as the memory of those that it starts.
    spawning = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.inputs:
            for form in options.formats:
                path = Path(folder, form)
                with ProcessPoolExecutor(1, mp_context=spawning) as writer:
                    count = writer.submit(write_input, name, path, form, options.turns, options.large).result()
                one = measured("1", path)
                row = f"{name:24}{form:9}{count:9,}{count / measured('parse', path).processor_s:10,.0f}"
                row += f"{count / one.processor_s:10,.0f}{one.memory_mb:6.0f}{count / one.clock_s:10,.0f}"
                for jobs in options.jobs:
                    more = measured(jobs, path)
                    row += f"{count / more.clock_s:10,.0f}{more.memory_mb:6.0f}{one.clock_s / more.clock_s:7.2f}x"
                print(row, flush=True)


if __name__ == "__main__":
    main()
