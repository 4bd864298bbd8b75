"""The walk through calls: the two that are judged, and the others that are made between them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeGuard

import msgspec

from .changes.changing_methods import CHANGING_ITEMS
from .expressions import ExpressionWalk
from .flows import ELEMENT, NOTHING, Condition, Tracked, any_of, overlapping
from .functions import callee_name, tool_call
from .known_functions import (
    dotted,
    is_mutator,
    is_pure,
    is_reflection,
    is_sink,
    is_sleep,
    makes_text_or_number,
    yields_only,
)

if TYPE_CHECKING:
    from .flows import State

_WAITING = frozenset({"asyncio.wait", "asyncio.gather"})
_STARTING = frozenset({"asyncio.create_task", "asyncio.ensure_future"})


class CallWalk(ExpressionWalk):
    """Adds calls."""

    def call(self, node: ast.Call, state: State, *, discarded: bool) -> Tracked:
        """Evaluate a call; *discarded* is true if its result is not used."""
        if isinstance(node.func, ast.Attribute):
            called = self.value(node.func.value, state)
        else:
            called = self.value(node.func, state)
            called = msgspec.structs.replace(called, objects=frozenset()) if called.objects else called
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        given = [self.value(argument, state) for argument in arguments]
        # With a method of an object, a function can change the object.
        given += [self.value(one.value, state) for one in arguments if self._is_method(one)]
        inputs = [called, *given]
        if state.after and node in self.laters:
            self.judge(node, inputs, state)
        if node is self.earlier:
            state.after, state.failed, state.looped, state.paused, state.waited = True, False, False, False, False
            state.passed |= state.reach(any_of(inputs).objects)
            self.passed_to_earlier(state)
            self._may_be_filled([one.value for one in arguments if self._is_method(one)], state)
            left = self.outside.left_for_later()
            state.seen = f"{callee_name(tool_call(node))} changes {left}" if left else ""
            for states in self.raised:
                states.append(state.copy())
            return Tracked(flow=f"what {callee_name(tool_call(node)) or 'the call'} returns")
        if is_sleep(node):
            if state.after and not yields_only(node):
                state.paused = True
                state.waited = state.waited or isinstance(self.file.parents.get(node), ast.Await)
            return NOTHING
        if is_sink(node):
            return NOTHING
        if is_reflection(node):
            state.end = state.end or f"{callee_name(node)} may read or change anything (line {node.lineno})"
            return Tracked(doubt=f"what {callee_name(node)} returns")
        return self._other_call(node, called, given, state, discarded=discarded)

    def _may_be_filled(self, holders: list[ast.expr], state: State) -> None:
        """Take note that the earlier call may change *holders*: it is given a method, such as ``found.append``."""
        for holder in holders:
            for path in state.reach(self.value(holder, state).objects):
                what = f"{ast.unparse(holder)}, which {callee_name(tool_call(self.earlier))} may change by a method"
                state.changed.setdefault(path, (False, what))

    def _is_method(self, argument: ast.expr) -> TypeGuard[ast.Attribute]:
        """Return whether *argument* is a method that changes its object, or one of the file."""
        return isinstance(argument, ast.Attribute) and (
            argument.attr in CHANGING_ITEMS or argument.attr in self.file.named
        )

    def _note_changes(self, node: ast.Call, state: State, *, harmless: bool) -> None:
        """Take note of what a call in between visibly changes, if the later call may see that."""
        seen = self.outside.seen_by_later(node) if state.after and not (harmless or state.seen) else ""
        if seen:
            state.seen = f"{callee_name(node)}, which is called in between, changes {seen} (line {node.lineno})"

    def _waits_for_earlier(self, node: ast.Call) -> bool:
        """
        Return whether a call only waits for tasks of the earlier call, as ``asyncio.wait(tasks)`` does.

        The tasks are one variable that is set once and used nowhere before, so that nothing else can be among them.
        """
        given = node.args[0] if len(node.args) == 1 and not node.keywords else None
        given = given.value if isinstance(given, ast.Starred) else given
        if dotted(node.func) not in _WAITING or not isinstance(given, ast.Name) or self.file.loop(self.function, node):
            return False
        uses = [one for one in ast.walk(self.function) if isinstance(one, ast.Name) and one.id == given.id]
        before = [one for one in uses if (one.lineno, one.col_offset) < (node.lineno, node.col_offset)]
        stores = [one for one in uses if not isinstance(one.ctx, ast.Load)]
        made = self.file.parents.get(before[0]) if before == stores and len(stores) == 1 else None
        if not isinstance(made, ast.Assign):
            return False
        task = made.value
        if isinstance(task, ast.ListComp):
            task = task.elt
        elif isinstance(task, ast.List) and len(task.elts) == 1:
            task = task.elts[0]
        # The task is what stands for the call where its column is not known.
        started = isinstance(task, ast.Call) and dotted(task.func) in _STARTING and task.args == [self.earlier]
        return task is self.earlier or started

    def _gathers_known(self, node: ast.Call) -> bool:
        """Return whether a call makes calls like the two, and waits for them: ``gather(*[get(x) for x in found])``."""
        if dotted(node.func) not in _WAITING or node.keywords:
            return False
        made = [one.value if isinstance(one, ast.Starred) else one for one in node.args]
        made = [one.elt if isinstance(one, (ast.ListComp, ast.GeneratorExp)) else one for one in made]
        # Anything else may be what others have begun, or a call for what it does.
        return all(isinstance(one, ast.Call) and self._is_known(one) for one in made)

    def _is_known(self, call: ast.Call) -> bool:
        """Return whether *call* is one of the calls that are judged, or calls the same function."""
        return call in self.known or ast.dump(tool_call(call).func) in self.same_functions

    def _other_call(
        self, node: ast.Call, called: Tracked, given: list[Tracked], state: State, *, discarded: bool
    ) -> Tracked:
        """Evaluate a call that is neither of the two."""
        inputs = state.looked_at(any_of([called, *given]))
        harmless = self._is_known(node)
        self._note_changes(node, state, harmless=harmless)
        if is_mutator(node):
            self.changed(node.func.value, state)  # type: ignore[attr-defined] # it is a method
            state.store(called.objects, any_of(given))
            return self.part(called, ELEMENT, state)
        if discarded and inputs.flow and is_pure(node):
            # Called for nothing but the exception that it may raise.
            state.require(Condition("function", sure=False, reason=f"whether {callee_name(node)} fails"))
        if makes_text_or_number(node):
            known = self.read(inputs, state)
            return known if callee_name(node) != "len" else _without_items(known, inputs, state)
        if is_pure(node):
            if isinstance(node.func, ast.Attribute) and called.objects:
                return any_of([self.part(called, ELEMENT, state), *map(self.without_objects, given)])
            return self.made_here(node, inputs, state)
        name = callee_name(node) or "a function"
        doubt = ""
        if state.after and not harmless:
            shares = bool(overlapping(state.passed, frozenset(state.reach(inputs.objects))))
            if inputs.flow or shares:
                why = f"{name}, which is called in between (line {node.lineno}), may change"
                for path in state.reach(inputs.objects):
                    state.changed.setdefault(path, (False, f"what {why}"))
            doubt = f"what {name} returns, which is called in between (line {node.lineno})"
            if discarded and not (self._waits_for_earlier(node) or self._gathers_known(node)):
                state.end = state.end or f"{name} is called in between for what it does (line {node.lineno})"
        objects = inputs.objects | {f"<{node.lineno}:{node.col_offset}>"}
        return Tracked(inputs.flow, inputs.doubt or doubt, objects, self.read(inputs, state).derived)


def _without_items(length: Tracked, inputs: Tracked, state: State) -> Tracked:
    """Return *length*, that of *inputs*: a call that is given an item of a list does not change how many there are."""
    inside = {path for path in state.passed for one in inputs.objects if path.startswith(one + ELEMENT)}
    return msgspec.structs.replace(length, derived=length.derived - (inside - inputs.derived))
