from __future__ import annotations

import contextlib
import gc
import gzip
import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.otlp_json import read_otlp_json
from tests.amounts import some_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRACE = "77eb790f3d62b81d8c6f1400a78ce500"
SPAN = "ff8b0368edbfde16"
PARENT = "a1b2c3d4e5f60718"
_LINK_TYPE = {"key": "gen_ai.attribution.link_type", "value": {"stringValue": "CAUSED_BY_GENERATION"}}


def a_span(**changes: Any) -> dict[str, Any]:
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "execute_tool get_weather",
        "kind": 3,
        "startTimeUnixNano": "1795346985446249795",
        "endTimeUnixNano": "1795346985479729735",
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}}],
        "status": {"code": 1},
    }
    return {key: value for key, value in {**span, **changes}.items() if value is not ...}


def request(*spans: dict[str, Any], resource: dict[str, str] | None = None) -> dict[str, Any]:
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in (resource or {}).items()]
    scope = {"scope": {"name": "a.scope", "version": "1"}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": {"attributes": pairs}, "scopeSpans": [scope]}]}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def to_file(text: str | bytes) -> Path:
        path = tmp_path / "spans.jsonl"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return to_file


def names(path: Path) -> list[str]:
    return [span.name for span in read_otlp_json(path)]


def test_types_of_links_are_read_from_protobuf(tmp_path: Path) -> None:
    data = TracesData()
    span = (
        data.resource_spans.add()
        .scope_spans.add()
        .spans.add(
            trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), start_time_unix_nano=1, end_time_unix_nano=2
        )
    )
    link = span.links.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(PARENT))
    link.attributes.add(key=_LINK_TYPE["key"]).value.string_value = "retry_of"
    path = tmp_path / "spans.pb"
    path.write_bytes(data.SerializeToString())
    (read,) = read_spans(path)
    assert (read.links, read.link_types) == ((PARENT,), ("RETRY_OF",))


def test_all_fields_of_a_span_are_read(write: Callable[[str], Path]) -> None:
    span_fields = a_span(
        events=[{"name": "gen_ai.choice", "attributes": [{"key": "index", "value": {"intValue": "0"}}]}, {"name": "e"}],
        links=[
            {"traceId": TRACE, "spanId": PARENT.upper(), "attributes": [_LINK_TYPE]},
            {"traceId": TRACE, "spanId": PARENT},
        ],
        flags=0x301,
    )
    (span,) = read_otlp_json(write(json.dumps(request(span_fields, resource={"service.name": "checkout"}))))
    assert (span.trace_id, span.span_id, span.parent_id) == (TRACE, SPAN, PARENT)
    assert (span.start_ns, span.end_ns) == (1795346985446249795, 1795346985479729735)
    assert (span.name, span.kind, span.error) == ("execute_tool get_weather", 3, False)
    assert span.attributes == {"gen_ai.operation.name": "execute_tool"}
    assert [event.name for event in span.events] == ["gen_ai.choice", "e"]
    assert [event.attributes for event in span.events] == [{"index": 0}, {}]
    assert (span.links, span.link_types) == ((PARENT, PARENT), ("CAUSED_BY_GENERATION", ""))
    assert span.remote_parent
    assert span.instrumentation == "a.scope"
    assert span.source == "service.name=checkout"


def test_fields_may_be_absent_or_null(write: Callable[[str], Path]) -> None:
    bare = {"traceId": TRACE, "spanId": SPAN, "startTimeUnixNano": 5}
    nothing = dict.fromkeys(("parentSpanId", "name", "kind", "attributes", "events", "links", "status", "flags"))
    groups = [{"scopeSpans": [{"spans": [bare]}]}, {"resource": None, "scopeSpans": [{"spans": [{**bare, **nothing}]}]}]
    for span in read_otlp_json(write(json.dumps({"resourceSpans": [*groups, {}, {"scopeSpans": [{}]}]}))):
        assert (span.parent_id, span.name, span.kind, span.attributes) == ("", "", 0, {})
        assert (span.start_ns, span.end_ns, span.error, span.remote_parent) == (5, 0, False, False)
        assert (span.events, span.links, span.source, span.instrumentation) == ((), (), "", "")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"stringValue": "ä"}, "ä"),
        ({"stringValue": ""}, ""),
        ({"intValue": "9007199254740993"}, 9007199254740993),
        ({"intValue": 7}, 7),
        ({"doubleValue": 0.5}, 0.5),
        ({"doubleValue": 3}, 3.0),
        ({"doubleValue": "Infinity"}, math.inf),
        ({"boolValue": False}, False),
        ({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}, {}]}}, ["a", 1, None]),
        ({"arrayValue": {}}, []),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": []}}}]}}, {"a": []}),
        ({"bytesValue": "AQI="}, b"\x01\x02"),
        ({}, None),
    ],
)
def test_typed_attribute_values(write: Callable[[str], Path], value: dict[str, Any], plain: object) -> None:
    (span,) = read_otlp_json(write(json.dumps(request(a_span(attributes=[{"key": "k", "value": value}])))))
    assert span.attributes == {"k": plain}


