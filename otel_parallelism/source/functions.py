"""A parsed source file: its functions, the calls in them, and the names of the module."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from otel_parallelism.pace import paced

from .known_functions import is_pure, is_sink
from .parsing import syntax_tree
from .places import CallPlaces, FunctionLines, NamedFunction
from .syntax import call_in_thread, children, names_given

if TYPE_CHECKING:
    from collections.abc import Iterator

Function: TypeAlias = NamedFunction | ast.Module
Loop: TypeAlias = ast.For | ast.AsyncFor | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

MODULE = "<module>"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_WITH_HEAD = (ast.If, ast.While, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith, ast.Match)
_SOMETIMES = (ast.IfExp, ast.BoolOp, ast.Lambda, ast.match_case, ast.ExceptHandler, *_LOOPS)
PASS_ON = frozenset({"wait_for", "shield", "create_task", "ensure_future", "timeout", "start_soon"})


class Site(msgspec.Struct, frozen=True):
    """
    Where a call is made: the name of the function around it, and its line.

    ``end_line`` and ``end_column`` (in bytes, from 0) say where the text of the call ends, if that is known. They tell
    calls on one line apart.
    """

    function: str
    line: int
    end_line: int = 0
    end_column: int = -1


class SourceFile:
    """
    The syntax tree of one file.

    Attributes:
        tree: The module.
        imports: Names that imports bind, anywhere in the file, by ``import_statements``.
        defined: Names of functions and classes at the top level.
        constants: Names that are bound once at the top level, to a literal.
        proofs: What has been shown so far; see `proof.prove`.
        walked: Proofs of pairs that have not been asked for yet, without their reservations.
        facts: What is known of single functions so far; see `changes.outside_names`.
        rebound: Names that a ``global`` or ``nonlocal`` statement lets another function rebind.
    """

    def __init__(self, text: str) -> None:
        """
        Parse *text*.

        Raises:
            SyntaxError: *text* is not Python. `parse` returns None instead.
        """
        self._text = text
        self.tree: ast.Module = syntax_tree(text)
        self._functions: list[NamedFunction] = []
        self.proofs: dict[object, object] = {}
        self.walked: dict[object, object] = {}
        self.facts: dict[object, object] = {}
        self._places: dict[Function, CallPlaces] = {}
        self._calls: dict[tuple[Function, Site], ast.Call | None] = {}
        self.imports: set[str] = set()
        self.import_statements: list[ast.Import | ast.ImportFrom] = []
        self.rebound: set[str] = set()
        self._nodes: list[ast.AST] = [self.tree]
        for node in paced(self._nodes):
            self._nodes += children(node)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.import_statements.append(node)
                self.imports.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                self.rebound.update(node.names)
            elif isinstance(node, _FUNCTIONS):
                self._functions.append(node)
        self.defined: set[str] = {
            node.name
            for node in self.tree.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        }

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self._text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @cached_property
    def constants(self) -> set[str]:
        """Names that are bound once at the top level, to a literal without a container."""
        literal: set[str] = set()
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Constant, ast.JoinedStr)):
                literal.update(target.id for target in statement.targets if isinstance(target, ast.Name))
        return {name for name in literal if self.bound[name] == 1}

    @cached_property
    def bound(self) -> dict[str, int]:
        """How often each name is bound as a variable, anywhere in the file."""
        found: dict[str, int] = {}
        for node in paced(self._nodes):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found[node.id] = found.get(node.id, 0) + 1
        return found

    @cached_property
    def named(self) -> dict[str, list[Function]]:
        """The functions and methods of each name, the outer ones first."""
        found: dict[str, list[Function]] = {}
        for node in self._functions:
            if not isinstance(node, ast.Lambda):
                found.setdefault(node.name, []).append(node)
        return found

    @cached_property
    def given_names(self) -> dict[str, set[str]]:
        """
        The functions that the file may give another name, by that name.

        It does so in a decorator (``@tool("look_up")``), a call (``Tool(name="look_up", func=f)``) or a dictionary.
        """
        found: dict[str, set[str]] = {}
        for node in paced(self._nodes):
            for name, function in names_given(node):
                found.setdefault(name, set()).add(function)
        return found

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node of the tree."""
        return {child: node for node in paced(self._nodes) for child in children(node)}

    def function(self, name: str, line: int) -> Function | None:
        """
        Return the innermost function called *name* whose text holds *line*.

        Any name will do if *name* is empty. None if there is no such function, or several.
        """
        if name == MODULE:
            return self.tree
        found = self._named_lines[name].holding(line) if name in self._named_lines else []
        if not found and not name:
            return self.tree
        if len(found) > 1:
            outer = {around for one in found for around in self._around(one)}
            found = [one for one in found if one not in outer]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _named_lines(self) -> dict[str, FunctionLines]:
        """The functions of each name, lambdas under ``<lambda>``, and all but lambdas under the empty name."""
        found: dict[str, list[NamedFunction]] = {}
        for node in paced(self._functions):
            names = ("<lambda>",) if isinstance(node, ast.Lambda) else (node.name, "")
            for name in names:
                found.setdefault(name, []).append(node)
        return {name: FunctionLines(functions) for name, functions in found.items()}

    def _around(self, node: ast.AST) -> Iterator[ast.AST]:
        outer = self.parents.get(node)
        while outer is not None:
            yield outer
            outer = self.parents.get(outer)

    def call(self, function: Function, site: Site) -> ast.Call | None:
        """Return the call at *site* in *function*; None where the line has several that cannot be told apart."""
        if (function, site) not in self._calls:
            self._calls[function, site] = self._call(function, site)
        return self._calls[function, site]

    def _call(self, function: Function, site: Site) -> ast.Call | None:
        places = self._places.get(function)
        if places is None:
            places = self._places[function] = CallPlaces(paced(own_nodes(function)))
        if site.end_column >= 0:
            ends = (site.end_line, site.end_column)
            exact = places.ends.get(ends) or places.await_ends.get(ends, [])
            return self._awaited(exact[0]) if len(exact) == 1 else None
        here = places.lines.get(site.line, [])
        here = [call for call in here if not self._inside_other(call, here)] or here
        awaited = [call for call in here if isinstance(self.parents.get(call), ast.Await)]
        found = awaited or [call for call in here if not is_pure(call) and not is_sink(call)]
        return found[0] if len(found) == 1 else None

    def _inside_other(self, call: ast.Call, others: list[ast.Call]) -> bool:
        """Return whether *call* only passes through a function such as ``wait_for`` that is one of *others*."""
        lifted = self._awaited(call)
        return lifted is not call and any(lifted is other for other in others)

    def _awaited(self, call: ast.Call) -> ast.Call:
        """Return *call*, or the call of ``wait_for`` or a like function whose argument it is."""
        parent = self.parents.get(call)
        while isinstance(parent, ast.Call) and call in parent.args and callee_name(parent) in PASS_ON:
            call, parent = parent, self.parents.get(parent)
        return call

    def loop(self, function: Function, call: ast.Call) -> Loop | None:
        """Return the innermost loop or comprehension of *function* that repeats *call*; None if there is none."""
        node: ast.AST = call
        while node is not function:
            parent = self.parents.get(node)
            if parent is None:
                return None
            if isinstance(parent, _LOOPS) and not _runs_once(parent, node):
                return parent
            node = parent
        return None

    def always_before(self, function: Function, first: ast.Call, second: ast.Call) -> bool:
        """Return whether a run of *function* that reaches *second* has evaluated *first*, as the text is ordered."""
        node: ast.AST = first
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
            if isinstance(node, _SOMETIMES) and not isinstance(node, ast.stmt):
                return False
        if isinstance(node, _WITH_HEAD) and self._holds(node, second):
            return self.parents.get(second) is not node or _is_earlier(first, second)
        if not isinstance(node, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, *_WITH_HEAD)):
            return False
        around: ast.AST = second
        while around is not function:
            parent = self.parents[around]
            for suite in (getattr(parent, name, None) for name in ("body", "orelse", "finalbody")):
                if isinstance(suite, list) and node in suite and around in suite:
                    return suite.index(node) < suite.index(around) or (node is around and _is_earlier(first, second))
            around = parent
        return False

    def _holds(self, outer: ast.AST, inner: ast.AST) -> bool:
        return any(node is outer for node in self._around(inner))


