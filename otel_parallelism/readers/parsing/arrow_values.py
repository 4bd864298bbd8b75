"""
Reads the columns of an Arrow batch as Python objects, whole columns at a time.

pyarrow converts one value after another through an object of its own. Numbers and texts, and the offsets of lists and
maps, lie in buffers that Python reads at once. What has another layout is left to pyarrow.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any, Final

from .json_fields import without_empty

_SCALARS: Final = frozenset({str, int, float, bool, bytes, type(None)})
_NUMBERS: Final = {"int32": "i", "int64": "q", "uint32": "I", "uint64": "Q", "double": "d"}
"""The types of numbers that lie in a buffer as `struct` writes them, and its formats for them."""


def column_values(pa: Any, column: Any) -> list[Any]:
    """
    Return the values of *column*; objects in them have texts as keys, and no fields that are null.

    Args:
        pa: The module `pyarrow`.
        column: A `pyarrow.Array`, without times, which Python has to the microsecond only.

    Raises:
        ValueError: A text is no UTF-8, or pyarrow cannot convert a value.
        OverflowError: As above.
    """
    if not len(column):
        return []
    read = _reader(pa, column.type)
    if read is None:
        return [_plain(value) for value in column.to_pylist(maps_as_pydicts="lossy")]
    values: list[Any] = read(pa, column)
    if column.null_count:
        return [value if valid else None for value, valid in zip(values, column.is_valid().to_pylist(), strict=True)]
    return values


def value_of(scalar: Any) -> Any:
    """Return the value of one *scalar* of a column, as `column_values` returns it."""
    return _plain(scalar.as_py(maps_as_pydicts="lossy"))


def _reader(pa: Any, kind: Any) -> Any:
    """Return what reads the values of a column of *kind*, nulls as anything; None if only pyarrow can."""
    types = pa.types
    if str(kind) in _NUMBERS:
        return _numbers
    if types.is_string(kind):
        return _texts
    if types.is_binary(kind):
        return _byte_strings
    if types.is_map(kind):
        return _maps if types.is_string(kind.key_type) else None
    if types.is_list(kind):
        return _lists
    return _structs if types.is_struct(kind) and len({field.name for field in kind}) == kind.num_fields else None


def _numbers(_: Any, column: Any) -> list[Any]:
    return _of_buffer(column.buffers()[1], _NUMBERS[str(column.type)], column.offset, len(column))


def _of_buffer(buffer: Any, form: str, start: int, count: int) -> list[Any]:
    """Return *count* numbers of the `struct` format *form* from number *start* of *buffer* on."""
    size = struct.calcsize(form)
    return memoryview(buffer)[start * size : (start + count) * size].cast(form).tolist()  # type: ignore[call-overload,no-any-return]


def _pieces(column: Any) -> tuple[bytes, list[int]]:
    """Return the bytes of a *column* of texts or bytes, and where in them each begins and the last ends."""
    _, offsets, data = column.buffers()
    ends = _of_buffer(offsets, "i", column.offset, len(column) + 1)
    first, last = ends[0], ends[-1]
    if data is None or first == last:
        return b"", [0] * len(ends)
    return data.slice(first, last - first).to_pybytes(), [end - first for end in ends] if first else ends


def _texts(_: Any, column: Any) -> list[str]:
    data, ends = _pieces(column)
    if data.isascii():
        text = data.decode("ascii")
        return [text[start:end] for start, end in pairwise(ends)]
    return [data[start:end].decode() for start, end in pairwise(ends)]


def _byte_strings(_: Any, column: Any) -> list[bytes]:
    data, ends = _pieces(column)
    return [data[start:end] for start, end in pairwise(ends)]


def _extents(column: Any) -> tuple[int, int, list[tuple[int, int]]]:
    """Return where the items of a *column* of lists or maps begin, how many they are, and which of them each has."""
    ends = _of_buffer(column.buffers()[1], "i", column.offset, len(column) + 1)
    first = ends[0]
    return first, ends[-1] - first, [(start - first, end - first) for start, end in pairwise(ends)]


def _lists(pa: Any, column: Any) -> list[list[Any]]:
    first, count, extents = _extents(column)
    items = column_values(pa, column.values.slice(first, count))
    return [items[start:end] for start, end in extents]


def _maps(pa: Any, column: Any) -> list[dict[str, Any]]:
    first, count, extents = _extents(column)
    keys = _shared_texts(pa, column.keys.slice(first, count))
    found = column.items.slice(first, count)
    items = column_values(pa, found)
    if found.null_count:
        pairs = list(zip(keys, items, strict=True))
        return [without_empty(dict(pairs[start:end])) for start, end in extents]
    return [dict(zip(keys[start:end], items[start:end], strict=True)) for start, end in extents]


def _shared_texts(pa: Any, column: Any) -> list[str]:
    """Return a *column* of texts that recur, each as one object."""
    encoded = column.dictionary_encode()
    texts = column_values(pa, encoded.dictionary)
    return [texts[index] for index in column_values(pa, encoded.indices)]


def _structs(pa: Any, column: Any) -> list[dict[str, Any]]:
    names = [field.name for field in column.type]
    fields = column.flatten()
    rows = zip(*(column_values(pa, field) for field in fields), strict=True) if fields else iter([()] * len(column))
    if any(field.null_count for field in fields):
        return [without_empty(dict(zip(names, row, strict=True))) for row in rows]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    """Return *value*; nested objects have no fields that are null, which those of other rows have."""
    if isinstance(value, dict):
        return {
            key if type(key) is str else _key(key): item if type(item) in _SCALARS else _plain(item)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        return [item if type(item) in _SCALARS else _plain(item) for item in value]
    return value


def _key(key: object) -> str:
    """Return the *key* of a map as text; some writers have all text as bytes."""
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
