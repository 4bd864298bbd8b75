"""
What the model asked for, for calls that nobody tells the model's id of: a decorated function in a loop by hand.

An answer lists tools with arguments. A call of that tool with those arguments, after the answer and before the next
one, is the one that was asked for; each is given out once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism.tracing.shield import swallow

from .capture import PLAIN
from .nodes import CallNode, Node, SpanNode, StepNode, TurnNode

if TYPE_CHECKING:
    from collections.abc import Iterable


_MOST = 256
_LONGEST = 100_000


class Asked(msgspec.Struct, frozen=True):
    """One call that an answer asks for; ``arguments`` are by name or the JSON of that, None where not known as such."""

    call_id: str
    tool: str
    arguments: Any = None


class _Open(msgspec.Struct):
    """What one model request asked for and was not yet run, with the arguments' values."""

    step: StepNode
    asked: list[tuple[Asked, Mapping[str, Any] | None]]


def ask(step: StepNode, asked: Iterable[Asked]) -> bool:
    """Remember what the answer of *step* asks for until its turn goes on; false where that cannot be followed."""
    turn = _turn(step.parent)
    if turn is None:
        return False
    wanted = [(each, _named(each.arguments)) for each in asked][:_MOST]
    # What was answered before this request was made has been run, or never will be.
    still = [held for held in turn.asked or () if held.asked and not 0 < held.step.end_ns <= step.start_ns]
    turn.asked = [*(held for held in still if held.step is not step), _Open(step, wanted)]
    return True


def claim(node: CallNode, parent: Node, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, known: bool) -> None:
    """
    Give the call *node* the id that the model has for it, if it is one that was asked for.

    Args:
        node: A call that is about to start.
        parent: The node around it.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        known: Whether these are its arguments at all; else the tool's name must do.
    """
    try:
        turn = _turn(parent)
        for held in (turn.asked or ()) if turn is not None else ():
            for index, (asked, wanted) in enumerate(held.asked):
                if asked.tool == node.tool.name and (not known or _fits(wanted, args, kwargs)):
                    del held.asked[index]
                    node.call_id = asked.call_id
                    return
    except Exception as error:  # noqa: BLE001 - without the id the round is only inferred
        swallow("looking for what the model asked for", error)


def _turn(node: Node | None) -> TurnNode | SpanNode | None:
    """Return the turn that *node* is or is in, or the outermost span; None inside of a call."""
    found: TurnNode | SpanNode | None = None
    while node is not None:
        if isinstance(node, CallNode):
            return None
        if isinstance(node, TurnNode):
            return node
        if isinstance(node, SpanNode):
            found = node
        node = node.parent
    return found


def _named(arguments: Any) -> Mapping[str, Any] | None:
    if isinstance(arguments, str) and len(arguments) <= _LONGEST:
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except ValueError:
            return None
    return arguments if isinstance(arguments, Mapping) else None


def _fits(wanted: Mapping[str, Any] | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call with these arguments is what was *wanted*: all of its plain values are the model's."""
    if wanted is None:
        return False
    given: list[Any] = []
    for name, value in kwargs.items():
        if name in wanted:
            if not _same(wanted[name], value):
                return False
            given.append(value)
    values = list(wanted.values())
    for value in args:
        if type(value) in PLAIN or type(value) in (dict, list):
            if not any(_same(one, value) for one in values):
                return False
            given.append(value)
    # A call that shows none of the arguments (it hands on an object made of them, say) proves nothing.
    return bool(given) or not wanted


def _same(wanted: Any, value: Any) -> bool:
    if type(value) is not type(wanted):
        # A parsed model or an enumeration: what it stands for cannot be told without running the program's code.
        return type(value) in (int, float) and type(wanted) in (int, float) and bool(value == wanted)
    return bool(value == wanted)
