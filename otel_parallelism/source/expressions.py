"""The walk through expressions: what each value may hold of the earlier call, in the order of evaluation."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

import msgspec

from .changes.outside_names import OutsideNames
from .flows import ELEMENT, NOTHING, State, TooLongError, Tracked, any_of, extended, joined, overlapping, wholes
from .functions import callee_name, tool_call
from .syntax import names_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .functions import Function, SourceFile

_BUILTINS = frozenset(dir(builtins))
_MOST_VISITS = 6_000
_ARITHMETIC_OF_CONTAINERS = (ast.Add, ast.Mult, ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)


class ExpressionWalk:
    """
    Evaluates expressions in one function.

    Attributes:
        earlier: The call that was made first.
        laters: The calls that may need the earlier one; the same may be among them, in a loop. Where there are several,
            what is found of each is what would be found of it alone; see `proof.alike`.
        known: The calls that are known to change nothing.
        met_flow: Whether a value that comes from the earlier call was used.
        outside: What the functions of the two calls change and read outside of themselves.
        steps_per_visit: How many comparisons of objects take as long as a visit of an expression.
        objects_per_visit: How many objects make each visit as long again.
    """

    steps_per_visit: int = 10
    objects_per_visit: int = 20

    def __init__(self, file: SourceFile, function: Function, earlier: ast.Call, laters: Sequence[ast.Call]) -> None:
        self.file = file
        self.function = function
        self.earlier = earlier
        self.laters: frozenset[ast.Call] = frozenset(laters)
        self.known: frozenset[ast.Call] = frozenset()
        self.same_functions: set[str] = {ast.dump(tool_call(one).func) for one in (earlier, laters[0])}
        self.raised: list[list[State]] = []
        self.visits: int = 0
        self.met_flow: bool = False
        self.outside: OutsideNames = OutsideNames(file, function, tool_call(earlier), tool_call(laters[0]))

    def judge(self, later: ast.Call, inputs: Sequence[Tracked], state: State) -> None:
        """Take note of how the call *later* is made; *inputs* are what is called and its arguments."""
        raise NotImplementedError

    def passed_to_earlier(self, state: State) -> None:
        """Take note that the earlier call is made in *state*."""
        raise NotImplementedError

    def call(self, node: ast.Call, state: State, *, discarded: bool) -> Tracked:
        """Evaluate a call; *discarded* is true if its result is not used."""
        raise NotImplementedError

    def value(self, node: ast.AST, state: State) -> Tracked:
        """Evaluate *node* in *state*, which changes with it."""
        self.visits += 1 + (len(state.changed) + len(state.contains)) // self.objects_per_visit
        if self.visits > _MOST_VISITS:
            raise TooLongError
        visit: Callable[[ast.AST, State], Tracked] | None = getattr(self, "_" + type(node).__name__.lower(), None)
        value = self.values(ast.iter_child_nodes(node), state) if visit is None else visit(node, state)
        self.met_flow = self.met_flow or bool(value.flow)
        return value

    def values(self, nodes: Iterable[ast.AST], state: State) -> Tracked:
        """Evaluate *nodes* in turn, and return what any of the values may be."""
        return any_of([self.value(node, state) for node in nodes])

    def read(self, value: Tracked, state: State) -> Tracked:
        """Return the text or number that is computed from *value* now."""
        value = state.looked_at(value)
        through = overlapping(state.passed, value.objects)
        return msgspec.structs.replace(value.plain(), derived=value.derived | through)

    def part(self, value: Tracked, step: str, state: State) -> Tracked:
        """Return the attribute or element *step* of *value*, read now."""
        objects = frozenset(extended(path, step) for path in value.objects)
        self.visits += len(objects) * (len(state.contains) + len(state.passed)) // self.steps_per_visit
        through = {whole for path in objects for whole in wholes(path) if whole in state.passed}
        inner = state.held_by(objects)
        found = Tracked(value.flow, value.doubt, objects | inner, value.derived | through)
        return state.looked_at(found)

    def assign(self, name: str, value: Tracked, state: State, line: int = 0) -> None:
        """Bind *name* to *value*."""
        value = state.looked_at(value)
        if state.after:
            value = any_of([value, state.condition()])
            if not value.flow or name in self.file.rebound:
                self.changed(ast.Name(name, ast.Load(), lineno=line), state)
        if value.flow:
            value = msgspec.structs.replace(value, flow=f"{name} (line {line})" if line else value.flow)
        for path in (state.changed.keys() & value.objects) | (state.passed & value.objects):
            if not path.startswith("<"):
                continue
            held = any(path in other.objects for key, other in state.names.items() if key != name)
            if not held and not any(path in objects for objects in state.contains.values()):
                # A new object is made here in each iteration, and no other variable holds the one before.
                state.changed.pop(path, None)
                state.passed -= {path}
        state.names[name] = value

    def made_here(self, node: ast.expr, content: Tracked, state: State) -> Tracked:
        """Return the object that *node* makes, with *content* in it."""
        path = f"<{node.lineno}:{node.col_offset}>"
        state.contains[path] = content.objects
        return msgspec.structs.replace(content, objects=frozenset({path}))

    def _constant(self, _node: ast.Constant, _state: State) -> Tracked:
        return NOTHING

    def _name(self, node: ast.Name, state: State) -> Tracked:
        name = node.id
        value = state.names.get(name)
        if value is None:
            known = name in _BUILTINS or any(
                name in names for names in (self.file.imports, self.file.defined, self.file.constants)
            )
            value = NOTHING if known else Tracked(objects=frozenset({name}))
        if name in self.file.rebound and state.after:
            value = any_of([value, Tracked(doubt=f"{name}, which another function may set")])
        return self._changed_by_earlier(node, state.looked_at(value), state)

    def _attribute(self, node: ast.Attribute, state: State) -> Tracked:
        found = self.part(self.value(node.value, state), "." + node.attr, state)
        return self._changed_by_earlier(node, found, state)

    def _changed_by_earlier(self, node: ast.Name | ast.Attribute, value: Tracked, state: State) -> Tracked:
        """Return *value*, that of *node*, with a doubt if the function of the earlier call changes it."""
        if not state.after or value.flow or value.doubt or not self.outside.earlier_changes(node):
            return value
        return msgspec.structs.replace(
            value, doubt=f"{ast.unparse(node)}, which {callee_name(tool_call(self.earlier))} changes"
        )

    def changed(self, target: ast.expr, state: State) -> None:
        """Take note that *target*, or something in it, is set or changed, if the later call may see that."""
        if state.after and not state.seen and self.outside.later_sees(target):
            state.seen = f"{ast.unparse(target)} is changed in between (line {target.lineno})"

    def _subscript(self, node: ast.Subscript, state: State) -> Tracked:
        element = self.part(self.value(node.value, state), ELEMENT, state)
        return any_of([element, self.read(self.value(node.slice, state), state)])

    def _starred(self, node: ast.Starred, state: State) -> Tracked:
        return self.value(node.value, state)

    def _formattedvalue(self, node: ast.FormattedValue, state: State) -> Tracked:
        width = () if node.format_spec is None else (node.format_spec,)
        return self.read(self.values((node.value, *width), state), state)

    def _binop(self, node: ast.BinOp, state: State) -> Tracked:
        value = self.values([node.left, node.right], state)
        plain = any(isinstance(side, (ast.Constant, ast.JoinedStr)) for side in (node.left, node.right))
        if plain or not isinstance(node.op, _ARITHMETIC_OF_CONTAINERS):
            return self.read(value, state)
        return value

    def _unaryop(self, node: ast.UnaryOp, state: State) -> Tracked:
        return self.read(self.value(node.operand, state), state)

    def _compare(self, node: ast.Compare, state: State) -> Tracked:
        return self.read(self._in_sequence([node.left, *node.comparators], state, always=2), state)

    def _boolop(self, node: ast.BoolOp, state: State) -> Tracked:
        return self._in_sequence(node.values, state, always=1)

    def _in_sequence(self, nodes: Sequence[ast.expr], state: State, always: int) -> Tracked:
        """Evaluate *nodes*: after the first ones, which are *always* evaluated, only if the values before allow it."""
        before = state.conditions
        found = NOTHING
        for position, node in enumerate(nodes):
            if position >= always:
                state.under("block", self.read(found, state))
            found = any_of([found, self.value(node, state)])
        state.leave(before, "block")
        return found

    def _ifexp(self, node: ast.IfExp, state: State) -> Tracked:
        test = self.read(self.value(node.test, state), state)
        before = state.conditions
        found = [test.plain()]
        ends = []
        for branch in (node.body, node.orelse):
            end = state.copy()
            end.under("block", test)
            found.append(self.value(branch, end))
            end.leave(before, "block")
            ends.append(end)
        self._become(state, joined(ends))
        return any_of(found)

    @staticmethod
    def _become(state: State, other: State | None) -> None:
        if other is not None:
            state.__dict__.update(other.__dict__)

    def _list(self, node: ast.List | ast.Set, state: State) -> Tracked:
        return self.made_here(node, self.values(node.elts, state), state)

    _set = _list

    def _tuple(self, node: ast.Tuple, state: State) -> Tracked:
        return self.values(node.elts, state)

    def _dict(self, node: ast.Dict, state: State) -> Tracked:
        found = []
        for key, item in zip(node.keys, node.values, strict=True):
            found += [self.value(part, state) for part in (key, item) if part is not None]
        return self.made_here(node, any_of(found), state)

    def _namedexpr(self, node: ast.NamedExpr, state: State) -> Tracked:
        value = self.value(node.value, state)
        self.assign(node.target.id, value, state, node.lineno)
        return value

    def _lambda(self, node: ast.Lambda, state: State) -> Tracked:
        defaults = self.values([d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None], state)
        return any_of([defaults, Tracked(late=names_read([node]))])

    def _yield(self, node: ast.Yield | ast.YieldFrom, state: State) -> Tracked:
        if node.value is not None:
            self.value(node.value, state)
        if state.after:
            state.end = state.end or f"the function yields in between (line {node.lineno})"
        return Tracked(doubt="what was sent to the generator" if state.after else "")

    _yieldfrom = _yield

    def _await(self, node: ast.Await, state: State) -> Tracked:
        value = self.value(node.value, state)
        if state.after and not isinstance(node.value, ast.Call) and not value.flow:
            return any_of([value, Tracked(doubt=f"what is awaited in line {node.lineno}")])
        return value

    def _call(self, node: ast.Call, state: State) -> Tracked:
        return self.call(node, state, discarded=False)

    @staticmethod
    def without_objects(value: Tracked) -> Tracked:
        """Return *value* as part of a result that is another object."""
        return msgspec.structs.replace(value, objects=frozenset())
