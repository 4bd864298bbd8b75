"""Parquet is read row by row: what a broken row costs, what a file may decompress to, and what is called what it is."""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings
from otel_parallelism.model import SpanEvent, SpanRecord
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.parsing import opening
from tests.readers.test_any_format import a_trace
from tests.readers.written_formats import PARQUET, WRITERS, clickhouse_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra parquet)")
parquet = pytest.importorskip("pyarrow.parquet")

EVENT = SpanEvent("an event", {"key": "value"})


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    def to_file(content: Any) -> Path:
        path = tmp_path / "spans.parquet"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            parquet.write_table(content, path)
        return path

    return to_file


def read(path: Path, **settings: int) -> tuple[list[SpanRecord], list[UnreadableError]]:
    skipped: list[UnreadableError] = []
    return list(read_spans(path, skip=skipped.append, settings=Settings(**settings))), skipped


@pytest.mark.parametrize("layout", [layout for layout in PARQUET if "frame" not in layout.__name__])
def test_each_layout_keeps_source_scope_events_links_and_kind(write: Callable[[Any], Path], layout: Any) -> None:
    first, *_ = read(write(layout(a_trace(1))))[0]
    assert first.source.startswith("service.name=checkout")
    assert (first.instrumentation, first.kind) == ("a.scope", 1)
    assert (first.events, first.links) == ((EVENT,), ("00000000000000ff",))


def test_a_compressed_file_is_read_as_a_whole(write: Callable[[Any], Path]) -> None:
    spans = a_trace(1)
    content = WRITERS["tempo_block"](spans)
    assert len(read(write(gzip.compress(content)))[0]) == len(spans)
    with pytest.raises(UnreadableError, match="a value is longer than 500 bytes"):
        read(write(gzip.compress(content)), max_line_bytes=500)


@pytest.fixture
def block(tmp_path: Path) -> Path:
    """A block of Tempo whose spans have the names of tools in a dedicated column, without its ``meta.json``."""
    rows = parquet.read_table(io.BytesIO(WRITERS["tempo_block"](a_trace(1)))).to_pylist()
    for row in rows:
        for group in row["rs"]:
            group["Resource"]["DedicatedAttributes"] = {"String01": "instance-7", "String02": None}
            for span in (span for scope in group["ss"] for span in scope["Spans"]):
                tools = [pair for pair in span["Attrs"] if pair["Key"] == "gen_ai.tool.name"]
                span["Attrs"] = [pair for pair in span["Attrs"] if pair not in tools]
                span["DedicatedAttributes"] = {"String01": tools[0]["Value"][0] if tools else None, "Int01": []}
                span["HttpStatusCode"] = 200
                span["Events"][0]["DedicatedAttributes"] = {"Int01": [4], "String01": ["a", "b"]}
    path = tmp_path / "block" / "data.parquet"
    path.parent.mkdir()
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("long", [False, True])
def test_dedicated_columns_have_their_names_in_the_meta_json(block: Path, long: bool) -> None:
    columns = [
        *({"s": "resource", "n": "service.instance.id"}, {"n": "gen_ai.tool.name"}, {"n": "unused"}),
        *({"s": "event", "t": "int", "n": "count"}, {"s": "event", "n": "names", "o": ["array"]}),
    ]
    if long:
        names = {"s": "scope", "n": "name", "t": "type", "o": "options"}
        columns = [{names[key]: value for key, value in column.items()} for column in columns]
        columns[1] |= {"scope": "span", "type": "string"}
    (block.parent / "meta.json").write_text(json.dumps({"format": "vParquet5", "dedicatedColumns": columns}))
    spans, skipped = read(block)
    whole = {"http.status_code": 200}
    expected = {span.span_id: span.attributes | whole for span in a_trace(1)}
    assert ({span.span_id: span.attributes for span in spans}, skipped) == (expected, [])
    assert {span.source for span in spans} == {"service.name=checkout service.instance.id=instance-7"}
    assert spans[0].events == (SpanEvent("an event", {"key": "value", "count": 4, "names": ["a", "b"]}),)
    assert any("gen_ai.tool.name" in attributes for attributes in expected.values())


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        (None, "there is no readable meta.json beside it"),
        ("{broken", "the meta.json beside it is no JSON"),
        ("[]", "the meta.json beside it names other columns only"),
        ('{"dedicatedColumns": [{"s": "resource", "n": "a"}, {"s": 5}]}', "names other columns only"),
    ],
)
def test_dedicated_columns_without_names_are_told(block: Path, meta: str | None, problem: str) -> None:
    if meta is not None:
        (block.parent / "meta.json").write_text(meta)
    spans, (error,) = read(block)
    assert len(spans) == len(a_trace(1))
    assert any("DedicatedAttributes.String01" in span.attributes for span in spans)
    assert "(event Int01, event String01, " in str(error)
    assert "span String01): " in str(error)
    assert f"{problem}; expected the block's meta.json in the same folder" in str(error)
    with pytest.raises(UnreadableError, match="attributes in dedicated columns have no names"):
        list(read_spans(block))