@pytest.mark.parametrize(
    ("written", "trace_id", "span_id"),
    [
        ((TRACE.upper(), SPAN.upper()), TRACE, SPAN),
        (("d+t5Dz1iuB2MbxQAp4zlAA==", "/4sDaO2/3hY="), TRACE, SPAN),
    ],
)
def test_ids_in_hex_and_in_base64(
    write: Callable[[str], Path], written: tuple[str, str], trace_id: str, span_id: str
) -> None:
    span_fields = a_span(traceId=written[0], spanId=written[1], parentSpanId=written[1])
    (span,) = read_otlp_json(write(json.dumps(request(span_fields))))
    assert (span.trace_id, span.span_id, span.parent_id) == (trace_id, span_id, span_id)


@pytest.mark.parametrize("parent", ["", None, "0000000000000000", "AAAAAAAAAAA="])
def test_root_has_no_parent_in_any_form(write: Callable[[str], Path], parent: str | None) -> None:
    (span,) = read_otlp_json(write(json.dumps(request(a_span(parentSpanId=parent)))))
    assert span.parent_id == ""


@pytest.mark.parametrize(
    ("kind", "number"), [("SPAN_KIND_SERVER", 2), ("SPAN_KIND_CLIENT", 3), ("2", 2), (4, 4), ("?", 0)]
)
def test_kinds(write: Callable[[str], Path], kind: object, number: int) -> None:
    (span,) = read_otlp_json(write(json.dumps(request(a_span(kind=kind)))))
    assert span.kind == number


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ({"code": 2}, True),
        ({"code": "STATUS_CODE_ERROR"}, True),
        ({"code": 1}, False),
        ({}, False),
        ({"code": "2"}, True),
    ],
)
def test_status(write: Callable[[str], Path], status: dict[str, object], error: bool) -> None:
    (span,) = read_otlp_json(write(json.dumps(request(a_span(status=status)))))
    assert span.error is error


@pytest.mark.parametrize(
    ("flags", "remote"), [(0x101, False), (0x301, True), (0x200, False), (..., False), ("769", True)]
)
def test_flags_mark_a_remote_parent(write: Callable[[str], Path], flags: object, remote: bool) -> None:
    (span,) = read_otlp_json(write(json.dumps(request(a_span(flags=flags)))))
    assert span.remote_parent is remote


def test_spans_of_one_process_and_service_have_one_source(write: Callable[[str], Path]) -> None:
    one = {"service.name": "shop", "service.instance.id": "c44e", "telemetry.sdk.version": "1.45.2"}
    resources = [one, {**one, "telemetry.sdk.version": "1.46.0"}, {**one, "service.instance.id": "d551"}, {}]
    strange = [{"team": "a"}, {"team": "a"}, {"team": "b"}]
    lines = [json.dumps(request(a_span(), resource=resource)) for resource in resources + strange]
    sources = [span.source for span in read_otlp_json(write("\n".join(lines)))]
    assert sources[0] == sources[1] != sources[2]
    assert sources[3] == ""
    assert sources[4] == sources[5] != sources[6]


