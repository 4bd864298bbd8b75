"""
Matches calls that have no call id with the calls that a model's answer requested.

A hand-written agent loop runs decorated functions and passes no call ids. A model's answer names tools and arguments:
the first call of that tool with those arguments, between this answer and the next, gets the requested call's id. Each
id is assigned once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism.tracing.shield import swallow

from .call_contents import PLAIN
from .nodes import CallNode, Node, SpanNode, StepNode, TurnNode

if TYPE_CHECKING:
    from collections.abc import Iterable


_MAX_REQUESTED = 256
_MAX_JSON_LENGTH = 100_000


class RequestedCall(msgspec.Struct, frozen=True):
    """
    One call that a model's answer requests.

    ``arguments`` is a mapping by name, or its JSON text; None where the arguments are unknown.
    """

    call_id: str
    tool: str
    arguments: Any = None


class _PendingAnswer(msgspec.Struct):
    """The calls that one model request's answer requested and that have not started, with their parsed arguments."""

    step: StepNode
    calls: list[tuple[RequestedCall, Mapping[str, Any] | None]]


def remember_requested_calls(step: StepNode, calls: Iterable[RequestedCall]) -> bool:
    """
    Remember the *calls* that the answer of *step* requests, on the turn that encloses it.

    Returns:
        False where no turn or span encloses the model request; nothing is remembered then.
    """
    turn = _enclosing_turn(step.parent)
    if turn is None:
        return False
    parsed = [(call, _by_name(call.arguments)) for call in calls][:_MAX_REQUESTED]
    # Calls of an answer that was complete before this request began have either started or never will.
    pending = [
        answer
        for answer in turn.pending_answers or ()
        if answer.calls and answer.step is not step and not 0 < answer.step.end_ns <= step.start_ns
    ]
    turn.pending_answers = [*pending, _PendingAnswer(step, parsed)]
    return True


def assign_call_id(
    node: CallNode, parent: Node, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, known: bool
) -> None:
    """
    Set the call id of *node* if its tool and arguments match a requested call.

    Args:
        node: A call that is about to start.
        parent: The node around it.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        known: Whether the arguments are known; if not, the tool's name alone decides.
    """
    try:
        turn = _enclosing_turn(parent)
        for answer in (turn.pending_answers or ()) if turn is not None else ():
            for index, (call, wanted) in enumerate(answer.calls):
                if call.tool == node.tool.name and (not known or _matches(wanted, args, kwargs)):
                    del answer.calls[index]
                    node.call_id = call.call_id
                    return
    except Exception as error:  # noqa: BLE001 - without an id, the analysis infers the call's round
        swallow("matching a call with the model's requests", error)


def _enclosing_turn(node: Node | None) -> TurnNode | SpanNode | None:
    """Return the nearest turn of ours from *node* outwards, else the outermost span; None inside a call."""
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


def _by_name(arguments: Any) -> Mapping[str, Any] | None:
    """Return *arguments* as a mapping by name, parsed from JSON text; None where they are no such mapping."""
    if isinstance(arguments, str) and len(arguments) <= _MAX_JSON_LENGTH:
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except ValueError:
            return None
    return arguments if isinstance(arguments, Mapping) else None


def _matches(wanted: Mapping[str, Any] | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether all plain values among a call's arguments occur in the *wanted* arguments."""
    if wanted is None:
        return False
    compared = False
    for name, value in kwargs.items():
        if name in wanted:
            if not _equal(wanted[name], value):
                return False
            compared = True
    values = list(wanted.values())
    for value in args:
        if type(value) in PLAIN or type(value) in (dict, list):
            if not any(_equal(one, value) for one in values):
                return False
            compared = True
    # Without one comparable argument (the call may pass an object built from them) nothing proves a match.
    return compared or not wanted


def _equal(wanted: Any, value: Any) -> bool:
    """Whether *value* equals *wanted*; values of different types are equal only where both are numbers."""
    if type(value) is not type(wanted):
        # Comparing a parsed model or an enumeration would run the program's code.
        return type(value) in (int, float) and type(wanted) in (int, float) and bool(value == wanted)
    return bool(value == wanted)
