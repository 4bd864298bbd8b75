"""Rewrites findings: awaits in a row into ``asyncio.gather``, awaits in a loop into ``parallel_map``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from otel_parallelism.lint.carried_values import stored_names
from otel_parallelism.lint.lint_findings import TextEdit

from .imported_names import ImportedNames
from .safe_places import is_known, is_safe_place

if TYPE_CHECKING:
    from otel_parallelism.lint.function_text import FunctionNames
    from otel_parallelism.lint.loop_bodies import LoopAwait, Looping
    from otel_parallelism.lint.reading_calls import ReadingCalls
    from otel_parallelism.lint.serial_statements import SerialAwaits
    from otel_parallelism.lint.visible_functions import VisibleFunctions

    from .source_text import SourceText

_WIDTH: Final = 88
_LIMIT: Final = 10
_GATHER: Final = ("asyncio", "import asyncio")
_MAP: Final = ("parallel_map", "from otel_parallelism import parallel_map")
_PLAIN_PARENTS = (ast.Assign, ast.Return, ast.Call, ast.keyword, ast.Expr, ast.Tuple, ast.List)


class Rewriting:
    """Makes the edits of one file."""

    def __init__(self, source: SourceText, visible: VisibleFunctions) -> None:
        """Make no edit yet."""
        self._source = source
        self._visible = visible
        self._imported = ImportedNames(visible.file.tree)

    def serial_edits(self, run: SerialAwaits, reading: ReadingCalls) -> list[TextEdit]:
        """Return the edits that await the calls of *run* together; none if that might change a result."""
        names = [_single_target(statement, call) for statement, call in zip(run.statements, run.calls, strict=False)]
        if len(run.statements) != len(run.calls) or not run.adjacent or not all(names):
            return []
        if len(set(names)) < len(names) or not self._is_safe_place(run.statements[0], reading):
            return []
        read = {node.id for call in run.calls for node in ast.walk(call) if isinstance(node, ast.Name)}
        if read & set(names) or not all(self._is_known(call, reading) for call in run.calls):
            return []
        if not all(map(self._stands_alone, run.statements)) or not self._imported.is_free(*_GATHER):
            return []
        if any("#" in self._around(statement, call) for statement, call in zip(run.statements, run.calls, strict=True)):
            return []
        first, last = run.statements[0], run.statements[-1]
        start = self._source.span(first)[0] - len(self._source.before(first))
        end = self._source.span(last)[1] + len(self._source.after(last))
        return [
            TextEdit(start, end, self._gathered(run, names)),
            *self._imported.edit(self._source, *_GATHER),
        ]

    def loop_edits(self, found: LoopAwait, reading: ReadingCalls) -> list[TextEdit]:
        """Return the edits that map over the items of *found* with a limit; none if that might change a result."""
        loop = found.loop
        target, items = (loop.target, loop.iter) if isinstance(loop, ast.For) else _generator(loop)
        if len(found.calls) != 1 or not self._is_safe_place(loop, reading) or not isinstance(target, ast.Name):
            return []
        call = found.calls[0]
        if items is None or "#" in self._source.of(loop):
            return []
        if self._is_map(call, target.id, reading):
            return self._mapped_loop(loop, call, items, reading)
        return self._gathered_loop(loop, call, reading)

    def _mapped_loop(self, loop: Looping, call: ast.Call, items: ast.expr, reading: ReadingCalls) -> list[TextEdit]:
        """Return the edits that map the function of *call* over *items*."""
        text = f"await parallel_map({self._source.of(items)}, {self._source.of(call.func)}, limit={_LIMIT})"
        if isinstance(loop, ast.For):
            text = _extended(loop, call, text, reading.names)
        elif not _awaits_only(loop, call):
            return []
        elif not isinstance(reading.file.parents[loop], _PLAIN_PARENTS):
            text = f"({text})"
        if not text or not self._imported.is_free(*_MAP):
            return []
        if isinstance(loop, ast.For) and not self._stands_alone(loop):
            return []
        return [TextEdit(*self._source.span(loop), text), *self._imported.edit(self._source, *_MAP)]

    def _gathered_loop(self, loop: Looping, call: ast.Call, reading: ReadingCalls) -> list[TextEdit]:
        """Return the edits that gather the calls of a comprehension over a few items that the function lists."""
        if not isinstance(loop, ast.ListComp) or not _awaits_only(loop, call):
            return []
        if not self._is_known(call, reading):
            return []
        if not _are_listed(loop.generators[0].iter, reading.names) or not self._imported.is_free(*_GATHER):
            return []
        end = self._source.span(loop.elt)[1]
        inner = self._source.text[end : self._source.span(loop)[1] - 1].rstrip()
        text = f"await asyncio.gather(*({self._source.of(call)}{inner}))"
        if not isinstance(reading.file.parents[loop], _PLAIN_PARENTS):
            text = f"({text})"
        return [TextEdit(*self._source.span(loop), text), *self._imported.edit(self._source, *_GATHER)]

    def _is_map(self, call: ast.Call, item: str, reading: ReadingCalls) -> bool:
        """Return whether *call* is made with the item and nothing else, by a function that is the same each time."""
        alone = len(call.args) == 1 and not call.keywords
        argument = call.args[0] if alone else None
        in_function = any(isinstance(node, ast.Name) and node.id == item for node in ast.walk(call.func))
        known = self._is_known(call, reading)
        return known and isinstance(argument, ast.Name) and argument.id == item and not in_function

    def _is_safe_place(self, node: ast.AST, reading: ReadingCalls) -> bool:
        return is_safe_place(node, reading, self._imported)

    def _is_known(self, call: ast.Call, reading: ReadingCalls) -> bool:
        return is_known(call, reading, self._visible, self._imported)

    def _stands_alone(self, statement: ast.stmt) -> bool:
        after = self._source.after(statement).strip()
        return not self._source.before(statement).strip() and (not after or after.startswith("#"))

    def _around(self, statement: ast.stmt, call: ast.Call) -> str:
        """Return the text of *statement* without that of *call*."""
        (start, end), (inner, inner_end) = self._source.span(statement), self._source.span(call)
        return self._source.text[start:inner] + self._source.text[inner_end:end]

    def _gathered(self, run: SerialAwaits, names: list[str]) -> str:
        indent = self._source.before(run.statements[0])
        step = "\t" if "\t" in indent else "    "
        newline = "\r\n" if "\r\n" in self._source.line(run.statements[0].lineno) else "\n"
        calls = [self._source.of(call) for call in run.calls]
        short = f"{indent}{', '.join(names)} = await asyncio.gather({', '.join(calls)})"
        lines = [f"{indent}{', '.join(names)} = await asyncio.gather("]
        plain = True
        before: ast.stmt | None = None
        for statement, call, text in zip(run.statements, run.calls, calls, strict=True):
            between = self._lines_between(before, statement)
            comment = self._source.after(statement).strip()
            lines += [f"{step}{line}" for line in between]
            shifted = text if _has_long_string(call) else text.replace("\n", f"\n{step}")
            lines.append(f"{indent}{step}{shifted},{f'  {comment}' if comment else ''}")
            plain = plain and not between and not comment and "\n" not in text
            before = statement
        return short if plain and len(short) <= _WIDTH else newline.join([*lines, f"{indent})"])

    def _lines_between(self, before: ast.stmt | None, statement: ast.stmt) -> list[str]:
        """Return the lines of comments between two statements."""
        if before is None:
            return []
        numbers = range((before.end_lineno or before.lineno) + 1, statement.lineno)
        return [line.rstrip() for line in map(self._source.line, numbers) if line.strip()]


def _single_target(statement: ast.stmt, call: ast.Call) -> str:
    """Return the variable to which *statement* assigns what awaiting *call* returns; empty if it does more."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or statement.type_comment:
        return ""
    target, value = statement.targets[0], statement.value
    is_plain = isinstance(target, ast.Name) and isinstance(value, ast.Await) and value.value is call
    return target.id if is_plain and isinstance(target, ast.Name) else ""


