"""Times in another unit than the format's are refused, and those of clocks that start near zero are not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from otel_parallelism.errors import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.file_parts import FilePart, PartReader, file_parts
from otel_parallelism.readers.part_outcomes import must_be_read_whole
from otel_parallelism.settings import Settings
from tests.fleet.month import month
from tests.readers.written_formats import WRITERS

if TYPE_CHECKING:
    from pathlib import Path

    from otel_parallelism.model import SpanRecord

S = 10**9
SPANS = [span for trace in month(3) for span in trace]
FIRST_NS = min(span.start_ns for span in SPANS)
UNITS = {"microseconds": 10**3, "milliseconds": 10**6, "seconds": S}
NANOSECONDS = ("otlp_lines", "otlp_document", "protobuf", "protobuf_with_lengths", "datadog", "tempo_vparquet4")


def changed(spans: list[SpanRecord], *, after_ns: int = 0, divided: int = 1) -> list[SpanRecord]:
    """Return *spans* with their times *after_ns* later, and then divided."""
    return [
        msgspec.structs.replace(
            span, start_ns=(span.start_ns + after_ns) // divided, end_ns=(span.end_ns + after_ns) // divided
        )
        for span in spans
    ]


def read(path: Path) -> tuple[list[SpanRecord], list[str]]:
    skipped: list[str] = []
    return list(read_spans(path, skip=lambda error: skipped.append(str(error)))), skipped


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", [name for name in NANOSECONDS if name in WRITERS])
def test_another_unit_is_an_error_that_says_so(tmp_path: Path, name: str, unit: str) -> None:
    path = tmp_path / "spans"
    path.write_bytes(WRITERS[name](changed(SPANS, divided=UNITS[unit])))
    with pytest.raises(UnreadableError) as caught:
        read(path)
    assert f"the times are of January 1970; {UNITS[unit]:,} times as large, they are of 2026" in str(caught.value)
    assert caught.value.expected == "times in the unit of the format, such as nanoseconds since 1970 in OTLP"


@pytest.mark.parametrize("start_s", [0, 1e-9, 1, 1.5, 90, 25 * 60, 3 * 86_400, 40 * 86_400])
@pytest.mark.parametrize("name", ["otlp_lines", "protobuf"])
def test_clocks_that_start_near_zero_are_accepted(tmp_path: Path, name: str, start_s: float) -> None:
    path = tmp_path / "spans"
    near_zero = changed(SPANS, after_ns=round(start_s * S) - FIRST_NS)
    path.write_bytes(WRITERS[name](near_zero))
    found, skipped = read(path)
    assert (len(found), skipped) == (len(SPANS), [])


def test_moments_alone_show_no_unit(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    moments = [msgspec.structs.replace(span, end_ns=span.start_ns) for span in changed(SPANS, divided=S)]
    path.write_bytes(WRITERS["otlp_lines"](moments))
    assert len(read(path)[0]) == len(SPANS)


def test_a_program_with_another_unit_costs_its_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_bytes(WRITERS["otlp_lines"](SPANS[:8]) + WRITERS["otlp_lines"](changed(SPANS[8:], divided=10**6)))
    lines = WRITERS["otlp_lines"](SPANS[:8]).count(b"\n")
    found, skipped = read(path)
    assert found == list(read_spans_of(tmp_path, SPANS[:8]))
    assert skipped[0].startswith(f"{path}:{lines + 1}: the times are of January 1970; 1,000,000 times as large")


def read_spans_of(folder: Path, spans: list[SpanRecord]) -> list[SpanRecord]:
    path = folder / "others"
    path.write_bytes(WRITERS["otlp_lines"](spans))
    return read(path)[0]


def test_parts_of_a_file_leave_the_decision_to_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    short = [
        msgspec.structs.replace(SPANS[0], span_id=f"{at:016x}", start_ns=at * 10**10, end_ns=at * 10**10 + 5)
        for at in range(1, 200)
    ]
    path.write_bytes(WRITERS["otlp_lines"](short))
    assert read(path) == (read_spans_of(tmp_path, short), [])
    outcomes = []
    for part in file_parts(str(path), Settings(), 3_000):
        reader = PartReader(part, Settings())
        list(reader.spans())
        outcomes.append(reader.outcome)
    assert must_be_read_whole(outcomes)
    whole = PartReader(FilePart(str(path)), Settings())
    assert len(list(whole.spans())) == len(short)


@pytest.mark.parametrize("name", ["otlp_lines", "protobuf", "protobuf_with_lengths"])
def test_a_span_without_a_start_or_of_years_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "spans"
    for start_ns, problem in ((0, "a span starts at 0 and ends at a time of day"), (5, "a span lasts for more than")):
        path.write_bytes(WRITERS[name]([msgspec.structs.replace(SPANS[0], start_ns=start_ns)]))
        with pytest.raises(UnreadableError, match=problem):
            read(path)


def test_protobuf_with_a_zero_id_is_refused_and_costs_its_message(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    for field in ("trace_id", "span_id"):
        zero = msgspec.structs.replace(SPANS[0], **{field: "0" * len(getattr(SPANS[0], field))})
        bad, good = (WRITERS["protobuf_with_lengths"]([span]) for span in (zero, SPANS[0]))
        path.write_bytes(good + bad)
        found, skipped = read(path)
        assert len(found) == 1
        assert [one.partition("; ")[0] for one in skipped] == [f"{path}:2: an empty or zero text is not an id"]
        path.write_bytes(bad)
        with pytest.raises(UnreadableError, match="an empty or zero text is not an id"):
            read(path)


def test_a_time_in_another_unit_is_no_year_far_in_the_future(tmp_path: Path) -> None:
    path = tmp_path / "spans.json"
    document = json.loads(WRITERS["jaeger"](SPANS))
    for trace in document["data"]:
        for span in trace["spans"]:
            span["startTime"] *= 1_000
    path.write_text(json.dumps(document))
    with pytest.raises(UnreadableError, match="a time is out of range"):
        read(path)
