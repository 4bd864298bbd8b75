"""Turns a table in one of the forms in which pandas writes JSON into rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .json_fields import Fields

_IDS: Final = frozenset({"span_id", "spanId", "context.span_id", "run_type", "traceId", "spans"})
"""A table with one of these columns may be one of spans."""


def frame_rows(data: Fields) -> list[Fields] | None:
    """
    Return the rows of *data*, a table by columns, by rows, or split into names and values; None if it is none.

    >>> frame_rows({"span_id": {"0": "a"}, "name": {"0": "b"}})
    [{'span_id': 'a', 'name': 'b'}]
    >>> frame_rows({"columns": ["span_id", "name"], "index": [0], "data": [["a", "b"]]})
    [{'span_id': 'a', 'name': 'b'}]
    >>> frame_rows({"0": {"span_id": "a", "name": "b"}})
    [{'span_id': 'a', 'name': 'b'}]
    """
    columns, values = data.get("columns"), data.get("data")
    if isinstance(columns, list) and isinstance(values, list):
        return [dict(zip(map(str, columns), row, strict=False)) for row in values if isinstance(row, list)]
    if _IDS & data.keys() and len(data) > 1:
        return _by_columns(data)
    inner = list(data.values())
    if inner and all(isinstance(row, dict) and _IDS & row.keys() for row in inner):
        return [row for row in inner if isinstance(row, dict)]
    return None


def _by_columns(data: Fields) -> list[Fields] | None:
    """Return the rows of a table whose columns are all objects with the same keys, or all lists of one length."""
    columns = [column if isinstance(column, dict | list) else None for column in data.values()]
    first = columns[0] if columns else None
    if isinstance(first, list):
        if any(not isinstance(column, list) or len(column) != len(first) for column in columns):
            return None
        return [dict(zip(data, row, strict=True)) for row in zip(*filter(None, columns), strict=True)]
    if first is None or any(not isinstance(column, dict) or column.keys() != first.keys() for column in columns):
        return None
    return [{name: column[key] for name, column in data.items() if isinstance(column, dict)} for key in first]
