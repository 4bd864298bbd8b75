"""Finds awaits that follow one another in one block, where the source shows that none needs another."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.source.functions import callee_name

from .function_text import blocks, inner_nodes, joined_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reading_calls import ReadingCalls

_SOMETIMES = (ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Compare)
_PLAIN = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Pass)
_CARRYING = (ast.Assign, ast.AnnAssign, ast.Return)
_MOST_CALLS = 20
"""The calls of one run; in a longer one, a new run begins."""


class SerialAwaits(msgspec.Struct, frozen=True):
    """
    Awaits that follow one another in one block.

    Attributes:
        statements: The statements with the awaits, in order.
        calls: The awaited calls, in order.
        followed: The variables that hold what all calls but the last return.
        adjacent: Whether no other statement stands between them.
    """

    statements: tuple[ast.stmt, ...]
    calls: tuple[ast.Call, ...]
    followed: tuple[str, ...]
    adjacent: bool

    @property
    def message(self) -> str:
        """What was found and what to do."""
        names = [callee_name(call) for call in self.calls]
        together = "Await them together with asyncio.gather or a TaskGroup."
        times = Counter(names)
        later = names[-1] if len(names) == len(times) == 2 else "a later call"  # noqa: PLR2004 - a pair
        if self.followed:
            what = f"{joined_words(self.followed)} {'reaches' if len(self.followed) == 1 else 'reach'}"
        else:
            what = f"what {names[0]} returns reaches"
        called = [f"{name} ×{number}" if number > 1 else name for name, number in times.items()]
        none = f"{joined_words(called)} are awaited one after the other, but none needs another"
        return f"{none}: {what} no argument of {later} and no condition for it. {together}"


def serial_awaits(reading: ReadingCalls) -> Iterator[SerialAwaits]:
    """Yield the runs of independent awaits in the function of *reading*, each of at least two calls."""
    for block in blocks(reading.function):
        yield from _runs(block, reading)


def _runs(block: list[ast.stmt], reading: ReadingCalls) -> Iterator[SerialAwaits]:
    run: list[tuple[int, ast.Call]] = []
    for at, statement in enumerate(block):
        calls = _calls(statement, reading)
        if calls is None:
            if not _is_plain(statement, reading):
                yield from _ended(run, block)
                run = []
            continue
        for call in calls:
            if len(run) >= _MOST_CALLS or not all(reading.needs_nothing(one, call) for _, one in run):
                yield from _ended(run, block)
                run = []
            run.append((at, call))
    yield from _ended(run, block)


def _ended(run: list[tuple[int, ast.Call]], block: list[ast.stmt]) -> Iterator[SerialAwaits]:
    if len(run) < 2:  # noqa: PLR2004 - one call alone
        return
    places = list(dict.fromkeys(at for at, _ in run))
    statements = [block[at] for at in places]
    followed = dict.fromkeys(name for statement in statements[:-1] for name in _bound(statement))
    adjacent = places[-1] - places[0] == len(places) - 1
    yield SerialAwaits(tuple(statements), tuple(call for _, call in run), tuple(followed), adjacent)


def _calls(statement: ast.stmt, reading: ReadingCalls) -> list[ast.Call] | None:
    """Return the calls that *statement* awaits in any case; None if it has none, or has more that may matter."""
    if not isinstance(statement, _CARRYING) or statement.value is None:
        return None
    if isinstance(statement, ast.Assign) and not all(map(_is_variable, statement.targets)):
        return None
    awaited: list[ast.Await] = []
    made: list[ast.Call] = []
    for node in inner_nodes(statement.value):
        if isinstance(node, (*_SOMETIMES, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Lambda)):
            return None
        if isinstance(node, ast.Await):
            awaited.append(node)
        elif isinstance(node, ast.Call):
            made.append(node)
    calls = {node.value: None for node in awaited if isinstance(node.value, ast.Call)}
    if not awaited or not all(map(reading.counts, awaited)):
        return None
    if not all(reading.is_harmless(call) for call in made if call not in calls):
        return None
    return sorted(calls, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))


def _is_variable(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(_is_variable, target.elts))
    return isinstance(target, ast.Name)


def _is_plain(statement: ast.stmt, reading: ReadingCalls) -> bool:
    """Return whether *statement* awaits nothing, leaves nothing, and changes nothing but variables."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) or (
            isinstance(statement.value, ast.Call) and _is_quiet(statement.value, reading)
        )
    if not isinstance(statement, _PLAIN):
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return all(target is None or _is_variable(target) for target in targets) and _is_quiet(statement, reading)


def _is_quiet(node: ast.AST, reading: ReadingCalls) -> bool:
    return not any(
        isinstance(inner, (ast.Await, ast.Yield, ast.YieldFrom))
        or (isinstance(inner, ast.Call) and not reading.is_harmless(inner))
        for inner in inner_nodes(node)
    )


def _bound(statement: ast.stmt) -> list[str]:
    return [
        node.id for node in inner_nodes(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
