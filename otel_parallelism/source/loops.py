"""The walk through loops and comprehensions: what one iteration leaves to the next."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from .changes.own_objects import own_names
from .flows import ELEMENT, NOTHING, Condition, State, Tracked, any_of, joined
from .functions import callee_name, own_nodes
from .known_functions import is_pure, is_sink
from .statements import StatementWalk
from .syntax import names_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_ITERATORS = frozenset({"iter", "enumerate", "zip", "map", "filter", "reversed"})


class LoopWalk(StatementWalk):
    """
    Adds loops and comprehensions.

    Attributes:
        most_passes: How often the body of a loop is run at most.
    """

    most_passes: int = 5

    def _run_for(self, node: ast.For | ast.AsyncFor, state: State) -> State | None:
        items = self.value(node.iter, state)
        wait = self._wait_for_item(node.iter, awaited=isinstance(node, ast.AsyncFor))
        return self._loop(
            state,
            lambda now: self._next(node.target, items, now),
            lambda now: self.block(node.body, now),
            wait,
            node.orelse,
            targets=frozenset(one.id for one in ast.walk(node.target) if isinstance(one, ast.Name)),
        )

    _run_asyncfor = _run_for

    def _wait_for_item(self, items: ast.expr, *, awaited: bool) -> str:
        """Return what an iteration over *items* waits for, in words; empty if all items are known before."""
        names = (node for node in ast.walk(items) if isinstance(node, ast.Name))
        shared = next((node.id for node in names if self._is_shared_iterator(node.id)), "")
        if shared:
            return f"the next item of {shared}, which other calls of the function may take"
        if awaited:
            return "the next item, which async for awaits in between"
        return "the next item, which is made in between" if _is_lazy(items) else ""

    def _is_shared_iterator(self, name: str) -> bool:
        """
        Return whether *name* is an iterator that was made outside of the function.

        Several calls of the function then share its items, as the workers of a pool do, and each takes one at a time.
        """
        if name in self._own_names:
            return False
        around = self.file.parents.get(self.function)
        while around is not None:
            if isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
                made = [
                    node.value
                    for node in own_nodes(around)
                    if isinstance(node, (ast.Assign, ast.AnnAssign))
                    and any(
                        isinstance(target, ast.Name) and target.id == name
                        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
                    )
                ]
                if made:
                    return any(map(_makes_iterator, made))
            around = self.file.parents.get(around)
        return False

    @cached_property
    def _own_names(self) -> frozenset[str]:
        return own_names(self.function)

    def _next(self, target: ast.expr, items: Tracked, state: State) -> Tracked:
        """Bind *target* to an item, and return what decides whether there is one."""
        item = self.part(items, ELEMENT, state)
        # Each item is another object than the ones before.
        state.passed -= {path for path in item.objects if path.endswith(ELEMENT)}
        before = state.conditions
        state.conditions = ()
        self._bind(target, msgspec.structs.replace(item, derived=items.derived), state)
        state.conditions = before
        return state.looked_at(msgspec.structs.replace(items, derived=frozenset()))

    def _run_while(self, node: ast.While, state: State) -> State | None:
        wait = "" if _counts(node) else f"the condition of the while loop in line {node.lineno}"
        return self._loop(
            state,
            lambda now: self.read(self.value(node.test, now), now),
            lambda now: self.block(node.body, now),
            wait,
            node.orelse,
            until=f"when the while loop in line {node.lineno} ends",
        )

    def _loop(
        self,
        state: State,
        head: Callable[[State], Tracked],
        body: Callable[[State], State | None],
        wait: str,
        orelse: Sequence[ast.stmt] = (),
        *,
        until: str = "",
        targets: frozenset[str] = frozenset(),
    ) -> State | None:
        """
        Run a loop until a further iteration brings nothing new.

        Args:
            state: The state before the loop.
            head: Evaluates the head of the loop, and returns what decides whether there is another iteration.
            body: Runs the body.
            wait: What the next iteration waits for besides, in words.
            orelse: The statements that run where no ``break`` ends the loop.
            until: What the code after the loop waits for if the earlier call decides it, in words.
            targets: The variables that are bound to the items.
        """
        before = state.conditions
        breaks: list[State] = []
        left = state
        for _ in range(self.most_passes):
            self._breaks.append([])
            self._continues.append([])
            begun = state.copy()
            begun.under("loop", head(begun))
            left = begun.copy()
            end = body(begun)
            breaks = self._breaks.pop()
            back = joined([end, *self._continues.pop()])
            if back is None:
                break
            back.leave(before, "block", "iteration")
            if back.after:
                back.looped = True
                if wait:
                    back.require(Condition("loop", sure=False, reason=wait))
            again = joined([state, back])
            if again is None or again.key() == state.key():
                break
            state = again
        for one in breaks:
            _note_item_at(one, targets, before)
        return self._after_loop(left, breaks, before, orelse, until)

    def _after_loop(
        self,
        left: State,
        breaks: Sequence[State],
        before: tuple[Condition, ...],
        orelse: Sequence[ast.stmt],
        until: str,
    ) -> State | None:
        """Return the state after a loop that was *left* where no item was, or at one of *breaks*; see `_loop`."""
        # Whether a `break` ended the loop decides whether the statements after `else` run.
        unbroken = [one for one in left.conditions if one.scope == "loop" and one not in before] if breaks else []
        for one in (left, *breaks):
            decided = any(condition not in before and condition.sure for condition in one.conditions)
            one.leave(before, "block", "iteration", "loop")
            if until and decided:
                one.require(Condition("function", sure=False, reason=until))
        for condition in unbroken if orelse else ():
            left.require(condition)
        end = self.block(orelse, left)
        if end is not None:
            end.leave(before, "loop")
        return joined([end, *breaks])

    def comprehension(self, node: _Comprehension, elements: Sequence[ast.expr], state: State) -> Tracked:
        """Evaluate *elements* for each item of the comprehension *node*."""
        targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        saved = {name: state.names.get(name) for name in targets}
        found: list[Tracked] = []
        before = state.conditions

        def inner(level: int, now: State) -> State:
            if level == len(node.generators):
                # What decides whether there is an element shows in the result, as the element itself does.
                decided = [
                    one for one in now.conditions if one not in before and (one.sure or one.scope == "iteration")
                ]
                found.append(any_of([self.values(elements, now), *map(_as_value, decided)]))
                return now
            generator = node.generators[level]
            items = self.value(generator.iter, now)

            def body(begun: State) -> State:
                for test in generator.ifs:
                    begun.under("iteration", self.read(self.value(test, begun), begun))
                return inner(level + 1, begun)

            wait = self._wait_for_item(generator.iter, awaited=bool(generator.is_async))
            after = self._loop(now, lambda begun: self._next(generator.target, items, begun), body, wait)
            return now if after is None else after

        self._become(state, inner(0, state))
        for name, value in saved.items():
            if value is None:
                state.names.pop(name, None)
            else:
                state.names[name] = value
        return self.made_here(node, any_of(found), state)

    def _listcomp(self, node: ast.ListComp | ast.SetComp, state: State) -> Tracked:
        return self.comprehension(node, [node.elt], state)

    _setcomp = _listcomp

    def _dictcomp(self, node: ast.DictComp, state: State) -> Tracked:
        return self.comprehension(node, [node.key, node.value], state)

    def _generatorexp(self, node: ast.GeneratorExp, state: State) -> Tracked:
        if any(inner is self.earlier or inner in self.laters for inner in ast.walk(node)):
            state.end = state.end or f"a generator expression runs only where it is consumed (line {node.lineno})"
        value = self.comprehension(node, [node.elt], state)
        return msgspec.structs.replace(value, late=names_read([node]))


def _note_item_at(end: State, targets: Iterable[str], before: Sequence[Condition]) -> None:
    """Note that the item which *targets* hold at a ``break``, the state *end*, depends on what decided that."""
    decided = [one for one in end.conditions if one not in before and (one.sure or one.scope != "loop")]
    for name in targets if decided else ():
        end.names[name] = any_of([end.names.get(name, NOTHING), *map(_as_value, decided)])


def _as_value(condition: Condition) -> Tracked:
    """Return *condition* as a value: what is made under it depends on it."""
    return Tracked(condition.reason) if condition.sure else Tracked(doubt=condition.reason)


def _is_lazy(items: ast.expr) -> bool:
    """Return whether *items* may run code of its own for each next item."""
    calls = [node for node in ast.walk(items) if isinstance(node, ast.Call)]
    if isinstance(items, ast.Await):
        return False
    return any(not (is_pure(call) or is_sink(call)) for call in calls) or any(
        isinstance(node, ast.GeneratorExp) for node in ast.walk(items)
    )


def _makes_iterator(value: ast.expr | None) -> bool:
    """Return whether *value* is an iterator, which gives each item once."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in _ITERATORS
    return isinstance(value, ast.GeneratorExp)


def _counts(loop: ast.While) -> bool:
    """Return whether the condition of *loop* is computed from variables that its body sets, and from nothing else."""
    allowed = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Name, ast.Constant, ast.cmpop, ast.boolop)
    allowed += (ast.unaryop, ast.operator, ast.Load, ast.Call)  # type: ignore[assignment]
    if not all(isinstance(node, allowed) for node in ast.walk(loop.test)):
        return False
    if any(isinstance(node, ast.Call) and callee_name(node) != "len" for node in ast.walk(loop.test)):
        return False
    tested = {node.id for node in ast.walk(loop.test) if isinstance(node, ast.Name)}
    bound = {
        node.id
        for statement in loop.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return bool(tested & bound)
