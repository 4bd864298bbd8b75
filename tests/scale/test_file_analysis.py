"""Analysis in one process and in several: the same report for any number of processes and any order of spans."""

from __future__ import annotations

import functools
import io
import pickle
import random
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pytest

from otel_parallelism.analysis.analyze import AnalysisPart, analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.dialects.parsing.result_attributes import recorded_result
from otel_parallelism.errors import UnreadableError
from otel_parallelism.model import Analysis, SpanEvent, SpanRecord
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.reports.html import render_html
from otel_parallelism.reports.json import render_json
from otel_parallelism.scale import file_analysis
from otel_parallelism.scale.file_analysis import HowToAnalyze, analyze_in_one_process, analyze_in_processes
from otel_parallelism.scale.packing import Packing
from otel_parallelism.scale.span_file import SpanFile
from otel_parallelism.settings import Settings
from tests.amounts import THOROUGH
from tests.analysis.turns.scattered import chat, tool
from tests.fleet.month import month
from tests.readers.hostile_files import RECORDED, some_spans
from tests.readers.written_formats import WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow
HOW = HowToAnalyze(Settings())
TIMES = 12 if THOROUGH else 2


class PoolHere:
    """Runs the tasks of several workers in this process, in an order of its own; what they exchange is pickled."""

    def __init__(self, count: int, prepare: Callable[[int, Any], Callable[[Any], Any]], argument: object) -> None:
        self._prepared = [prepare(number, pickle.loads(pickle.dumps(argument))) for number in range(count)]  # noqa: S301 - ours

    def __enter__(self) -> Self:  # noqa: D105 - as of any context
        return self

    def __exit__(self, *_: object) -> None:  # noqa: D105 - as above
        for run in self._prepared:
            run.close()  # type: ignore[attr-defined]

    def results(self, tasks: Sequence[object]) -> Iterator[tuple[int, Any]]:
        order = list(enumerate(tasks))
        random.Random(len(order)).shuffle(order)  # noqa: S311 - a sample, no secret
        for place, task in order:
            run = self._prepared[place % len(self._prepared)]
            yield place, pickle.loads(pickle.dumps(run(pickle.loads(pickle.dumps(task)))))  # noqa: S301 - ours


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_analysis, "WorkerPool", PoolHere)
    monkeypatch.setattr(file_analysis, "SMALLEST_PART_BYTES", 2_000)


def shown(analysis: Analysis) -> tuple[str, str]:
    return render_json(analysis), render_html(analysis)


def in_processes(paths: Sequence[Path], jobs: int) -> Analysis:
    return analyze_in_processes(list(map(str, paths)), HOW, jobs, lambda _: None, lambda _: None)


@pytest.mark.many
@pytest.mark.parametrize("name", ["otlp_lines", "protobuf_with_lengths", "otlp_document", "clickhouse_json"])
def test_reports_are_the_same_for_any_number_of_processes_and_any_order(tmp_path: Path, name: str) -> None:
    spans = [span for trace in month(24 if THOROUGH else 12) for span in trace]
    expected = shown(analyze_records(spans, classify))
    for seed in range(TIMES):
        choose = random.Random(seed)  # noqa: S311 - a sample, no secret
        choose.shuffle(spans)
        at = choose.randrange(1, len(spans) - 1)
        paths = [tmp_path / "a", tmp_path / "b"]
        for path, some in zip(paths, (spans[:at], spans[at:]), strict=True):
            path.write_bytes(WRITERS[name](some))
        assert shown(in_processes(paths, 1 + (seed + 2) % 4)) == expected
        assert shown(analyze_in_one_process(spans, HOW)) == expected


@pytest.mark.many
def test_recorded_spans_give_the_same_report(tmp_path: Path) -> None:
    some = RECORDED if THOROUGH else RECORDED[::24]
    paths = [tmp_path / path.name for path in some]
    for path, recorded in zip(paths, some, strict=True):
        path.write_bytes(recorded.read_bytes())
    spans = [span for path in paths for span in read_otlp_json(path)]
    expected = shown(analyze_records(spans, classify, recorded=recorded_result))
    assert shown(in_processes(paths, 3)) == expected
    assert shown(analyze_in_one_process(spans, HOW)) == expected