def _generator(loop: ast.expr) -> tuple[ast.expr | None, ast.expr | None]:
    """Return target and items of a list comprehension without a condition."""
    if isinstance(loop, ast.ListComp) and not loop.generators[0].ifs:
        return loop.generators[0].target, loop.generators[0].iter
    return None, None


def _are_listed(items: ast.expr, names: FunctionNames) -> bool:
    """Return whether *items* is a tuple or a list that is written out, or a variable that is bound once to one."""
    value = names.only_value(items.id) if isinstance(items, ast.Name) else items
    return isinstance(value, (ast.Tuple, ast.List)) and not any(isinstance(one, ast.Starred) for one in value.elts)


def _awaits_only(loop: Looping, call: ast.Call) -> bool:
    """Return whether each item of a list comprehension is what awaiting *call* returns."""
    return isinstance(loop, ast.ListComp) and isinstance(loop.elt, ast.Await) and loop.elt.value is call


def _extended(loop: ast.For, call: ast.Call, mapped: str, names: FunctionNames) -> str:
    """Return *mapped* put into the list that *loop* appends to; empty if the loop does anything else."""
    body = loop.body[0].value if len(loop.body) == 1 and isinstance(loop.body[0], ast.Expr) else None
    if not isinstance(body, ast.Call) or not isinstance(body.func, ast.Attribute) or body.func.attr != "append":
        return ""
    holder, argument = body.func.value, body.args[0] if len(body.args) == 1 and not body.keywords else None
    if not isinstance(holder, ast.Name) or not isinstance(argument, ast.Await) or argument.value is not call:
        return ""
    used = {node.id for part in (loop.iter, call) for node in ast.walk(part) if isinstance(node, ast.Name)}
    item = stored_names([loop.target])[0]
    inside = sum(isinstance(node, ast.Name) and node.id == item for node in ast.walk(loop))
    if holder.id in used or names.uses[item] > inside or not _is_list(holder.id, names):
        return ""
    return f"{holder.id}.extend({mapped})"


def _is_list(name: str, names: FunctionNames) -> bool:
    """Return whether the function binds *name* once, to a new list, and no function inside it uses the list."""
    return isinstance(names.only_value(name), ast.List) and names.own_uses[name] == names.uses[name]


def _has_long_string(node: ast.AST) -> bool:
    return any(
        isinstance(one, (ast.Constant, ast.JoinedStr)) and one.lineno != one.end_lineno for one in ast.walk(node)
    )