def rows_of(count: int, **changes: Any) -> Any:
    """Return a table of *count* intact rows, with other *changes* of the row with a number."""
    rows = [json.loads(line) for line in clickhouse_json(a_trace(1)).splitlines()] * (count // len(a_trace(1)) + 1)
    for key, (at, value) in changes.items():
        rows[at] = rows[at] | {key: value}
    maps = pa.map_(pa.string(), pa.string())
    names = ("Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "Duration", "SpanAttributes")
    rows = [
        {name: row[name] for name in names} | {"SpanAttributes": list(row["SpanAttributes"].items())} for row in rows
    ]
    schema = pa.schema([(name, maps if name == "SpanAttributes" else pa.string()) for name in names])
    return pa.Table.from_pylist(rows[:count], schema=schema)


def test_a_row_that_cannot_be_read_costs_that_row(write: Callable[[Any], Path]) -> None:
    path = write(rows_of(600, SpanId=(0, ""), TraceId=(301, None), Timestamp=(599, "yesterday")))
    spans, skipped = read(path)
    assert len(spans) == 597
    assert [error.line for error in skipped] == [1, 302, 600]
    assert "an empty value is not an id" in str(skipped[0])
    assert not any("yesterday" in str(error) for error in skipped)
    with pytest.raises(UnreadableError, match=r"spans\.parquet:1: an empty value is not an id"):
        list(read_spans(path))


def replaced(table: Any, name: str, column: Any) -> Any:
    """Return *table* with another *column* called *name*; None for a table without it."""
    at = table.schema.get_field_index(name)
    return table.drop_columns([name]) if column is None else table.set_column(at, name, column)


@pytest.mark.parametrize("scale", [0, 4])
def test_decimals_are_whole_numbers(write: Callable[[Any], Path], scale: int) -> None:
    table = rows_of(len(a_trace(1)))
    whole = table["Duration"].cast(pa.int64()).cast(pa.decimal128(38, 0)).cast(pa.decimal128(38, scale))
    assert read(write(replaced(table, "Duration", whole))) == read(write(table))


@pytest.mark.parametrize("column", [None, pa.nulls(len(a_trace(1)), pa.int64())])
def test_spans_without_a_duration_have_not_ended(write: Callable[[Any], Path], column: Any) -> None:
    spans, skipped = read(write(replaced(rows_of(len(a_trace(1))), "Duration", column)))
    assert (len(spans), skipped) == (len(a_trace(1)), [])
    assert {span.end_ns for span in spans} == {0}


def test_a_map_can_be_a_list_of_keys_and_values(write: Callable[[Any], Path]) -> None:
    table = rows_of(len(a_trace(1)))
    pairs = [[{"key": key, "value": value} for key, value in row] for row in table["SpanAttributes"].to_pylist()]
    assert read(write(replaced(table, "SpanAttributes", pa.array(pairs)))) == read(write(table))


def test_ids_of_a_data_frame_can_be_binary(write: Callable[[Any], Path]) -> None:
    table = parquet.read_table(io.BytesIO(WRITERS["data_frame_parquet"](a_trace(1))))
    expected = read(write(table))
    for encode in (pa.scalar, lambda written: pa.scalar(bytes.fromhex(written) if written else None)):
        changed = table
        for name in ("context.trace_id", "context.span_id", "parent_id"):
            values = [encode(written).as_py() for written in table[name].to_pylist()]
            binary = [value.encode() if isinstance(value, str) else value for value in values]
            changed = replaced(changed, name, pa.array(binary, pa.binary()))
        assert read(write(changed)) == expected


def test_text_that_is_not_utf_8_costs_its_row(write: Callable[[Any], Path]) -> None:
    broken = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    table = rows_of(2)
    names = pa.chunked_array([broken, table["SpanName"].slice(1).combine_chunks()])
    table = table.set_column(table.schema.get_field_index("SpanName"), "SpanName", names)
    spans, (error,) = read(write(table))
    assert (len(spans), error.line, error.problem) == (1, 1, "a value cannot be read")


@pytest.mark.parametrize(("written", "name"), [(b"caf\xc3\xa9", "café"), (b"\xff", "\ufffd")])
def test_names_can_be_bytes(write: Callable[[Any], Path], written: bytes, name: str) -> None:
    names = pa.array([written, b"fine"], pa.binary())
    spans, skipped = read(write(replaced(rows_of(2), "SpanName", names)))
    assert ([span.name for span in spans], skipped) == ([name, "fine"], [])


def test_a_table_without_any_span_is_an_error(write: Callable[[Any], Path]) -> None:
    for columns, problem in (
        ({"a": [1, 2]}, ":1: its columns are those of no known layout of spans"),
        ({"Timestamp": [1], "SeverityText": ["INFO"], "Body": ["text"]}, "it holds logs and no spans"),
        ({"TimeUnix": [1], "MetricName": ["a"], "Value": [1.0]}, "it holds metrics and no spans"),
        ({"trace_id": ["a"], "achievable_ratio": [1.0]}, "it holds turns of this program's command fleet"),
        ({"a": pa.array([], pa.int64())}, "it has no rows"),
    ):
        with pytest.raises(UnreadableError, match=problem):
            read(write(pa.table(columns)))


def test_what_is_no_parquet_is_called_what_it_is(write: Callable[[Any], Path]) -> None:
    content = WRITERS["clickhouse_parquet"](a_trace(1))
    for broken in (b"PAR1 and more", content[:-20], content[:200] + content[300:]):
        with pytest.raises(UnreadableError, match="the Parquet data is broken"):
            read(write(broken))
    with pytest.raises(UnreadableError, match="an encrypted Parquet file"):
        read(write(b"PARE\0\0\0\0"))


def test_without_pyarrow_the_extra_is_named(write: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(WRITERS["tempo_block"](a_trace(1)))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnreadableError, match=r'it is a Parquet file; to read it, pip install "otel-parallelism\[parq'):
        read(path)


def test_a_file_that_decompresses_to_too_much_is_refused(
    write: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(rows_of(300))
    with pytest.raises(UnreadableError, match="more than 9,000 bytes; OTEL_PARALLELISM_MAX_DECOMPRESSED_BYTES raises"):
        read(path, max_decompressed_bytes=9_000)
    monkeypatch.setattr("otel_parallelism.readers.parquet.ANY_RATIO_BYTES", 100_000)
    assert opening.ANY_RATIO_BYTES == 100_000_000
    # A dictionary holds one long text, and each row refers to it.
    repeated = pa.table({"TraceId": ["x" * 10_000] * 1_000, "SpanAttributes": ["{}"] * 1_000})
    parquet.write_table(repeated, path, store_schema=False)
    with pytest.raises(UnreadableError, match="it decompresses to 200 times its size"):
        read(path)


@pytest.mark.slow
def test_few_rows_are_in_memory(write: Callable[[Any], Path]) -> None:
    pool = pa.default_memory_pool()
    table = rows_of(1_500)
    path = write(table)
    spans, before = read_spans(path), pool.bytes_allocated()
    most = max(pool.bytes_allocated() - before for _ in spans)
    assert 0 < most < table.nbytes / 2


def test_lists_of_a_data_frame_become_attributes(write: Callable[[Any], Path]) -> None:
    asked = {"message.tool_calls": [{"tool_call.id": "call_1", "tool_call.function.name": "get_x"}]}
    table = pa.table(
        {
            "context.trace_id": ["01"] * 2,
            "context.span_id": ["02", "03"],
            "name": ["llm", "tool"],
            "span_kind": ["LLM", "TOOL"],
            "start_time": pa.array([1_800_000_000_000_000_000] * 2, pa.timestamp("ns")),
            "end_time": pa.array([1_800_000_001_000_000_000] * 2, pa.timestamp("ns")),
            "attributes.llm.output_messages": [[asked, {"message.role": "assistant"}], None],
            "attributes.llm.token_count.prompt": [12.0, None],
        }
    )
    (span, _), _ = read(write(table))
    assert span.attributes == {
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call_1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_x",
        "llm.output_messages.1.message.role": "assistant",
        "llm.token_count.prompt": 12,
        "openinference.span.kind": "LLM",
    }


def test_values_of_tempo_that_are_no_scalars(write: Callable[[Any], Path]) -> None:
    table = parquet.read_table(io.BytesIO(WRITERS["tempo_block"](a_trace(1)[:1])))
    row = table.to_pylist()[0]
    nested = '{"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "5"}}]}}'
    empty = {"Value": [], "ValueInt": [], "ValueDouble": [], "ValueBool": []}
    row["rs"][0]["ss"][0]["Spans"][0]["Attrs"] = [
        {"Key": "list", "IsArray": True, **empty, "Value": ["a", "b"]},
        {"Key": "none", "IsArray": True, **empty},
        {"Key": "map", "IsArray": False, **empty, "ValueUnsupported": nested},
        {"Key": "yes", "IsArray": False, **empty, "ValueBool": [True]},
    ]
    (span,), _ = read(write(pa.Table.from_pylist([row], schema=table.schema)))
    assert span.attributes == {"list": ["a", "b"], "none": [], "map": {"a": "5"}, "yes": True}


@pytest.mark.many
def test_changed_bytes_of_each_layout_raise_nothing_else(write: Callable[[Any], Path]) -> None:
    choose = random.Random(4)  # noqa: S311 - not a secret
    for layout in PARQUET:
        content = layout(a_trace(1))
        for _ in range(5):
            broken = bytearray(content)
            for _ in range(choose.randint(1, 6)):
                broken[choose.randrange(len(broken))] = choose.randrange(256)
            try:
                read(write(bytes(broken)))
            except UnreadableError as error:
                assert error.path.endswith("spans.parquet")  # noqa: PT017 - anything else fails the test