FORMS = {
    "a line each": lambda a, b: f"{json.dumps(a)}\n{json.dumps(b)}\n",
    "without a last newline": lambda a, b: f"{json.dumps(a)}\n{json.dumps(b)}",
    "no newline between": lambda a, b: f"{json.dumps(a)}{json.dumps(b)}\n{{}}{{}}",
    "blank lines": lambda a, b: f"\n\n{json.dumps(a)}\n   \n{json.dumps(b)}\n\n",
    "windows newlines": lambda a, b: f"{json.dumps(a)}\r\n{json.dumps(b)}\r\n",
    "one document": lambda a, b: json.dumps({"resourceSpans": a["resourceSpans"] + b["resourceSpans"]}, indent=2),
    "two documents": lambda a, b: f"{json.dumps(a, indent=2)}\n{json.dumps(b, indent=2)}\n",
    "an array of resourceSpans": lambda a, b: json.dumps(a["resourceSpans"] + b["resourceSpans"]),
    "an array of requests": lambda a, b: json.dumps([a, b], indent=1),
    "arrays on lines": lambda a, b: f"{json.dumps([a])}\n{json.dumps(b['resourceSpans'])}\n",
    "single resourceSpans on lines": lambda a, b: "\n".join(
        json.dumps(group) for group in a["resourceSpans"] + b["resourceSpans"]
    ),
    "other signals between": lambda a, b: "\n".join(
        [
            json.dumps({"resourceMetrics": []}),
            json.dumps(a),
            json.dumps({"resourceLogs": [{"x": 1}]}),
            json.dumps(b),
            "{}",
        ]
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compressed", [False, True])
def test_every_file_form_is_read(write: Callable[[str | bytes], Path], form: str, compressed: bool) -> None:
    text = FORMS[form](request(a_span(name="first")), request(a_span(name="second"), a_span(name="third"))).encode()
    assert names(write(gzip.compress(text) if compressed else text)) == ["first", "second", "third"]


def test_snake_case_names_are_read(write: Callable[[str], Path]) -> None:
    span = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_span_id": PARENT,
        "start_time_unix_nano": "5",
        "end_time_unix_nano": "9",
        "attributes": [{"key": "snake_case", "value": {"int_value": "1"}}],
    }
    (read_span,) = read_otlp_json(write(json.dumps({"resource_spans": [{"scope_spans": [{"spans": [span]}]}]})))
    assert (read_span.trace_id, read_span.parent_id, read_span.end_ns) == (TRACE, PARENT, 9)
    assert read_span.attributes == {"snake_case": 1}


def test_file_of_other_signals_has_no_spans(write: Callable[[str], Path]) -> None:
    assert names(write('{"resourceMetrics": []}\n{"resourceLogs": []}\n{"resourceSpans": []}\n')) == []


def test_progress_reaches_the_size_of_the_file(write: Callable[[str | bytes], Path]) -> None:
    lines = "".join(json.dumps(request(a_span())) + "\n" for _ in range(50)).encode()
    for content in (lines, gzip.compress(lines), json.dumps(request(a_span()), indent=2).encode()):
        path = write(content)
        reached: list[int] = []
        assert len(list(read_otlp_json(path, reached.append))) in (50, 1)
        assert reached == sorted(reached)
        assert reached[-1] == path.stat().st_size


GOOD = json.dumps(request(a_span()))
BROKEN = {
    "a broken line": (f"{GOOD}\n{{oops}}\n{GOOD}\n", 2, "broken JSON"),
    "a broken first line": (f"{{oops}}\n{GOOD}\n", 1, "broken JSON"),
    "a last line cut off": (f"{GOOD}\n\n{GOOD[:-40]}", 3, "ends early"),
    "an only line cut off": (GOOD[:-40], 1, "ends early"),
    "words": ("hello\nworld\n", 1, "it is not JSON"),
    "an object that is not OTLP": (f'{GOOD}\n{{"level": "info", "message": "started"}}\n', 2, "'level', 'message'"),
    "a scalar": (f"{GOOD}\n42\n", 2, "int"),
    "an array of scalars": ("[1, 2]", 1, ""),
    "a span without a time": (json.dumps(request(a_span(startTimeUnixNano=...))), 1, "startTimeUnixNano"),
    "a time that is none": (json.dumps(request(a_span(startTimeUnixNano="soon"))), 1, "startTimeUnixNano"),
    "an id that is none": (json.dumps(request(a_span(spanId="!!!!!!!!!!!="))), 1, "is not an id"),
    "an id that is empty": (json.dumps(request(a_span(spanId=""))), 1, "is not an id"),
    "an id that no span has": (json.dumps(request(a_span(spanId="0" * 16))), 1, "is not an id"),
    "a trace's id that no trace has": (json.dumps(request(a_span(traceId="A" * 22 + "=="))), 1, "is not an id"),
    "spans that are no list": ('{"resourceSpans": 5}', 1, "not OTLP"),
    "a document cut off": (json.dumps(request(a_span()), indent=2)[:-30], None, "ends early"),
    "a document broken in its third line": ('{\n "resourceSpans": [\n oops\n ]\n}', 3, "broken JSON"),
    "bytes that are no text": (GOOD.encode().replace(b"get_weather", b"\xff\xfe"), 1, "UTF-8"),
    "a line with more behind": (f"{GOOD}\n{GOOD} oops\n{GOOD}\n", 2, "it is not JSON"),
    "a line with a broken one behind": (f"{GOOD}\n{GOOD}{GOOD[:60]}\n", 2, "ends early"),
    "a line cut off": (f"{GOOD}\n{GOOD[:60]}\n{GOOD}\n", 2, "ends early"),
}


@pytest.mark.many
@pytest.mark.parametrize("case", some_of(BROKEN, every=3))
def test_error_names_line_problem_and_expectation(write: Callable[[str | bytes], Path], case: str) -> None:
    text, line, problem = BROKEN[case]
    path = write(text)
    with pytest.raises(UnreadableError) as caught:
        names(path)
    error = caught.value
    assert isinstance(error, ValueError)
    assert str(error).startswith(f"{path}:{error.line}: ")
    assert error.line == (line or len(str(text).splitlines()))
    assert problem in error.problem
    assert "resourceSpans" in str(error)
    assert "\n" not in str(error)


def test_spans_before_a_broken_line_are_read(write: Callable[[str], Path]) -> None:
    spans = read_otlp_json(write(f"{GOOD}\n{{oops}}\n"))
    assert next(spans).span_id == SPAN
    with pytest.raises(UnreadableError, match=":2: "):
        next(spans)


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff", "\ufeff\n"])
def test_an_empty_file_is_an_error(write: Callable[[str], Path], text: str) -> None:
    with pytest.raises(UnreadableError, match="it is empty") as caught:
        names(write(text))
    assert caught.value.line is None


def test_garbage_collection_is_restored(write: Callable[[str], Path]) -> None:
    path = write(f"{GOOD}\n{{oops}}\n")
    for collecting in (True, False):
        (gc.enable if collecting else gc.disable)()
        try:
            with pytest.raises(UnreadableError):
                names(path)
            assert gc.isenabled() is collecting
        finally:
            gc.enable()


def test_missing_or_unreadable_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file"):
        names(tmp_path / "absent.jsonl")
    with pytest.raises(UnreadableError, match="is a directory"):
        names(tmp_path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (f"\ufeff{GOOD}".encode("utf-16-le"), "UTF-16 text"),
        (b"BZh91AY", "compressed with bzip2"),
        (b"PK\x03\x04", "a zip archive"),
        (b"PAR1 ...", "a Parquet file"),
        (b"\0\0\x01\x07\n\x80", "binary data"),
    ],
)
def test_error_names_other_kinds_of_files(write: Callable[[bytes], Path], content: bytes, kind: str) -> None:
    with pytest.raises(UnreadableError, match=f": it is {kind}; expected OTLP JSON, plain or compressed with gzip"):
        names(write(content))


@pytest.mark.parametrize("compressed", [False, True])
def test_byte_order_mark_is_skipped(write: Callable[[bytes], Path], compressed: bool) -> None:
    content = f"\ufeff{GOOD}\n{GOOD}\n".encode()
    assert len(names(write(gzip.compress(content) if compressed else content))) == 2


@pytest.mark.parametrize("compressed", [False, True])
def test_pipe_is_read_while_it_is_written(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    content = f"{GOOD}\n{GOOD}\n".encode()
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(path.write_bytes, gzip.compress(content) if compressed else content)
        assert len(names(path)) == 2
        written.result(timeout=10)


def test_compression_is_detected_by_content(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl.gz"
    path.write_text(GOOD)  # as it is after a download that decompresses
    assert len(names(path)) == 1
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert len(names(path)) == 1
    path.write_bytes(gzip.compress((GOOD + "\n").encode() * 500)[:-20])
    with pytest.raises(UnreadableError, match="compressed data is broken"):
        names(path)


_CUT = st.sampled_from([GOOD[:length].encode() for length in range(0, len(GOOD), 7)])


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | _CUT)
def test_any_content_is_read_or_raises_unreadable_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    with contextlib.suppress(UnreadableError):
        assert names(path) == []
