"""The walk through statements: branches, loops, exits and exceptions between the two calls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .calls import CallWalk
from .flows import ELEMENT, NOTHING, State, Tracked, any_of, joined
from .syntax import exits, is_immutable, names_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class StatementWalk(CallWalk):
    """Runs the statements of one function; a state of None is a place that is not reached."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type] # those of the base class
        self._breaks: list[list[State]] = []
        self._continues: list[list[State]] = []
        self.handled = 0

    def block(self, statements: Iterable[ast.stmt], state: State | None) -> State | None:
        """Run *statements* from *state* on, and return the state after them."""
        for statement in statements:
            if state is None:
                return None
            state = self._statement(statement, state)
        return state

    def _statement(self, node: ast.stmt, state: State) -> State | None:
        run: Callable[[ast.stmt, State], State | None] | None = getattr(
            self, "_run_" + type(node).__name__.lower(), None
        )
        if run is not None:
            return run(node, state)
        if not isinstance(node, (ast.Pass, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom)):
            state.end = state.end or f"a statement that is not understood (line {node.lineno})"
        return state

    def _run_expr(self, node: ast.Expr, state: State) -> State:
        expression = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(expression, ast.Call):
            self.call(expression, state, discarded=True)
        elif isinstance(node.value, ast.Await):
            value = self.value(expression, state)
            if state.after and not value.flow:
                state.end = state.end or f"something else is awaited in between (line {node.lineno})"
        else:
            self.value(expression, state)
        return state

    def _run_assign(self, node: ast.Assign, state: State) -> State:
        for target in node.targets:
            if _is_pairwise(target, node.value):
                values = [self.value(item, state) for item in node.value.elts]  # type: ignore[attr-defined]
                for one, value in zip(target.elts, values, strict=True):  # type: ignore[attr-defined]
                    self._bind(one, value, state)
                return state
        value = self.value(node.value, state)
        for target in node.targets:
            self._bind(target, value, state)
        return state

    def _run_annassign(self, node: ast.AnnAssign, state: State) -> State:
        if node.value is not None:
            value = self.value(node.value, state)
            self._bind(node.target, value.plain() if is_immutable(node.annotation) else value, state)
        return state

    def _run_augassign(self, node: ast.AugAssign, state: State) -> State:
        value = self.value(node.value, state)
        if state.after and not state.seen and self.outside.operators_change():
            state.seen = f"{ast.unparse(node.target)} is changed in between (line {node.lineno})"
        if isinstance(node.target, ast.Name):
            old = self.value(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target), state)
            state.store(old.objects, value)
            new = any_of([old, self.without_objects(value)])
            self.assign(
                node.target.id, new.plain() if isinstance(node.value, ast.Constant) else new, state, node.lineno
            )
        else:
            self._bind(node.target, value, state)
        return state

    def _bind(self, target: ast.expr, value: Tracked, state: State) -> None:
        """Assign *value* to *target*."""
        if isinstance(target, ast.Name):
            self.assign(target.id, value, state, target.lineno)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for item in target.elts:
                self._bind(item, self.part(value, ELEMENT, state), state)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, value, state)
        elif isinstance(target, ast.Attribute):
            self.changed(target, state)
            holder = self.value(target.value, state)
            state.store([f"{path}.{target.attr}" for path in holder.objects], value)
        elif isinstance(target, ast.Subscript):
            self.changed(target, state)
            holder = self.value(target.value, state)
            key = self.read(self.value(target.slice, state), state)
            state.store([path + ELEMENT for path in holder.objects], any_of([value, key]))

    def _run_delete(self, node: ast.Delete, state: State) -> State:
        for target in node.targets:
            if isinstance(target, ast.Name):
                state.names.pop(target.id, None)
            else:
                self._bind(target, NOTHING, state)
        return state

    def _run_return(self, node: ast.Return, state: State) -> None:
        if node.value is not None:
            self.value(node.value, state)

    def _run_raise(self, node: ast.Raise, state: State) -> None:
        self.values([part for part in (node.exc, node.cause) if part is not None], state)

    def _run_assert(self, node: ast.Assert, state: State) -> State:
        state.under("function", self.read(self.value(node.test, state), state))
        return state

    def _run_break(self, _node: ast.Break, state: State) -> None:
        if self._breaks:
            self._breaks[-1].append(state)

    def _run_continue(self, _node: ast.Continue, state: State) -> None:
        if self._continues:
            self._continues[-1].append(state)

    def _run_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, state: State) -> State:
        lambda_of = ast.copy_location(ast.Lambda(node.args, ast.Tuple([], ast.Load())), node)
        defaults = self.value(lambda_of, state)
        around = self.values(node.decorator_list, state).plain()
        self.assign(node.name, any_of([defaults, around, Tracked(late=names_read(node.body))]), state)
        return state

    _run_asyncfunctiondef = _run_functiondef

    def _run_classdef(self, node: ast.ClassDef, state: State) -> State:
        around = self.values([*node.decorator_list, *node.bases, *node.keywords], state).plain()
        self.assign(node.name, any_of([around, Tracked(late=names_read(node.body))]), state)
        return state

    def _run_if(self, node: ast.If, state: State) -> State | None:
        test = self.read(self.value(node.test, state), state)
        return self._branches([(test, node.body, state.copy()), (test, node.orelse, state)], state)

    def _branches(self, branches: Sequence[tuple[Tracked, Sequence[ast.stmt], State]], state: State) -> State | None:
        """Run each of *branches*, which begin under a condition and in a state of their own."""
        before = state.conditions
        ends = []
        for test, body, start in branches:
            start.under("block", test)
            end = self.block(body, start)
            if end is not None:
                end.leave(before, "block")
            ends.append(end)
        after = joined(ends)
        if after is not None:
            test = any_of([test for test, _, _ in branches])
            for scope in exits([statement for _, body, _ in branches for statement in body]):
                after.under(scope, test)
        return after

    def _run_match(self, node: ast.Match, state: State) -> State | None:
        subject = self.value(node.subject, state)
        branches: list[tuple[Tracked, Sequence[ast.stmt], State]] = [(self.read(subject, state), [], state.copy())]
        for case in node.cases:
            start = state.copy()
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(part, (ast.MatchAs, ast.MatchStar, ast.MatchMapping)) and name:
                    self.assign(name, self.part(subject, ELEMENT, start), start, part.lineno)
            guard = NOTHING if case.guard is None else self.value(case.guard, start)
            branches.append((self.read(any_of([subject, guard]), start), case.body, start))
        return self._branches(branches, state)


def _is_pairwise(target: ast.expr, value: ast.expr) -> bool:
    """Return whether each item of *target* gets one item of *value*, as in ``a, b = 1, 2``."""
    return (
        isinstance(target, (ast.Tuple, ast.List))
        and isinstance(value, (ast.Tuple, ast.List))
        and len(target.elts) == len(value.elts)
        and not any(isinstance(item, ast.Starred) for item in (*target.elts, *value.elts))
    )
