"""One trace gives one report, whichever format it is written in; and what is no trace is called what it is."""

from __future__ import annotations

import copy
import gzip
import itertools
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from otel_parallelism import Report, analyze_spans
from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, SpanRecord
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import FORMATS, read_spans
from tests.readers.written_formats import (
    WRITERS,
    console_among_other_output,
    console_lines,
    otlp_document,
    otlp_lines,
    protobuf,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = Path(__file__).parents[3] / "shared" / "data" / "cases" / "formats"
MS = 1_000_000
BEGAN_NS = 1_800_000_000 * 10**9


def a_trace(seed: int) -> list[SpanRecord]:
    """Return the spans of a turn or two, with random shapes and times."""
    choose = random.Random(seed)  # noqa: S311 - not a secret
    found: list[SpanRecord] = []

    def add(name: str, parent: str, start: int, end: int, **attributes: str | int) -> str:
        span_id = f"{len(found) + 1 + seed * 1000:016x}"
        dotted = {key.replace("__", "."): value for key, value in attributes.items()}
        error = "tool" in name and choose.random() < 0.1
        found.append(SpanRecord(f"{seed + 1:032x}", span_id, parent, name, start, end, dotted, error=error))
        return span_id

    at = BEGAN_NS
    for turn in range(choose.randint(1, 2)):
        began = at
        root = f"{len(found) + 1 + seed * 1000:016x}"
        place = len(found)
        add(f"invoke_agent {turn}", "", began, began, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="ag")
        for _ in range(choose.randint(1, 4)):
            calls = [(f"get_{choose.choice('abc')}", f"call_{choose.random()}") for _ in range(choose.randint(1, 3))]
            asked = [{"type": "tool_call", "id": key, "name": tool, "arguments": {}} for tool, key in calls]
            step_end = at + choose.randint(50, 900) * MS
            add(
                "chat m",
                root,
                at,
                step_end,
                gen_ai__operation__name="chat",
                gen_ai__usage__input_tokens=choose.randint(10, 5000),
                gen_ai__output__messages=json.dumps([{"role": "assistant", "parts": asked}]),
            )
            at = step_end
            for tool, key in calls:
                end = at + choose.randint(50, 900) * MS
                add(
                    f"execute_tool {tool}",
                    root,
                    at,
                    end,
                    gen_ai__operation__name="execute_tool",
                    gen_ai__tool__name=tool,
                    gen_ai__tool__call__id=key,
                    gen_ai__tool__call__arguments=json.dumps({"of": choose.choice(["north", "south"])}),
                    gen_ai__tool__call__result=f"a text about {choose.choice(['hills', 'rivers'])}",
                )
                at = end if choose.random() < 0.7 else at + 10 * MS
            at = max([at, *(span.end_ns for span in found)])
        first = found[place]
        found[place] = SpanRecord(first.trace_id, root, "", first.name, began, at, first.attributes)
        at += 1000 * MS
    return found


def told(report: Report) -> Any:
    return json.loads(report.to_json())["turns"]


def reports(path: Path) -> list[Any]:
    analysis = analyze_spans(read_spans(path, skip=lambda _: None))
    return [turn for report in analysis.reports for turn in json.loads(report.to_json())["turns"]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    def to_file(content: bytes) -> Path:
        path = tmp_path / "spans"
        path.write_bytes(content)
        return path

    return to_file


@given(seed=st.integers(0, 10_000), data=st.data())
def test_splitting_a_file_changes_nothing(tmp_path_factory: pytest.TempPathFactory, seed: int, data: Any) -> None:
    spans = a_trace(seed)
    folder = tmp_path_factory.mktemp("parts")
    parts: list[list[SpanRecord]] = [[] for _ in range(3)]
    for span in data.draw(st.permutations(spans)):
        data.draw(st.sampled_from(parts)).append(span)
    write_one, *rest = (WRITERS[data.draw(st.sampled_from(["otlp_lines", "jaeger", "protobuf"]))] for _ in parts)
    whole = folder / "whole"
    whole.write_bytes(write_one(spans))
    files = []
    for number, (part, write) in enumerate(zip(parts, (write_one, *rest), strict=True)):
        if part:
            files.append(folder / f"part{number}")
            files[-1].write_bytes(write(part))
    together = analyze_spans(itertools.chain.from_iterable(map(read_spans, files)))
    alone = analyze_spans(read_spans(whole))
    assert [told(report) for report in together.reports] == [told(report) for report in alone.reports]


def test_compressed_files_are_read(write: Callable[[bytes], Path]) -> None:
    spans = a_trace(1)
    zstd = zstandard.ZstdCompressor()
    for written in (WRITERS["jaeger"](spans), protobuf(spans)):
        expected = reports(write(written))
        assert reports(write(gzip.compress(written))) == reports(write(zstd.compress(written))) == expected != []
    # The Collector's file exporter compresses each message, and writes its length before it.
    half = len(spans) // 2
    for make in (protobuf, otlp_document):
        frames = [zstd.compress(make(some)) for some in (spans[:half], spans[half:])]
        framed = b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)
        assert reports(write(framed)) == expected


def test_a_line_that_is_no_span_costs_that_line(write: Callable[[bytes], Path]) -> None:
    lines = otlp_lines(a_trace(1)).splitlines(keepends=True)
    broken = [*lines[:2], b"oops\n", *lines[2:], lines[0][:50]]
    skipped: list[UnreadableError] = []
    assert len(list(read_spans(write(b"".join(broken)), skip=skipped.append))) == len(lines)
    assert [error.line for error in skipped] == [3, len(lines) + 2]


def test_other_output_between_spans_is_skipped(write: Callable[[bytes], Path]) -> None:
    spans = a_trace(1)
    skipped: list[UnreadableError] = []
    assert len(list(read_spans(write(console_among_other_output(spans)), skip=skipped.append))) == len(spans)
    assert skipped
    with pytest.raises(UnreadableError, match=":1: broken JSON"):
        list(read_spans(write(console_among_other_output(spans))))


def test_a_file_without_any_span_is_an_error(write: Callable[[bytes], Path]) -> None:
    with pytest.raises(UnreadableError, match=":1: it is not JSON"):
        list(read_spans(write(b"hello\nworld\n"), skip=lambda _: None))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'{"resourceMetrics": []}', "it holds metrics and no spans"),
        (b'{"schema_version": 1, "totals": {}, "turns": []}', "a report of otel-parallelism and has no spans"),
        (b'{"resourceLogs": [{}]}\n{"resourceLogs": []}\n', "it holds logs and no spans"),
        (b'{"type": "user", "uuid": "1", "sessionId": "s", "message": {}}\n', "a transcript of Claude Code"),
        (b'{"timestamp": "2026", "type": "session_meta", "payload": {}}\n', "a session of Codex"),
        (b"\0\1\2\3 something", "binary data of an unknown format"),
        (b"SQLite format 3\0\1\2", "it is a SQLite database"),
        (b"# HELP up Whether\n# TYPE up gauge\nup 1\n", "it is metrics in the form of Prometheus"),
        (
            b'{"sessionId": "s", "projectHash": "h", "messages": []}',
            "a chat of Gemini CLI, not a file of spans; otel-parallelism sessions reads",
        ),
        (b'{"hrTime": [1, 2], "attributes": {}, "_body": ""}', "a log record of the JavaScript SDK"),
        (b'{"traceEvents": []}', "a timeline in Chrome's Trace Event format"),
        (b'{"Traces": [{"Segments": []}]}', "traces of AWS X-Ray"),
        (
            b'{"trace_id": "1-58406520-a006649127e371903a2de979", "id": "1", "start_time": 1.5}',
            "a segment of AWS X-Ray",
        ),
        (
            b'{"object": "trace.span", "trace_id": "t", "span_data": {}}',
            "a span of the OpenAI Agents SDK's own tracing",
        ),
        (b'[{"span_id": "s", "root_span_id": "r", "span_attributes": {}}]', "a row of a Braintrust log"),
        (
            b'{"trace": {"id": "1", "project_id": "p", "start_time": "2026", "created_by": "a"}, "spans": []}',
            "an export of Opik; export the spans as OTLP instead",
        ),
        (
            b'{"content": [{"id": "1", "project_id": "p", "start_time": "2026", "last_updated_at": ""}]}',
            "an export of Opik",
        ),
        (
            b'{"id": "1", "traceId": "t", "projectId": "p", "type": 1, "startTime": 1, "parentSpanId": 1, "usage": 0}',
            "an export of Opik",
        ),
        (
            b'{"request_id": "r", "request_created_at": "2026-01-01T00:00:00Z", "request_body": {}}\n',
            "an export of Helicone, which has .*; record the program with OpenTelemetry",
        ),
        (b'{"data": [{"response_id": "q", "request_id": "r", "request_created_at": "2026"}]}', "an export of Helicone"),
        (
            b'{"log": {"version": "1.2", "creator": {"name": "b"}, "pages": [], "entries": []}}',
            "a HAR file of HTTP requests, .*; record the program with OpenTelemetry",
        ),
        (b'{"op_name": "weave:///a/op/b", "started_at": "2026-01-01"}', "a call of Weave"),
        (b'{"took": 3, "hits": {"hits": [{"_source": {}}]}}', "a search result of Elasticsearch"),
        (b'[{"time": "2026", "data": {"trace.span_id": "1"}}]', "an event of Honeycomb"),
        (b'[{"schema": {"fields": []}, "data": {"values": []}}]', "a table of Grafana's inspector"),
        (b'{"tables": [{"name": "PrimaryResult"}]}', "a query result of Azure Monitor"),
        (b'{"traces": [{"traceID": "a"}], "metrics": {}}', "a search result of Tempo"),
        (b'{"traces": [{"projectId": "p", "spans": []}]}', "traces of Google Cloud's API, version 1"),
        (b'{"messages": [{"role": "user", "content": "hi"}]}', "a conversation, which has no times"),
    ],
)
def test_what_holds_no_spans_is_called_what_it_is(write: Callable[[bytes], Path], content: bytes, what: str) -> None:
    with pytest.raises(UnreadableError, match=what):
        list(read_spans(write(content), skip=lambda _: None))


