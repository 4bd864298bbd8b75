"""The walk through ``with`` and ``try``: what entering, leaving and failing do between the two calls."""

from __future__ import annotations

import ast

from .flows import Condition, State, Tracked, joined
from .functions import callee_name, tool_call
from .known_functions import is_harmless_block
from .loops import LoopWalk
from .syntax import exits


class BlockWalk(LoopWalk):
    """Adds the blocks that have an end of their own."""

    def _run_with(self, node: ast.With | ast.AsyncWith, state: State) -> State | None:
        harmless = all(is_harmless_block(item.context_expr) for item in node.items)
        for item in node.items:
            context = self.value(item.context_expr, state)
            if state.after and not harmless:
                state.end = state.end or f"a with block begins in between (line {node.lineno})"
            if item.optional_vars is not None:
                self._bind(item.optional_vars, context, state)
        jumps = [*self._breaks[-1:], *self._continues[-1:]]
        before = [len(states) for states in jumps]
        end = self.block(node.body, state)
        leaving = [one for states, count in zip(jumps, before, strict=True) for one in states[count:]]
        for one in (end, *leaving):
            if one is not None and one.after and not harmless:
                one.end = one.end or f"a with block ends in between (line {node.lineno})"
        return end

    _run_asyncwith = _run_with

    def _run_try(self, node: ast.Try | ast.TryStar, state: State) -> State | None:
        before = state.copy()
        self.raised.append([])
        self.handled += bool(node.handlers)
        met = self.met_flow
        self.met_flow = False
        end = self.block(node.body, state.copy())
        self.handled -= bool(node.handlers)
        raised = self.raised.pop()
        # Code that uses what the earlier call returned fails or not depending on it.
        fails = self._holds_earlier(node.body) or self.met_flow
        self.met_flow: bool = self.met_flow or met
        reason = f"whether {callee_name(tool_call(self.earlier)) or 'the first call'} fails"
        if end is not None and node.orelse:
            if fails and end.after:
                end.require(Condition("block", sure=False, reason=reason))
            end = self.block(node.orelse, end)
        ends = [end]
        for handler in node.handlers:
            start = joined([before.copy(), end, *raised]) or before.copy()
            if fails and start.after:
                start.failed = not (before.after and not before.failed)
                start.require(Condition("block", sure=True, reason=reason))
            if handler.name:
                start.names[handler.name] = Tracked(
                    flow=reason.replace("whether", "how") if fails and start.after else ""
                )
            ends.append(self.block(handler.body, start))
        after = joined(ends)
        if after is not None:
            after.leave(before.conditions, "block")
            if fails and after.after:
                jumping = [statement for handler in node.handlers for statement in handler.body]
                for scope in exits(jumping, raising=False):
                    after.require(Condition(scope, sure=True, reason=reason))
        return self._finally(node, after, [before, *raised])

    _run_trystar = _run_try

    def _finally(self, node: ast.Try | ast.TryStar, state: State | None, others: list[State]) -> State | None:
        """Run the ``finally`` clause after the rest of *node*; it runs also where an exception leaves the block."""
        if not node.finalbody:
            return state
        leaving = joined([one.copy() for one in (state, *others) if one is not None])
        why = f"a finally clause runs in between (line {node.finalbody[0].lineno})"
        if leaving is not None and leaving.after:
            leaving.end = leaving.end or why
        if leaving is not None:
            self.block(node.finalbody, leaving)
        if state is None:
            return None
        end = self.block(node.finalbody, state)
        if end is not None and self._holds_earlier(node.finalbody):
            end.end = end.end or why
        return end

    def _holds_earlier(self, statements: list[ast.stmt]) -> bool:
        return any(node is self.earlier for statement in statements for node in ast.walk(statement))
