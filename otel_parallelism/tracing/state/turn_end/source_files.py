"""The source of running code, read at the end of a turn: parsed once for each file, and only if it is this code's."""

from __future__ import annotations
import __future__

import ast
import linecache
from collections import OrderedDict
from functools import cached_property
from threading import RLock
from types import CodeType
from typing import TYPE_CHECKING

from otel_parallelism.source.functions import MODULE, SourceFile, parse
from otel_parallelism.source.parsing import NAME, without_warnings
from otel_parallelism.tracing.shield import swallow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import CallFrame

_MOST_FILES = 32
_MOST_CHARACTERS = 400_000
_MOST_TOOLS = 10_000

_WITH_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)

FILES_LOCK = RLock()
"""Guards the files that were read. A signal handler or ``__del__`` may end a turn while this very thread holds it."""

REWRITERS: list[Callable[[str, str], CodeType]] = []
"""What else compiles programs: each returns the code of a text in the file of this name. pytest rewrites assertions."""


class _Read:
    """
    A file that was read.

    Attributes:
        name: Its name.
        lines: Its text.
        file: Its tree; None if unusable.
    """

    def __init__(self, name: str, lines: list[str]) -> None:
        text = "".join(lines)
        self.name = name
        self.lines = lines
        self.file = parse(text) if lines and len(text) <= _MOST_CHARACTERS else None
        self._keys: dict[ast.stmt | None, frozenset[object]] = {}

    def has(self, code: CodeType) -> bool:
        """Return whether the file's text compiles to *code*, among others."""
        if self.file is None:
            return False
        key = _key(code)
        # To compile a long file at once holds the interpreter's lock for as long as that takes. That is left for code
        # that also depends on other statements, and for code that is not the file's.
        around = _around(self.file.tree.body, code)
        return key in self._compiled(around) or key in self._compiled(None) or key in self._rewritten

    def _compiled(self, statement: ast.stmt | None) -> frozenset[object]:
        """Return the keys of all code that *statement*, of the module, compiles to; None means the whole module."""
        if statement not in self._keys:
            module = [] if self.file is None else self.file.tree.body
            self._keys[statement] = _keys_of(_compiled(module if statement is None else [statement], module))
        return self._keys[statement]

    @cached_property
    def _rewritten(self) -> frozenset[object]:
        """The keys of the code that other tools make of the text."""
        text = "".join(self.lines)
        return frozenset[object]().union(*[_keys_of(rewrite(text, self.name)) for rewrite in REWRITERS])


_files: OrderedDict[str, _Read] = OrderedDict()
_asked: set[tuple[str, str]] = set()


def source_file(frame: CallFrame) -> SourceFile | None:
    """
    Return the parsed file of a live *frame*; None if its text cannot be found, or is not that of the running code.

    The text comes from `linecache`, which also knows the cells of notebooks and the files of archives. Line 0 stands
    for a whole file, such as that of an imported module: no code shows that its text is what runs.
    """
    code = frame.code
    try:
        if code is None and frame.line_number == 0:
            return _read(frame.file_path).file if linecache.getlines(frame.file_path) else None
        if not isinstance(code, CodeType):
            return None
        read = _read(code.co_filename)
        # A file that was edited since, or code that a tool rewrote, compiles to something else.
        return read.file if read.has(code) else None
    except Exception as error:  # noqa: BLE001 - a file that cannot be read leaves the pair unknown
        swallow("reading source", error)
        return None


def is_read(name: str) -> bool:
    """Return whether the file called *name* was read before, so that `source_file` has only to look it up."""
    return name in _files


def is_first_call(file: str, tool: str) -> bool:
    """
    Return whether this is the first question about calls of *tool* from *file*.

    After the first, the modules have been read in which the tool may be defined.
    """
    if (file, tool) in _asked:
        return False
    if len(_asked) >= _MOST_TOOLS:
        _asked.clear()
    _asked.add((file, tool))
    return True


def _read(name: str) -> _Read:
    """Return the file called *name*; it is parsed again if `linecache` has other lines for it than before."""
    lines = linecache.getlines(name)
    with FILES_LOCK:
        known = _files.get(name)
        if known is not None and known.lines is lines:
            _files.move_to_end(name)
            return known
    # Without the lock: the thread that pauses meanwhile must not keep another one waiting.
    read = _Read(name, lines)
    with FILES_LOCK:
        _files[name] = read
        if len(_files) > _MOST_FILES:
            _files.popitem(last=False)
    return read


def _around(body: list[ast.stmt], code: CodeType) -> ast.stmt | None:
    """Return the statement of the module's *body* that compiles to *code*, by its line; None for the module's own."""
    line = code.co_firstlineno
    if code.co_name == MODULE:
        return None
    return next((one for one in body if _first_line(one) <= line <= (one.end_lineno or 0)), None)


def _first_line(statement: ast.stmt) -> int:
    """Return the line at which *statement* starts, with its decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return decorators[0].lineno if decorators else statement.lineno


def _compiled(body: list[ast.stmt], module: list[ast.stmt]) -> CodeType:
    """
    Compile *body*, statements of *module*. A notebook's cell may await at its top level.

    What a function compiles to depends on the names that its module imports, and on the features of `__future__`.
    """
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    imports: list[ast.stmt] = []
    for statement in _imports(module):
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for imported in statement.names:
                flags |= getattr(__future__, imported.name).compiler_flag
        else:
            imports.append(statement)
    without_warnings()
    whole = body if body is module else [*imports, *body]
    code: CodeType = compile(ast.Module(whole, []), NAME, "exec", flags, dont_inherit=True)
    return code


def _imports(module: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the import statements of *module*, also those in its branches, but not in functions and classes."""
    inside: list[ast.AST] = [*module]
    for node in inside:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inside += [one for one in ast.iter_child_nodes(node) if isinstance(one, _WITH_STATEMENTS)]
        elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
            inside += node.body


def _keys_of(code: CodeType) -> frozenset[object]:
    """Return the keys of *code* and of all code inside it."""
    return frozenset(map(_key, _all_codes(code)))


def _key(code: CodeType) -> object:
    """Return a value that is equal for code from equal text. Flags differ by who compiled it, and are left out."""
    return code.co_qualname, code.co_firstlineno, code.co_code, code.co_names, code.co_varnames, code.co_linetable


def _all_codes(code: CodeType) -> list[CodeType]:
    """Return *code* and all code objects inside it."""
    found = [code]
    for inner in found:
        found += [constant for constant in inner.co_consts if isinstance(constant, CodeType)]
    return found
