"""Finds loops and comprehensions that await a call for one item after the other, where no iteration needs another."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.analysis.dependencies.effects.verb_tables import word_set
from otel_parallelism.source.functions import callee_name, own_nodes
from otel_parallelism.source.known_functions import is_harmless_block, is_sleep
from otel_parallelism.source.syntax import exits

from .carried_values import is_carried, root_name, stored_names
from .function_text import inner_nodes, joined_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reading_calls import ReadingCalls

Looping: TypeAlias = ast.For | ast.ListComp | ast.SetComp | ast.DictComp

_LOOPS = (ast.For, ast.ListComp, ast.SetComp, ast.DictComp)
_ORDERED = (
    *(ast.AsyncFor, ast.While, ast.GeneratorExp, ast.AsyncWith, ast.Match, ast.Yield, ast.YieldFrom, ast.NamedExpr),
    *(ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Global, ast.Nonlocal),
    *(ast.Raise, ast.Try, ast.TryStar),
)
"""What makes a loop one that is not judged."""
_PACED = word_set(
    "attempt attempts retry retries tries poll page pages offset chunk chunks chunked batch batches batched cursor "
    "backoff delay interval fallback fallbacks candidate candidates try strategy strategies"
)
"""Words in the head of a loop that goes on until something is found, or that is split up to limit the load."""


class LoopAwait(msgspec.Struct, frozen=True):
    """
    A loop that awaits calls for one item after the other.

    Attributes:
        loop: The loop or the comprehension.
        calls: The awaited calls, in order.
        followed: The variables of one iteration that hold what the calls return.
    """

    loop: Looping
    calls: tuple[ast.Call, ...]
    followed: tuple[str, ...]

    @property
    def message(self) -> str:
        """What was found and what to do."""
        names = joined_words(list(dict.fromkeys(callee_name(call) for call in self.calls)))
        verb = "is" if len({callee_name(call) for call in self.calls}) == 1 else "are"
        if self.followed:
            what = f"{joined_words(self.followed)} {'reaches' if len(self.followed) == 1 else 'reach'}"
        else:
            what = f"what {callee_name(self.calls[0])} returns reaches"
        return (
            f"{names} {verb} awaited for one item after the other, but no iteration needs another: {what} no argument "
            "and no condition of a later iteration. Use parallel_map with a limit, or asyncio.gather if there are few."
        )


def loop_awaits(reading: ReadingCalls) -> Iterator[LoopAwait]:
    """Yield the loops of the function of *reading* that await independent calls."""
    for node in own_nodes(reading.function):
        if isinstance(node, _LOOPS):
            found = _judged(node, reading)
            if found is not None:
                yield found


def _judged(loop: Looping, reading: ReadingCalls) -> LoopAwait | None:
    nodes = [node for part in _repeated(loop) for node in inner_nodes(part)]
    awaits = [node for node in nodes if isinstance(node, ast.Await)]
    calls = [node.value for node in awaits if isinstance(node.value, ast.Call)]
    if not awaits or not all(map(reading.counts, awaits)) or _leaves(loop) or _is_paced(loop):
        return None
    if any(reading.file.loop(reading.function, call) is not loop for call in calls):
        return None
    others = {node for node in nodes if isinstance(node, ast.Call)}.difference(calls)
    if not all(_is_free(node, others, reading) for node in nodes) or (isinstance(loop, ast.For) and is_carried(loop)):
        return None
    if not _use_item(calls, loop) or not _are_independent(calls, reading):
        return None
    ordered = sorted(calls, key=lambda call: (call.lineno, call.col_offset))
    return LoopAwait(loop, tuple(ordered), tuple(_followed(loop, calls)))


def _are_independent(calls: list[ast.Call], reading: ReadingCalls) -> bool:
    """Return whether no iteration needs the calls of an earlier one; within one, a call may need those before."""
    return all(
        reading.needs_nothing(one, other) for at, one in enumerate(calls) for other in itertools.islice(calls, at + 1)
    )


def _leaves(loop: Looping) -> bool:
    """Return whether *loop* may end early, or does something once it has not."""
    if isinstance(loop, ast.For):
        return bool(loop.orelse) or exits(loop.body) not in ([], ["iteration"])
    return False


def _repeated(loop: Looping) -> list[ast.AST]:
    """Return the parts of *loop* that each iteration runs; none for a loop of a kind that is not judged."""
    if isinstance(loop, ast.For):
        return list(loop.body)
    if len(loop.generators) != 1 or loop.generators[0].is_async:
        return []
    elements = [loop.key, loop.value] if isinstance(loop, ast.DictComp) else [loop.elt]
    return [*elements, *loop.generators[0].ifs]


def _is_free(node: ast.AST, others: set[ast.Call], reading: ReadingCalls) -> bool:
    """
    Return whether *node* makes nothing visible in order, waits for nothing else, and changes only variables.

    The calls *others* are those that are not awaited.
    """
    if isinstance(node, _ORDERED):
        return False
    if isinstance(node, ast.With):
        return all(is_harmless_block(item.context_expr) for item in node.items)
    if isinstance(node, ast.Call) and node in others:
        return not is_sleep(node) and reading.is_harmless(node)
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        return root_name(node) in reading.own
    return True


def _head(loop: Looping) -> tuple[ast.expr, ast.expr]:
    if isinstance(loop, ast.For):
        return loop.target, loop.iter
    return loop.generators[0].target, loop.generators[0].iter


def _is_paced(loop: Looping) -> bool:
    target, items = _head(loop)
    text = f"{ast.unparse(target)} {ast.unparse(items)}"
    alone = isinstance(items, (ast.Tuple, ast.List)) and not items.elts[1:]
    return alone or not _PACED.isdisjoint(words_in_name(text))


def _use_item(calls: list[ast.Call], loop: Looping) -> bool:
    """Return whether one of *calls* is made with the item of the iteration, or a variable that the iteration binds."""
    target, _ = _head(loop)
    item = {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
    bound = item | set(stored_names(loop.body) if isinstance(loop, ast.For) else [])
    return any(isinstance(node, ast.Name) and node.id in bound for call in calls for node in ast.walk(call))


def _followed(loop: Looping, calls: list[ast.Call]) -> list[str]:
    """Return the variables to which the loop assigns what the calls return."""
    if not isinstance(loop, ast.For):
        return []
    found: dict[str, None] = {}
    awaited = set(calls)
    for statement in loop.body:
        for node in inner_nodes(statement):
            if isinstance(node, ast.Assign) and not awaited.isdisjoint(ast.walk(node.value)):
                found.update(dict.fromkeys(stored_names([node])))
    return list(found)