def test_metrics_in_protobuf_are_called_so(write: Callable[[bytes], Path]) -> None:
    data = MetricsData()
    metric = data.resource_metrics.add().scope_metrics.add().metrics.add(name="requests")
    metric.sum.data_points.add(as_int=5, time_unix_nano=BEGAN_NS)
    message = data.SerializeToString()
    for content in (message, len(message).to_bytes(4, "big") + message, gzip.compress(message)):
        with pytest.raises(UnreadableError, match="it holds metrics and no spans"):
            list(read_spans(write(content)))


def test_a_table_in_csv_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "spans.csv"
    path.write_text("traceId,spanId,name\na,b,c\n")
    with pytest.raises(UnreadableError, match="it is a table in CSV; export it as JSON or Parquet instead"):
        list(read_spans(path))


def test_zipkin_version_1_has_its_attributes_in_a_list(write: Callable[[bytes], Path]) -> None:
    pairs = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_a"}
    endpoint = {"serviceName": "checkout"}
    listed = [{"key": key, "value": value, "endpoint": endpoint} for key, value in pairs.items()]
    span = {"traceId": "a1", "id": "b2", "name": "a", "timestamp": 1_790_000_000_000_000, "binaryAnnotations": listed}
    (found,) = read_spans(write(json.dumps([[span]]).encode()))
    assert (found.attributes, found.source) == (pairs, "checkout")


