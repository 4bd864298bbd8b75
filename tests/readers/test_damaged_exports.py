"""Exports as they arrive: with a log's text before each line, cut, wrapped again, with attributes as plain JSON."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from otel_parallelism.model import SpanRecord
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from tests.readers.written_exports import protobuf_varint_lengths
from tests.readers.written_formats import otlp_document, otlp_lines, protobuf

if TYPE_CHECKING:
    from pathlib import Path

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPANS = [
    SpanRecord(
        TRACE,
        f"{number:016x}",
        "",
        "execute_tool find",
        number * 10**9,
        (number + 1) * 10**9,
        {"gen_ai.tool.name": "find", "attempts": number},
        kind=1,
        source="service.name=checkout",
        instrumentation="a.scope",
    )
    for number in range(1, 5)
]


def read(path: Path) -> tuple[list[SpanRecord], list[str]]:
    skipped: list[UnreadableError] = []
    spans = list(read_spans(path, skip=skipped.append))
    return spans, [f"{error.line}: {error.problem}" for error in skipped]


@pytest.mark.parametrize("before", ["2026-01-01 INFO ", "[INFO] ", "[2026-01-01 10:00:00,123: INFO/Worker] ", "app | "])
def test_other_lines_of_a_log_may_come_first(tmp_path: Path, before: str) -> None:
    path = tmp_path / "spans"
    lines = [before.encode() + line for line in otlp_lines(SPANS).splitlines(keepends=True)]
    path.write_bytes(before.encode() + b"starting\n" + b"".join(lines))
    spans, skipped = read(path)
    assert spans == SPANS
    assert [error.partition(":")[0] for error in skipped] == ["1"]


@pytest.mark.parametrize("indent", [1, 2])
def test_the_lines_inside_a_document_are_no_lines_of_a_log(tmp_path: Path, indent: int) -> None:
    path = tmp_path / "spans"
    document = json.loads(otlp_document(SPANS))
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["status"] = {}
    text = json.dumps(document, indent=indent)
    path.write_text(text[:-1].rstrip() + ",\n}")
    assert read(path) == (SPANS, [])


def test_an_array_that_is_cut_is_no_line_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_bytes(b"[" + b",".join(otlp_lines(SPANS).splitlines()))
    with pytest.raises(UnreadableError, match=":1: the JSON ends early"):
        read(path)


def test_json_in_a_json_string_is_read(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_text(json.dumps(otlp_document(SPANS).decode()))
    assert read(path) == (SPANS, [])
    path.write_text("\n".join(json.dumps(line.decode()) for line in otlp_lines(SPANS).splitlines()))
    assert read(path) == (SPANS, [])
    path.write_text(json.dumps("a text"))
    with pytest.raises(UnreadableError, match="Expected `object`, got `str`"):
        read(path)


def _with_attributes(change: Any) -> bytes:
    document = json.loads(otlp_document(SPANS))
    for group in document["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                span["attributes"] = change(span["attributes"])
    return json.dumps(document).encode()


def _plain(value: dict[str, Any]) -> Any:
    ((kind, plain),) = value.items()
    return int(plain) if kind == "intValue" else plain


def test_attributes_may_be_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_bytes(_with_attributes(lambda pairs: {pair["key"]: _plain(pair["value"]) for pair in pairs}))
    assert read(path) == (SPANS, [])
    path.write_bytes(_with_attributes(lambda pairs: {pair["key"]: pair["value"] for pair in pairs}))
    assert read(path) == (SPANS, [])
    path.write_bytes(
        _with_attributes(lambda pairs: [{"key": pair["key"], "value": _plain(pair["value"])} for pair in pairs])
    )
    assert read(path) == (SPANS, [])


def test_plain_values_keep_their_types(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    attributes = {
        "text": "a",
        "number": 2,
        "share": 0.5,
        "cached": True,
        "none": None,
        "tags": ["a", 1, None],
        "nested": {"deep": {"list": [{"x": False}]}},
        "empty": {},
    }
    path.write_bytes(_with_attributes(lambda _: attributes))
    (first, *_), skipped = read(path)
    assert (first.attributes, skipped) == (
        {name: value for name, value in attributes.items() if name != "none"} | {"empty": None},
        [],
    )


@pytest.mark.parametrize("attributes", [5, "text", [5], [{"value": 1}], [{"key": 1, "value": 1}]])
def test_attributes_of_no_form_are_an_error(tmp_path: Path, attributes: Any) -> None:
    path = tmp_path / "spans"
    path.write_bytes(_with_attributes(lambda _: attributes))
    with pytest.raises(UnreadableError, match=r":1: not OTLP: .* at `\$\.resourceSpans"):
        read(path)


def test_the_line_of_a_wrong_field_is_that_of_its_value(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    wrong = json.dumps({"resourceSpans": [5], "more": ["\n"] * 3}, indent=1).encode()
    path.write_bytes(otlp_document(SPANS) + b"\n" + wrong + b"\n" + otlp_document(SPANS))
    spans, skipped = read(path)
    assert spans == SPANS * 2
    number = otlp_document(SPANS).count(b"\n") + 2
    assert skipped == [f"{number}: not OTLP: Expected `object`, got `int` - at `$.resourceSpans[0]`"]


@pytest.mark.parametrize("write", ["protobuf_with_lengths", "protobuf_varint_lengths"])
def test_what_stands_before_a_cut_message_is_read(tmp_path: Path, write: str) -> None:
    path = tmp_path / "spans"
    messages = [protobuf([span]) for span in SPANS]
    whole = b"".join(len(message).to_bytes(4, "big") + message for message in messages)
    if write == "protobuf_varint_lengths":
        whole = protobuf_varint_lengths(SPANS)
    path.write_bytes(whole[:-5])
    spans, skipped = read(path)
    assert [span.span_id for span in spans] == [span.span_id for span in SPANS[:-1]]
    assert skipped == ["None: its last message ends early"]
    with pytest.raises(UnreadableError, match="its last message ends early"):
        list(read_spans(path))


def test_a_request_that_is_cut_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_bytes(protobuf(SPANS)[:-5])
    with pytest.raises(UnreadableError, match="the protobuf ends early"):
        read(path)
    path.write_bytes(b"\n" + bytes(range(128, 256)))
    with pytest.raises(UnreadableError, match="binary data of an unknown format"):
        read(path)


def test_the_name_of_a_compressed_file_says_nothing_about_its_content(tmp_path: Path) -> None:
    for name, content in (
        ("spans.pb.gz", gzip.compress(protobuf(SPANS))),
        ("spans.json.gz", gzip.compress(otlp_document(SPANS))),
        ("spans.pb.zst", zstandard.compress(protobuf(SPANS))),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        spans, skipped = read(path)
        assert [span.span_id for span in spans] == [span.span_id for span in SPANS]
        assert skipped == []


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("spans.gz", gzip.compress(gzip.compress(b"{}")), "it is compressed twice"),
        ("spans.tgz", gzip.compress(b"spans.json" + bytes(500)), "it is a tar archive"),
        ("spans.tar", b"spans.json" + bytes(500), "it is a tar archive"),
        ("spans.csv.gz", gzip.compress(b"a,b\n1,2\n"), "it is a table in CSV"),
    ],
    ids=["gz", "tgz", "tar", "csv.gz"],
)
def test_other_kinds_of_files_are_called_what_they_are(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=problem):
        read(path)


def test_a_time_before_1970_is_out_of_range(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    document = json.loads(otlp_document(SPANS))
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["startTimeUnixNano"] = "-5"
    path.write_text(json.dumps(document))
    with pytest.raises(UnreadableError, match=":1: a time is out of range"):
        read(path)


def test_a_start_of_zero_is_none_where_the_end_is_a_time_of_day(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    document = json.loads(otlp_document(SPANS))
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["startTimeUnixNano"] = "0"
    path.write_text(json.dumps(document))
    assert read(path)[0][0].start_ns == 0
    span["endTimeUnixNano"] = "1795946400000000000"
    path.write_text(json.dumps(document))
    with pytest.raises(UnreadableError, match=":1: a span starts at 0 and ends at a time of day"):
        read(path)


def test_an_empty_name_is_no_folder() -> None:
    with pytest.raises(UnreadableError, match="'': the name is empty"):
        list(read_spans(""))
