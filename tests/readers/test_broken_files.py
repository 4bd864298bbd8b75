"""Whatever a file contains, reading it yields spans or raises the one error that names the file."""

from __future__ import annotations

import base64
import gc
import gzip
import itertools
import json
import random
import tracemalloc
import weakref
import zlib
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism import Settings, analyze_spans
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.parsing import opening
from otel_parallelism.readers.parsing.node_objects import json_of
from tests.amounts import THOROUGH, some_of
from tests.bench.fuzz import fuzz, limited
from tests.readers.test_any_format import a_trace
from tests.readers.written_exports import EXPORTS
from tests.readers.written_formats import WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otel_parallelism.model import SpanRecord


def read_all(path: Path, skip: Any) -> tuple[list[SpanRecord], UnreadableError | None]:
    spans: list[SpanRecord] = []
    try:
        spans.extend(read_spans(path, skip=skip))
    except UnreadableError as error:
        return spans, error
    return spans, None


def survives(path: Path) -> int:
    """Return how many spans are read if broken lines are skipped; analysing them raises nothing."""
    spans: list[SpanRecord] = []
    for skip in (None, lambda _: None):
        spans, problem = read_all(path, skip)
        assert problem is None or problem.path == str(path)
    for report in analyze_spans(spans).reports:
        json.loads(report.to_json())
    return len(spans)


@pytest.mark.slow
def test_changed_bytes_raise_nothing_else(tmp_path: Path) -> None:
    choose = random.Random(8)  # noqa: S311 - not a secret
    path = tmp_path / "spans"
    for write in (WRITERS | EXPORTS).values():
        content = write(a_trace(2))
        for _ in range(3):
            broken = bytearray(content)
            for _ in range(choose.randint(1, 6)):
                broken[choose.randrange(len(broken))] = choose.randrange(256)
            cut = bytes(broken[: choose.randrange(len(broken))]) if choose.random() < 0.5 else bytes(broken)
            path.write_bytes(gzip.compress(cut)[: choose.randrange(20, 4000)] if choose.random() < 0.2 else cut)
            survives(path)