@pytest.mark.parametrize(("most", "calls"), [(1_000, [2, 2]), (5, [])])
def test_traces_that_belong_together_are_joined_for_any_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, calls: list[int]
) -> None:
    monkeypatch.setattr(file_analysis, "MOST_IN_MEMORY", most)
    spans = [
        span
        for at in (1, 60)
        for span in (
            chat(f"{at:016x}", at, at + 1, (f"{at + 1:016x}", f"{at + 2:016x}"), ("hi", "go")[: 1 + at // 60]),
            tool(f"{at + 1:016x}", at + 1, at + 2),
            tool(f"{at + 2:016x}", at + 1, at + 2),
        )
    ]
    spans = [msgspec.structs.replace(span, trace_id=span.span_id * 2) for span in spans]
    paths = [tmp_path / "a", tmp_path / "b"]
    for path, some in zip(paths, (spans[::2], spans[1::2]), strict=True):
        path.write_bytes(WRITERS["otlp_lines"](some))
    expected = shown(analyze_in_one_process(spans, HOW))
    for jobs in (1, 3):
        analysis = in_processes(paths, jobs)
        assert [one.calls for one in analysis.reports] == calls
        assert shown(analysis) == expected


def test_findings_mention_earlier_turns_of_other_processes(tmp_path: Path) -> None:
    plain = frozenset({"gen_ai.operation.name", "gen_ai.tool.name"})
    spans = [
        msgspec.structs.replace(span, attributes={key: span.attributes[key] for key in plain & span.attributes.keys()})
        for trace in month(40, faults={3: 1, 7: 1})
        for span in trace
    ]
    path = tmp_path / "spans"
    path.write_bytes(WRITERS["otlp_lines"](spans))
    written = render_json(in_processes([path], 3))
    assert written == render_json(analyze_records(spans, classify))
    assert "earlier turns without an error" in written


def test_turns_of_equal_start_and_id_are_in_order_of_their_traces() -> None:
    agent = {"gen_ai.operation.name": "invoke_agent"}
    spans = [SpanRecord(trace, "a", "", "invoke_agent", 0, 9, agent) for trace in "cab"]
    assert [report.turn.trace_id for report in analyze_records(spans, classify).reports] == ["a", "b", "c"]
    assert [report.turn.trace_id for report in analyze_in_one_process(spans, HOW).reports] == ["a", "b", "c"]


def test_unreadable_files_are_skipped_as_in_one_process(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    traces = list(month(9))
    good, empty, broken = (tmp_path / name for name in ("good.jsonl", "empty.jsonl", "broken.parquet"))
    good.write_bytes(WRITERS["otlp_lines"]([span for trace in traces[:4] for span in trace]))
    empty.touch()
    table = bytearray(WRITERS["clickhouse_parquet"]([span for trace in traces[4:] for span in trace]))
    table[len(table) // 2 : len(table) // 2 + 400] = b"\xff" * 400
    broken.write_bytes(table)
    paths = [str(path) for path in (empty, good, broken, empty)]
    files: list[str] = []
    messages: list[str] = []

    def spans() -> Iterator[SpanRecord]:
        for path in paths:
            try:
                yield from read_spans(path, None, lambda error: messages.append(str(error)), HOW.settings)
            except UnreadableError as error:
                files.append(str(error))

    expected = shown(analyze_in_one_process(spans(), HOW))
    skipped: list[str] = []
    lines: list[str] = []
    found = analyze_in_processes(
        paths,
        HOW,
        3,
        lambda error: lines.append(str(error)),
        lambda _: None,
        skip_file=lambda error: skipped.append(str(error)),
    )
    assert (shown(found), skipped, lines) == (expected, files, messages)
    assert len(files) == 3
    with pytest.raises(UnreadableError, match="it is empty"):
        in_processes([empty, good], 2)


def test_input_without_turns_counts_its_spans(tmp_path: Path) -> None:
    spans = [
        SpanRecord(f"{at % 3 + 1:032x}", f"{at + 1:016x}", "", f"GET /{at % 2}", 1, 2, {"a": "b"}) for at in range(60)
    ]
    path = tmp_path / "spans"
    path.write_bytes(WRITERS["otlp_lines"](spans))
    [zero, one] = in_processes([path], 2).coverage.unknown
    assert (zero.name, zero.spans, one.name, one.spans) == ("GET /0", 30, "GET /1", 30)


def test_reports_hold_no_contents() -> None:
    spans = [span for trace in month(3) for span in trace]
    reports = analyze_in_one_process(spans, HOW).reports
    assert [call.arguments for report in reports for call in report.turn.calls] == [None] * 9
    assert all(step.messages is None and step.answer is None for report in reports for step in report.turn.steps)


def test_a_file_of_spans_returns_what_was_written() -> None:
    choose = random.Random(5)  # noqa: S311 - a sample, no secret
    spans = [span for _ in range(9) for span in some_spans(choose)]
    events = (SpanEvent("one", {"a": [1, {"b": None}], "c": b"\x00", "d": 2**70, "e": "\ud800"}),)
    spans.append(msgspec.structs.replace(spans[0], events=events, links=("f",), error=True, source="s"))
    spans.append(msgspec.structs.replace(spans[0], attributes={"a": frozenset({1}), "b": range(3)}))
    file = SpanFile(io.BytesIO(), 4)
    pieces = [*file.append(spans), *file.append(spans[:2])]
    assert len({piece.group for piece in pieces}) > 1
    read = [span for piece in pieces for span in file.spans(piece)]
    assert sorted(map(repr, read)) == sorted(map(repr, [*spans, *spans[:2]]))
    groups = {span.trace_id: {piece.group for piece in pieces if span in file.spans(piece)} for span in spans}
    assert all(len(found) == 1 for found in groups.values())


def test_packed_parts_are_what_was_packed() -> None:
    spans = [span for trace in month(24) for span in trace]
    odd = [msgspec.structs.replace(span, start_ns=2**70, end_ns=2**70 + 1) for span in spans[:1]]
    halved = [msgspec.structs.replace(span, span_id="\ud800") for span in spans[:1]]
    packing = Packing[list[AnalysisPart]](list[AnalysisPart])
    for some, mark in ((spans, b"m"), (odd, b"p"), (halved, b"p")):
        part = HOW.part_analyzer()(some)
        packed = packing.pack([part])
        assert packed[:1] == mark
        assert packing.unpack(packed) == [part]
    in_order = functools.partial(msgspec.json.encode, order="deterministic")
    part = HOW.part_analyzer()(spans)
    assert in_order(packing.unpack(packing.pack([part]))) == in_order([part])  # whole numbers and fractions alike
