"""Finds tables and files that code writes or reads, where their names stand in the source."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING, NamedTuple, cast

from otel_parallelism.source.functions import callee_name
from otel_parallelism.source.known_functions import dotted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.source.functions import SourceFile

_MOST_TEXT = 2_000
_STORING = frozenset("insert update delete replace merge upsert truncate copy".split())  # noqa: SIM905 - a list of quoted words would be longer
_BEFORE_TABLES = frozenset({"into", "update", "from", "join", "truncate", "table", "copy"})
_NO_TABLES = frozenset({"select", "only", "set", "table", "lateral", "unnest", "if", "not", "exists"})
_WRITING_MODES = frozenset("wax+")
_WRITING_PATHS = frozenset({"write_text", "write_bytes"})
_READING_PATHS = frozenset({"read_text", "read_bytes"})
_EXPORTS = ("to_csv", "to_parquet", "to_excel", "to_json", "to_pickle", "to_feather")
_IMPORTS = ("read_csv", "read_parquet", "read_excel", "read_json", "read_pickle", "read_feather")


class StoredData(NamedTuple):
    """The tables and files that a call writes, and those that it reads, in words."""

    written: frozenset[str]
    read: frozenset[str]


def texts_of(file: SourceFile) -> dict[str, str]:
    """Return the variables at the top level of *file* that are bound to a text, each with the text."""
    key = "texts"
    if key not in file.facts:
        file.facts[key] = {
            target.id: statement.value.value
            for statement in file.tree.body
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
            for target in statement.targets
            if isinstance(target, ast.Name) and isinstance(statement.value.value, str)
        }
    return cast("dict[str, str]", file.facts[key])


def stored_data(call: ast.Call, own: frozenset[str], texts: Mapping[str, str]) -> StoredData:
    """
    Return the tables and files that *call* writes and reads.

    Args:
        call: A call in some function.
        own: The names of the variables of that function; which file they stand for is not known.
        texts: The variables of the module that are bound to a text.

    >>> stored_data(ast.parse("db.execute('insert into t select a from u')", mode="eval").body, frozenset(), {})
    StoredData(written=frozenset({'the table t'}), read=frozenset({'the table u'}))
    """
    first = call.args[0] if call.args else None
    written, read = _tables(_text(first, own, texts)[:_MOST_TEXT])
    if written or read:
        return StoredData(written, read)
    name = callee_name(call)
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if name == "open":
        path, mode = (
            (first, call.args[1:2]) if receiver is None or dotted(call.func) == "io.open" else (receiver, call.args[:1])
        )
        modes = [*mode, *(one.value for one in call.keywords if one.arg == "mode")]
        return _file(path, own, written=any(map(_is_writing, modes)))
    if name in _WRITING_PATHS or name in _READING_PATHS:
        return _file(receiver, own, written=name in _WRITING_PATHS)
    if name in _EXPORTS or name in _IMPORTS:
        return _file(first, own, written=name in _EXPORTS)
    return StoredData(frozenset(), frozenset())


def _file(path: ast.expr | None, own: frozenset[str], *, written: bool) -> StoredData:
    names: frozenset[str] = frozenset()
    if isinstance(path, ast.Constant):
        names = frozenset({f"the file {path.value}"} if isinstance(path.value, str) else ())
    elif path is not None and own.isdisjoint(one.id for one in ast.walk(path) if isinstance(one, ast.Name)):
        names = frozenset({f"the file {ast.unparse(path)}"})
    elif isinstance(path, ast.Attribute) and dotted(path):
        names = frozenset({f"the file {path.attr}"})
    return StoredData(names, frozenset()) if written else StoredData(frozenset(), names)


def _text(expression: ast.expr | None, own: frozenset[str], texts: Mapping[str, str]) -> str:
    """Return the text that *expression* is; a space stands for what is inserted into it."""
    if isinstance(expression, ast.Name) and expression.id not in own:
        return texts.get(expression.id, "")
    if isinstance(expression, ast.JoinedStr):
        return "".join(_text(part, own, texts) or " " for part in expression.values)
    value = expression.value if isinstance(expression, ast.Constant) else ""
    return value if isinstance(value, str) else ""


def _is_writing(mode: ast.expr) -> bool:
    value = mode.value if isinstance(mode, ast.Constant) else None
    return isinstance(value, str) and not _WRITING_MODES.isdisjoint(value)


def _tables(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tables that a statement in SQL writes, and those that it reads; nothing for any other text."""
    words = text.lower().replace("(", " ( ").split()
    if not words or words[0] not in {"select", "with", *_STORING}:
        return frozenset(), frozenset()
    named = [
        after.strip('"`;,)[]')
        for word, after in itertools.pairwise(words)
        if word in _BEFORE_TABLES and after not in _NO_TABLES and after != "("
    ]
    tables = [f"the table {name.rpartition('.')[2]}" for name in named if name]
    stores = words[0] in _STORING
    return frozenset(tables[:1] if stores else ()), frozenset(tables[1:] if stores else tables)