def _is_earlier(first: ast.Call, second: ast.Call) -> bool:
    return (first.lineno, first.col_offset) < (second.lineno, second.col_offset)


def tool_call(call: ast.Call) -> ast.Call:
    """
    Return the call that *call* passes on, as ``wait_for`` and its like do, or has a thread make; else *call* itself.

    >>> ast.unparse(tool_call(ast.parse("wait_for(shield(get(1)), 5)", mode="eval").body))
    'get(1)'
    >>> ast.unparse(tool_call(ast.parse("loop.run_in_executor(None, partial(get, 1), 2)", mode="eval").body))
    'get(1, 2)'
    """
    while callee_name(call) in PASS_ON and call.args and isinstance(call.args[0], ast.Call):
        call = call.args[0]
    return call_in_thread(call) or call


def parse(text: str) -> SourceFile | None:
    """Return *text* as a `SourceFile`; None if it is not Python."""
    try:
        return SourceFile(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _runs_once(loop: ast.AST, child: ast.AST) -> bool:
    """Return whether *child*, directly in *loop*, is evaluated once: the iterable, or what follows the loop."""
    if isinstance(loop, (ast.For, ast.AsyncFor, ast.While)):
        after = loop.orelse[0].lineno if loop.orelse else None
        follows = after is not None and isinstance(child, ast.stmt) and child.lineno >= after
        return follows or child is getattr(loop, "iter", None)
    return False


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of *function* without the bodies of the functions inside it."""
    body = function.body if isinstance(function.body, list) else [function.body]
    stack: list[ast.AST] = [*reversed(body)]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            stack += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        elif isinstance(node, ast.Lambda):
            stack += [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        elif not isinstance(node, ast.ClassDef):
            stack += children(node)


def callee_name(call: ast.Call) -> str:
    """Return the last word of the called expression: ``get`` for ``self.client.get(…)``; empty if it has none."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