@given(st.binary(max_size=400))
def test_any_bytes_raise_nothing_else(tmp_path_factory: Any, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "spans"
    path.write_bytes(content)
    survives(path)


@pytest.mark.many
@pytest.mark.slow
def test_hostile_files_and_spans_give_well_formed_reports() -> None:
    # Coverage and a busy machine take their time; the bench measures it.
    tally = fuzz(2_000 if THOROUGH else 20, seed=3, patience=10)
    assert tally.spans > tally.tried
    assert tally.failures == {}


def test_an_intact_file_survives_whole(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    spans = a_trace(2)
    for write in (WRITERS | EXPORTS).values():
        path.write_bytes(write(spans))
        assert survives(path) == len(spans)


BOMB = b'{"resourceSpans": [' + b" " * 3_000_000


@pytest.mark.parametrize("pack", [lambda data: gzip.compress(data, 1), zstandard.ZstdCompressor().compress])
def test_a_small_file_that_decompresses_to_a_huge_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Any
) -> None:
    monkeypatch.setattr(opening, "ANY_RATIO_BYTES", 1_000_000)
    path = tmp_path / "spans"
    path.write_bytes(pack(BOMB))
    with pytest.raises(UnreadableError, match=r"spans:1: it decompresses to 200 times its size"):
        list(read_spans(path))


def lines_of(path: Path, settings: Settings, content: bytes) -> tuple[int, list[UnreadableError]]:
    """Return how many spans are read of a file with *content*, and what is skipped."""
    path.write_bytes(content)
    skipped: list[UnreadableError] = []
    return len(list(read_spans(path, skip=skipped.append, settings=settings))), skipped


def test_what_stands_before_a_limit_is_read(tmp_path: Path) -> None:
    path, lines = tmp_path / "spans", WRITERS["otlp_lines"](a_trace(2))
    first = lines.splitlines(keepends=True)[0]
    content = first + b'{"a": "' + b"x" * 9_000 + b'"}\n' + lines
    for settings, written, problem in (
        (Settings(max_line_bytes=8_000), content, "longer than 8,000 bytes; OTEL_PARALLELISM_MAX_LINE_BYTES raises"),
        (Settings(max_decompressed_bytes=9_000), gzip.compress(content), "more than 9,000 bytes; OTEL_PARALLELISM_MAX"),
        (Settings(max_decompressed_bytes=2_000), gzip.compress(content), "more than 2,000 bytes; OTEL_PARALLELISM_MAX"),
    ):
        spans, (error,) = lines_of(path, settings, written)
        assert (spans, error.line) == (1, 2)
        assert problem in error.problem


def test_a_document_and_a_binary_file_have_the_limit_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    for name in ("otlp_document", "protobuf"):
        path.write_bytes(WRITERS[name](a_trace(2)))
        with pytest.raises(UnreadableError, match="a value is longer than 500 bytes"):
            list(read_spans(path, settings=Settings(max_line_bytes=500)))


PIECES = ("{\n", "[\n", "[1,\n", '{"a":[\n', "{ a: 1,\n", "{ a: 'b\n", "'a' + ", "ab: ", "}\n")
AROUND = (("", ""), ("{\n", "\n}\n"), ("other output\n", "\n}"), ('{"a": 1}\n', ""))


@pytest.mark.many
@pytest.mark.parametrize(("piece", "around"), some_of(itertools.product(PIECES, AROUND), 9))
@pytest.mark.slow
def test_many_broken_values_are_read_in_little_time(tmp_path: Path, piece: str, around: tuple[str, str]) -> None:
    path = tmp_path / "spans"
    path.write_text(around[0] + piece * (60_000 // len(piece)) + around[1])
    with limited(20):  # seconds; some tenths are needed, and much more if the time is quadratic
        assert survives(path) == 0


@pytest.mark.slow
def test_the_last_error_says_that_the_rest_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    document = json.dumps(json.loads(WRITERS["otlp_document"](a_trace(1))), indent=1)
    path.write_text(document + "\n" + "{]\n" * 12_000 + document)
    errors: list[UnreadableError] = []
    spans = list(read_spans(path, skip=errors.append))
    assert len(spans) == len(a_trace(1))
    assert len(errors) < 10_010
    assert "too much is broken to read on" in str(errors[-1])


def test_long_text_as_node_prints_it_takes_little_memory() -> None:
    text = "{ x: '" + "(a" * 100_000 + "' }"
    tracemalloc.start()
    try:
        assert json_of(text) == '{"x":"' + "(a" * 100_000 + '"}'
        assert tracemalloc.get_traced_memory()[1] < 10 * len(text)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        b'{"resourceSpans": [1]}\n',
        b'{\n "batches": [\n  "text"\n ]\n}\n',
        b'{"resourceSpans": []\n',
        b'{"foo": 1}\n{"foo": 2}\n',
        b'[{"foo": 1}]\n',
    ],
)
def test_what_was_read_before_an_error_is_freed_without_a_collection(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "spans.json"
    path.write_bytes(content)
    left: list[weakref.ref[UnreadableError]] = []
    gc.collect()
    gc.disable()
    try:
        try:
            list(read_spans(path))
        except UnreadableError as error:
            left.append(weakref.ref(error))
        assert [reference() for reference in left] == [None]
    finally:
        gc.enable()


TRACE = a_trace(1)
LINES = WRITERS["otlp_lines"](TRACE).splitlines(keepends=True)


def read_and_skipped(path: Path) -> tuple[int, list[str]]:
    skipped: list[str] = []
    return len(list(read_spans(path, skip=lambda error: skipped.append(str(error))))), skipped


def test_zstd_that_ends_early_at_the_end_of_a_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spans.zst"
    compressor = zstandard.ZstdCompressor().compressobj()
    path.write_bytes(compressor.compress(b"".join(LINES)) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    found, skipped = read_and_skipped(path)
    assert found == len(TRACE)
    problem = "the compressed data is broken (the last zstd frame is not complete)"
    assert skipped == [f"{path}:{len(LINES) + 1}: {problem}; expected complete compressed data"]


def test_lines_before_the_cut_of_gzip_are_read(tmp_path: Path) -> None:
    path = tmp_path / "spans.gz"
    compressor = zlib.compressobj(wbits=31)
    path.write_bytes(compressor.compress(b"".join(LINES)) + compressor.flush(zlib.Z_SYNC_FLUSH))
    found, skipped = read_and_skipped(path)
    assert found == len(TRACE)
    assert [one.partition("; ")[0].partition(" (")[0] for one in skipped] == [
        f"{path}:{len(LINES) + 1}: the compressed data is broken"
    ]


def test_zstd_may_begin_with_a_frame_to_skip(tmp_path: Path) -> None:
    path = tmp_path / "spans.zst"
    frames = [zstandard.compress(line) for line in LINES]
    path.write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0size" + b"".join(frames))
    assert read_and_skipped(path) == (len(TRACE), [])
    path.write_bytes(frames[0].strip(b"\n") + b"garbage")
    assert read_and_skipped(path)[1][0].startswith(f"{path}:2: the compressed data is broken")


@pytest.mark.parametrize("indent", [None, 1])
def test_half_of_a_surrogate_pair_costs_nothing(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "spans"
    name = next(span.name for span in TRACE)
    halves = name + "\ud83d \\\\ud83d \ud83d\ude00 \ude00"
    requests = [json.loads(line) for line in LINES]
    text = "\n".join(json.dumps(request, indent=indent) for request in requests)
    path.write_text(text.replace(json.dumps(name), json.dumps(halves)))
    found = list(read_spans(path))
    assert len(found) == len(TRACE)
    assert name + "\ufffd \\\\ud83d \N{GRINNING FACE} \ufffd" in {span.name for span in found}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_ids_in_base64_without_padding_are_those_in_hex(tmp_path: Path, encode: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "spans"
    span_id, trace_id = b"\xfb\xef\xbe\0\0\0\0\x01", b"\xfb" * 15 + b"\xff"
    span = {"startTimeUnixNano": 1, "name": "x", "endTimeUnixNano": 2}
    spans = [
        span | {"traceId": trace_id.hex().upper(), "spanId": span_id.hex()},
        span
        | {
            "traceId": encode(trace_id).decode().rstrip("="),
            "spanId": encode(span_id).decode().rstrip("="),
            "parentSpanId": encode(span_id).decode(),
        },
    ]
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    one, two = read_spans(path)
    assert (one.trace_id, one.span_id) == (two.trace_id, two.span_id) == (trace_id.hex(), span_id.hex())
    assert two.parent_id == span_id.hex()


@pytest.mark.parametrize("compress", [bytes, zstandard.compress])
def test_empty_messages_end_nothing(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    """The Collector writes a request without spans as a message without bytes."""
    path = tmp_path / "spans"
    requests = [compress(WRITERS["protobuf"]([span])) for span in TRACE]
    empty = bytes(4)
    messages = [len(request).to_bytes(4, "big") + request for request in requests]
    path.write_bytes(empty + empty.join(messages) + empty * 2)
    assert read_and_skipped(path) == (len(TRACE), [])
    path.write_bytes(empty * 9)
    with pytest.raises(UnreadableError):
        list(read_spans(path))


@pytest.mark.parametrize("written", ["protobuf", "otlp_document"])
def test_compressed_messages_that_are_broken_cost_only_themselves(tmp_path: Path, written: str) -> None:
    """The Collector compresses each message, and the last one can still be being written."""
    path = tmp_path / "spans"
    requests = [zstandard.compress(WRITERS[written]([span])) for span in TRACE]
    messages = [len(request).to_bytes(4, "big") + request for request in requests]
    path.write_bytes(b"".join(messages)[:-5])
    found, skipped = read_and_skipped(path)
    assert found == len(TRACE) - 1
    assert [one.partition("; ")[0] for one in skipped] == [f"{path}:{len(TRACE)}: the last message ends early"]
    path.write_bytes(messages[0] + messages[1][:30] + bytes(len(messages[1]) - 30) + b"".join(messages[2:]))
    found, skipped = read_and_skipped(path)
    assert found == len(TRACE) - 1
    assert [one.partition(" (")[0] for one in skipped] == [f"{path}:2: the compressed data is broken"]
    with pytest.raises(UnreadableError, match=":2: the compressed data is broken"):
        list(read_spans(path))
