"""The source of running code, read at the end of a turn: parsed once for each file, and only if it is this code's."""

from __future__ import annotations

import ast
import linecache
from collections import OrderedDict
from threading import Lock
from types import CodeType
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.source.functions import SourceFile, parse
from otel_parallelism.tracing.shield import swallow

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.model import CallFrame

_MOST_FILES = 32
_MOST_CHARACTERS = 400_000

_lock = Lock()

REWRITERS: list[Callable[[str, str], CodeType]] = []
"""What else compiles programs: each returns the code of a text in the file of this name. pytest rewrites assertions."""


class _Read(msgspec.Struct, frozen=True):
    """A file that was read: its tree, None if unusable, and what identifies the code that its text compiles to."""

    lines: list[str]
    file: SourceFile | None
    codes: frozenset[object]


_files: OrderedDict[str, _Read] = OrderedDict()


def source_file(frame: CallFrame) -> SourceFile | None:
    """
    Return the parsed file of a live *frame*; None if its text cannot be found, or is not that of the running code.

    The text comes from `linecache`, which also knows the cells of notebooks and the files of archives.
    """
    code = frame.code
    if not isinstance(code, CodeType):
        return None
    try:
        with _lock:
            known = _read(code.co_filename)
    except Exception as error:  # noqa: BLE001 - a file that cannot be read leaves the pair unknown
        swallow("reading source", error)
        return None
    # A file that was edited since, or code that a tool rewrote, compiles to something else.
    return known.file if known.file is not None and _key(code) in known.codes else None


def is_read(name: str) -> bool:
    """Return whether the file called *name* was read before, so that `source_file` has only to look it up."""
    return name in _files


def _read(name: str) -> _Read:
    """Return the file called *name*; it is parsed again if `linecache` has other lines for it than before."""
    lines = linecache.getlines(name)
    known = _files.get(name)
    if known is not None and known.lines is lines:
        _files.move_to_end(name)
        return known
    text = "".join(lines)
    file = parse(text) if lines and len(text) <= _MOST_CHARACTERS else None
    codes: frozenset[object] = frozenset()
    if file is not None:
        made = [_compiled(file, name), *(rewrite(text, name) for rewrite in REWRITERS)]
        codes = frozenset(_key(code) for one in made for code in _all_codes(one))
    known = _Read(lines, file, codes)
    _files[name] = known
    if len(_files) > _MOST_FILES:
        _files.popitem(last=False)
    return known


def _compiled(file: SourceFile, name: str) -> CodeType:
    """Compile *file*. A notebook's cell may await at its top level."""
    code: CodeType = compile(file.tree, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code


def _key(code: CodeType) -> object:
    """Return a value that is equal for code from equal text. Flags differ by who compiled it, and are left out."""
    return code.co_qualname, code.co_firstlineno, code.co_code, code.co_names, code.co_varnames, code.co_linetable


def _all_codes(code: CodeType) -> list[CodeType]:
    """Return *code* and all code objects inside it."""
    found = [code]
    for inner in found:
        found += [constant for constant in inner.co_consts if isinstance(constant, CodeType)]
    return found