LANGFUSE = {
    "id": "0af7651916cd43dd8448eb211c80319c",
    "name": "ask",
    "timestamp": "2026-01-01T00:00:00Z",
    "observations": [
        {
            "id": f"00000000000000{number:02x}",
            "traceId": "0af7651916cd43dd8448eb211c80319c",
            "type": "TOOL",
            "name": "get_x",
            "startTime": f"2026-01-01T00:00:0{number}Z",
            "endTime": f"2026-01-01T00:00:0{number + 1}.5Z",
            "input": {"of": number},
            "output": "text",
            "parentObservationId": None,
        }
        for number in (1, 3)
    ],
}


def test_langfuse_trace_without_root_observation(write: Callable[[bytes], Path]) -> None:
    (report,) = reports(write(json.dumps(LANGFUSE).encode()))
    assert (report["calls"], report["work"], report["makespan"]) == (2, 3.0, 3.5)


def test_langfuse_observations_without_an_end_have_not_ended_except_events(write: Callable[[bytes], Path]) -> None:
    first, second = ({**one, "endTime": None} for one in LANGFUSE["observations"])
    spans = read_spans(write(json.dumps(LANGFUSE | {"observations": [first, second | {"type": "EVENT"}]}).encode()))
    root, call, event = spans
    assert (root.start_ns, call.end_ns, event.end_ns) == (call.start_ns, 0, event.start_ns)


