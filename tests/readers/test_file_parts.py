"""Files in parts: all parts together give the spans and the errors of the whole file, for any format and any damage."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.errors import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.file_parts import FilePart, PartReader, file_parts
from otel_parallelism.readers.part_outcomes import PartOutcome, must_be_read_whole, report_errors
from otel_parallelism.settings import Settings
from tests.amounts import THOROUGH
from tests.fleet.month import month
from tests.readers.hostile_files import hostile_file
from tests.readers.written_formats import WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otel_parallelism.model import SpanRecord

    Read = Callable[[Callable[[UnreadableError], None]], list[SpanRecord]]

TIMES = 300 if THOROUGH else 20
SETTINGS = Settings()
LINE = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%032x","spanId":"%016x","startTimeUnixNano":1}]}]}]}\n'
METRICS = b'{"resourceMetrics":[]}\n'


def told(read: Read) -> tuple[list[SpanRecord], list[str], str]:
    """Return the spans, what is skipped, and the error that ends the reading."""
    skipped: list[str] = []
    try:
        return read(lambda error: skipped.append(str(error))), skipped, ""
    except UnreadableError as error:
        return [], skipped, str(error)


def whole(path: Path, settings: Settings = SETTINGS) -> tuple[list[SpanRecord], list[str], str]:
    return told(lambda skip: list(read_spans(path, None, skip, settings)))


def read_part(part: FilePart, settings: Settings) -> tuple[list[SpanRecord], PartOutcome]:
    reader = PartReader(part, settings)
    return list(reader.spans()), reader.outcome


def in_parts(path: Path, size: int, settings: Settings = SETTINGS) -> tuple[list[SpanRecord], list[str], str]:
    def read(skip: Callable[[UnreadableError], None]) -> list[SpanRecord]:
        found = [read_part(part, settings) for part in file_parts(str(path), settings, size)]
        if must_be_read_whole([outcome for _, outcome in found]):
            found = [read_part(FilePart(str(path)), settings)]
        counted = report_errors(str(path), [outcome for _, outcome in found], skip)
        return [span for spans, _ in found[:counted] for span in spans]

    return told(read)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.slow
def test_parts_of_every_format_give_its_spans(tmp_path: Path, name: str) -> None:
    path = tmp_path / "spans"
    path.write_bytes(WRITERS[name]([span for trace in month(9) for span in trace]))
    parts = file_parts(str(path), SETTINGS, 500)
    assert in_parts(path, 500) == whole(path)
    several = {"otlp_lines": "lines", "protobuf_with_lengths": "messages", "clickhouse_parquet": "row groups"}
    if name in several:
        assert len(parts) > 5
        assert {part.kind for part in parts} == {several[name]}


@pytest.mark.many
@pytest.mark.slow
def test_damaged_files_in_parts_give_the_same_spans_and_errors(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    divided = 0
    for seed in range(TIMES):
        choose = random.Random(seed)  # noqa: S311 - a sample, no secret
        path.write_bytes(hostile_file(choose))
        size = choose.choice((40, 300, 2000))
        divided += len(file_parts(str(path), SETTINGS, size)) > 1
        assert in_parts(path, size) == whole(path), seed
    assert divided > TIMES / 10


@pytest.mark.parametrize(
    "content",
    [
        LINE % (1, 1) + b"{\n" + LINE % (1, 2) * 5 + b"{]}\n\n{}\n" + LINE % (2, 1),
        b"\xef\xbb\xbf" + LINE % (1, 1) * 3 + b"{no}\n",
        b"\n\n" + LINE % (1, 1) + b"\xef\xbb\xbf" + LINE % (1, 2),
        METRICS * 40,
        METRICS * 20 + b"{no}\n" * 9,
        b"{no}\n" * 99,
        LINE % (1, 1) + (LINE % (1, 2)).strip() + LINE % (1, 3),
        b"{}\n" + LINE % (1, 1) + b"{no}\r\n" * 3000 + LINE % (1, 2),
        LINE % (1, 1) + b" " * 400 + b"\n" + LINE % (1, 2) + b'{"resourceSpans":[',
    ],
)
def test_errors_name_the_lines_of_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "spans"
    path.write_bytes(content)
    assert len(file_parts(str(path), SETTINGS, 30)) > 1
    expected = whole(path)
    for size in (30, 31, 70, 333):
        spans, skipped, error = in_parts(path, size)
        assert (spans, skipped[:1000], len(skipped), error) == (
            *(expected[0], expected[1][:1000]),
            *(len(expected[1]), expected[2]),
        )


def test_a_line_that_is_too_long_ends_the_file_in_parts_too(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_bytes(LINE % (1, 1) + b'{"a":"' + b"x" * 3000 + b'"}\n' + LINE % (1, 2) * 30)
    settings = Settings(max_line_bytes=1000)
    expected = whole(path, settings)
    assert len(expected[0]) == len(expected[1]) == 1
    assert in_parts(path, 200, settings) == expected


def test_small_compressed_and_missing_files_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_bytes(b"\x1f\x8b" + b"\0" * 999)
    assert file_parts(str(path), SETTINGS, 10) == [FilePart(str(path))]
    path.write_bytes(LINE % (1, 1))
    assert file_parts(str(path), SETTINGS, 1000) == [FilePart(str(path))]
    assert file_parts("-", SETTINGS, 10) == [FilePart("-")]
    missing = tmp_path / "nowhere"
    assert in_parts(missing, 10) == whole(missing)
