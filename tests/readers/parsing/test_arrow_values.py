"""Columns of Arrow have the values that pyarrow gives for each row, whatever their layout and wherever they begin."""

from __future__ import annotations

from typing import Any

import pytest

from otel_parallelism.readers.parsing.arrow_values import column_values, value_of

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra parquet)")

TEXTS = pa.map_(pa.string(), pa.string())
BYTES = pa.map_(pa.binary(), pa.binary())
EVENT = pa.struct([("name", pa.string()), ("attributes", TEXTS)])
COLUMNS = {
    "numbers": (pa.int64(), [1, None, -(2**63), 4]),
    "unsigned": (pa.uint64(), [2**64 - 1, 0, None, 7]),
    "fractions": (pa.float64(), [0.5, None, 1e300, -0.0]),
    "truths": (pa.bool_(), [True, None, False, True]),
    "texts": (pa.string(), ["a", None, "", "bc"]),
    "other letters": (pa.string(), ["ä", "日本", None, "plain"]),
    "long texts": (pa.large_string(), ["a", None, "", "bc"]),
    "bytes": (pa.binary(), [b"\xff", None, b"", b"bc"]),
    "recurring texts": (pa.dictionary(pa.int32(), pa.string()), ["a", None, "a", "b"]),
    "lists": (pa.list_(pa.string()), [["a", None], None, [], ["b"]]),
    "lists of lists": (pa.list_(pa.list_(pa.int64())), [[[1], [], None], None, [], [[2, 3]]]),
    "maps": (TEXTS, [[("a", "1"), ("b", None)], None, [], [("a", "2"), ("c", "")]]),
    "maps of bytes": (BYTES, [[(b"a", b"\xff")], None, [], [(b"b", None)]]),
    "lists of maps": (pa.list_(TEXTS), [[[("a", "1")], None], None, [], [[], [("b", "2")]]]),
    "objects": (EVENT, [{"name": "x", "attributes": [("a", "1")]}, None, {"name": None}, {"name": "y"}]),
    "lists of objects": (pa.list_(EVENT), [[{"name": "x"}], None, [], [{"attributes": [("b", "2")]}, None]]),
}


@pytest.mark.parametrize("begin", [0, 1, 3, 4])
@pytest.mark.parametrize("name", list(COLUMNS))
def test_a_column_has_the_values_of_its_rows(name: str, begin: int) -> None:
    kind, values = COLUMNS[name]
    column = pa.array(values, kind).slice(begin)
    assert column_values(pa, column) == [value_of(one) for one in column]


def test_of_equal_keys_the_last_counts() -> None:
    column: Any = pa.array([[("a", "1"), ("b", "2"), ("a", "3")]], TEXTS)
    assert column_values(pa, column) == [{"a": "3", "b": "2"}]


def test_maps_of_maps() -> None:
    # Not compared with pyarrow: old versions give an inner map as a list.
    column = pa.array([[("a", [("b", None), ("c", "1")])], None, [], [("d", None)]], pa.map_(pa.string(), TEXTS))
    assert column_values(pa, column) == [{"a": {"c": "1"}}, None, {}, {}]


def test_nested_objects_have_no_fields_that_are_null() -> None:
    kind, values = COLUMNS["lists of objects"]
    assert column_values(pa, pa.array(values, kind)) == [
        [{"name": "x"}],
        None,
        [],
        [{"attributes": {"b": "2"}}, None],
    ]


def test_a_text_that_is_no_utf_8_is_an_error() -> None:
    broken = pa.array([b"fine", b"\xff"], pa.binary()).view(pa.string())
    with pytest.raises(UnicodeDecodeError):
        column_values(pa, broken)