@pytest.mark.parametrize("key", ["id", "traceId", "startTime"])
def test_langfuse_observation_without_a_field_is_named(write: Callable[[bytes], Path], key: str) -> None:
    first, second = copy.deepcopy(LANGFUSE["observations"])
    del second[key]
    with pytest.raises(UnreadableError, match=":1: an empty value"):
        list(read_spans(write(json.dumps(LANGFUSE | {"observations": [first, second]}).encode())))


def test_langsmith_runs(write: Callable[[bytes], Path]) -> None:
    def run(number: int, kind: str, start: int, end: int, **more: Any) -> dict[str, Any]:
        return {
            "id": f"a0000000-0000-0000-0000-{number:012d}",
            "trace_id": "a0000000-0000-0000-0000-000000000001",
            "parent_run_id": "a0000000-0000-0000-0000-000000000001" if number > 1 else None,
            "name": "get_x" if kind == "tool" else kind,
            "run_type": kind,
            "start_time": f"2026-01-01T00:00:{start:02d}",
            "end_time": f"2026-01-01T00:00:{end:02d}.250000",
            **more,
        }

    runs = [
        run(1, "chain", 0, 9),
        run(2, "tool", 1, 2, inputs={"input": "{'of': 'north'}"}, outputs={"output": "hills"}),
        run(3, "tool", 4, 5, inputs={"input": "{'of': 'south'}"}, outputs={"output": "rivers"}, error="broken"),
    ]
    (report,) = reports(write(json.dumps(runs).encode()))
    assert (report["calls"], report["work"], report["makespan"]) == (2, 2.5, 4.25)
    runs[0]["end_time"] = None
    spans = list(read_spans(write("\n".join(json.dumps(item) for item in runs).encode())))
    assert [span.error for span in spans] == [False, False, True]
    assert [span.end_ns > 0 for span in spans] == [False, True, True]


NODE = """starting: { not json }
{
  resource: { attributes: { 'service.name': 'shop' } },
  instrumentationScope: { name: 'a.scope', version: undefined },
  traceId: '37e4fa6ad9f7826adfc84863ff6eddf2',
  parentSpanContext: {
    traceId: '37e4fa6ad9f7826adfc84863ff6eddf2',
    spanId: 'd9d80db7db155c9d',
    traceFlags: 1
  },
  traceState: undefined,
  name: 'execute_tool get',
  id: '777972afa12eb452',
  kind: 0,
  timestamp: 1795880772884000,
  duration: 715.934,
  attributes: {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.call.arguments': `{"q":"it's"}`,
    text: 'one\\n' +
      'two',
    list: [ 'a', 'b' ],
    n: 5
  },
  status: { code: 2 },
  events: [ { name: 'e', attributes: { k: 1 }, time: [ 1795880772, 884462409 ] } ],
  links: []
}
"""


