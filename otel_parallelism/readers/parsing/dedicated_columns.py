"""The dedicated columns of a Tempo block: its data has the values of the attributes, its meta.json their names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.errors import UnreadableError
from otel_parallelism.long_numbers import decode_json

from .json_fields import Fields, fields, objects, string

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

KEY: Final = "dedicatedColumns"
"""Where a row of a block has its `DedicatedColumns`."""

RESOURCE: Final = "resource"
SPAN: Final = "span"
EVENT: Final = "event"
_META: Final = "meta.json"
_MOST_BYTES: Final = 10_000_000


class DedicatedColumns:
    """
    The names of the columns of one block.

    Args:
        path: The block's data; its ``meta.json`` is in the same folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read the names; without a readable ``meta.json`` there are none."""
        self._names: dict[str, dict[str, str]] = {RESOURCE: {}, SPAN: {}, EVENT: {}}
        self._unnamed: set[str] = set()
        self._problem = f"the {_META} beside it names other columns only"
        meta = Path(path).parent / _META
        try:
            with meta.open("rb") as file:
                self._add(fields(decode_json(file.read(_MOST_BYTES))))
        except OSError:
            self._problem = f"there is no readable {_META} beside it"
        except (msgspec.DecodeError, ValueError, RecursionError):
            self._problem = f"the {_META} beside it is no JSON"

    def _add(self, meta: Fields) -> None:
        """Number the columns as Tempo does: in the order of the list, for each scope and type."""
        used: Counter[tuple[str, str]] = Counter()
        for column in objects(meta.get(KEY)):
            scope = string(column.get("s", column.get("scope"))) or SPAN
            kind = string(column.get("t", column.get("type"))) or "string"
            used[scope, kind] += 1
            name = string(column.get("n", column.get("name")))
            self._names.setdefault(scope, {})[f"{kind.capitalize()}{used[scope, kind]:02}"] = name

    def attributes(self, scope: str, columns: Mapping[str, object]) -> dict[str, object]:
        """Return the attributes in the *columns* of a resource, span or event; without a name, by their column."""
        found: dict[str, object] = {}
        names = self._names[scope]
        for column, value in columns.items():
            single = value[0] if isinstance(value, list) and len(value) == 1 else value
            if single is not None and single != []:
                name = names.get(column)
                if not name:
                    self._unnamed.add(f"{scope} {column}")
                found[name or f"DedicatedAttributes.{column}"] = single
        return found

    def problem(self, name: str) -> UnreadableError | None:
        """Return what to say of the file that messages call *name*; None if each attribute has its name."""
        if not self._unnamed:
            return None
        columns = ", ".join(sorted(self._unnamed))
        text = f"attributes in dedicated columns have no names ({columns}): {self._problem}"
        return UnreadableError(name, None, text, f"the block's {_META} in the same folder")