def test_times_in_microseconds_with_a_fraction_are_exact(write: Callable[[bytes], Path]) -> None:
    written = NODE.replace("timestamp: 1795880772884000", "timestamp: 1795880772884462.5")
    (span,) = read_spans(write(written.encode()), skip=lambda _: None)
    assert span.start_ns == 1_795_880_772_884_462_500


def test_console_exporter_of_javascript(write: Callable[[bytes], Path]) -> None:
    skipped: list[UnreadableError] = []
    (span,) = read_spans(write(NODE.encode()), skip=skipped.append)
    assert [error.line for error in skipped] == [1]
    assert (span.span_id, span.parent_id, span.kind, span.error) == ("777972afa12eb452", "d9d80db7db155c9d", 1, True)
    assert (span.source, span.instrumentation, span.end_ns - span.start_ns) == ("service.name=shop", "a.scope", 715_934)
    assert span.attributes["gen_ai.tool.call.arguments"] == '{"q":"it\'s"}'
    assert (span.attributes["text"], span.attributes["list"], span.attributes["n"]) == ("one\ntwo", ["a", "b"], 5)


def test_console_exporter_of_javascript_with_other_ends_of_lines(write: Callable[[bytes], Path]) -> None:
    spans = [list(read_spans(write(text.encode()), skip=lambda _: None)) for text in (NODE, NODE.replace("\n", "\r\n"))]
    assert spans[0] == spans[1] != []


def test_formats_have_names_of_their_own() -> None:
    assert len({known.name for known in FORMATS}) == len(FORMATS)


ONE, TWO = [("get_x", 10**9)], [("get_x", 10**9)] * 2
CALLS_OF_OTHERS = {
    **dict.fromkeys(("console-exporter.jsonl", "console-exporter.txt", "tempo-batches.json"), TWO),
    "otlp-instrumentationLibrarySpans.json": TWO,
    **dict.fromkeys(("langfuse-trace.json", "langsmith-run.json", "mlflow-trace.json", "phoenix-dataframe.json"), ONE),
    **{name: [("get_x", 5_000)] for name in ("jaeger-ui.json", "zipkin-v2.json")},
    "otlp-protobuf.pb": [("get_weather", 400_751_463), ("get_weather", 400_774_933), ("get_weather", 400_909_287)],
}
REFUSED_OF_OTHERS = {
    "claude-code-transcript.jsonl": "a transcript of Claude Code, not a file of spans; otel-parallelism sessions reads",
    "codex-rollout.jsonl": "a session of Codex, not a file of spans; otel-parallelism sessions reads",
    "collector-metrics.json": "it holds metrics and no spans",
}


@pytest.mark.parametrize(
    "path",
    sorted(SHARED.glob("*"))
    or [pytest.param(None, marks=pytest.mark.skip(reason="the recorded files beside the project are absent"))],
    ids=lambda path: path and path.name,
)
@pytest.mark.parametrize("compressed", [False, True])
def test_files_of_others_have_their_calls(write: Callable[[bytes], Path], path: Path, *, compressed: bool) -> None:
    copied = write(gzip.compress(path.read_bytes()) if compressed else path.read_bytes())
    if path.name in REFUSED_OF_OTHERS:
        with pytest.raises(UnreadableError, match=REFUSED_OF_OTHERS[path.name]):
            list(read_spans(copied))
        return
    seen = [found for found in map(classify, read_spans(copied)) if isinstance(found, Call)]
    assert [(call.tool, call.duration_ns) for call in seen] == CALLS_OF_OTHERS[path.name]


def test_console_lines_are_read_line_by_line(write: Callable[[bytes], Path]) -> None:
    reached: list[int] = []
    path = write(console_lines(a_trace(1)))
    assert len(list(read_spans(path, reached.append))) == len(set(reached))
