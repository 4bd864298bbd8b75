"""
The live tree: one node for each open span that matters, linked so that a turn finds its calls when it ends.

Parents are known by every node, children only by nodes that hold something relevant: a node becomes a child of its
parent when it, or something below it, turns out to be a call, a step or a turn. So a span that has nothing to do
with agents costs one small object. Parent and child refer to each other; ``Recorder.finish`` takes finished trees
apart, so that they need no garbage collector.

Nodes are changed by the thread their span runs in. Appending to a list and reading one are atomic under the
interpreter's lock; everything that decides (linking, finishing) holds the recorder's lock.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

import msgspec
from opentelemetry.context import create_key

from otel_parallelism.model import Content, Observation, Report

from .tool import Tool

SCOPE_KEY = create_key("otel-parallelism-scope")
"""Where the OpenTelemetry context holds the innermost node of our own making (a decorated call or an agent turn)."""


NOTICED_NS = 20_000_000
"""An event loop notices within so long that a thread is done."""

UNSEEN = object()
"""In place of a result that is not there: not yet, failed, or gone out bit by bit."""


class Node(msgspec.Struct, eq=False):
    """
    One span while it is open, and after its end as long as something may ask for it.

    ``span_id`` is one of our own where the span has no usable one. ``end_ns`` is 0 while it is open. ``held`` counts,
    on a root, what is linked below; ``dropped`` what a bound left out. ``inner`` is the report of the only turn
    inside that has ended, ``False`` if there were several.
    """

    parent: Node | None
    span: Any
    span_id: int
    start_ns: int
    end_ns: int = 0
    children: list[Node] | None = None
    linked: bool = False
    finished: bool = False
    held: int = 0
    dropped: int = 0
    inner: Report | bool | None = None


class SpanNode(Node):
    """
    A span that somebody else makes; ``observation`` is what its dialect says, once it was asked.

    ``kept`` leads from an ended turn that only wraps another to that one. ``facts`` is what a patched framework knows
    of the same call, model request (nodes without spans of their own) or turn (the user's words). ``echo``: who makes
    it tells again of what our own turns around it tell, so it is no turn of its own. ``asked`` is what the model asked
    for and was not yet run.
    """

    observation: Observation | None = None
    is_turn: bool = False
    kept: list[Node] | None = None
    facts: CallNode | StepNode | Content | None = None
    echo: bool = False
    asked: Any = None


class CallNode(Node):
    """
    A decorated call.

    ``code`` and ``instruction`` tell where the call was made, without yet looking up the line. ``arguments`` are the
    positional and keyword values, or their reduced leaves; ``whole`` and ``identities`` say what was left out and
    which mutable objects were passed; ``objects`` are those of which nothing is left out. ``task`` is 0 outside of an
    event loop. ``token`` resets the context. ``call_id`` is what the model calls it, where that is known.
    ``framework``: a framework calls it, undecorated. ``left_ns`` is when the thread that ran it for an event loop was
    done, 0 where there was none. ``result_identities`` are those of the result and of objects right inside of it,
    ``result_state`` tells whether it has changed since, ``receiver`` whose method it is.
    """

    tool: Tool = None  # type: ignore[assignment] # always given; fields after ones with defaults need one
    called_ns: int = 0
    code: CodeType | None = None
    instruction: int = 0
    thread: int = 0
    task: int = 0
    arguments: Any = None
    whole: bool = True
    identities: tuple[int, ...] = ()
    objects: list[Any] | None = None
    resource: str = ""
    token: Any = None
    result: Any = UNSEEN
    result_whole: bool = True
    result_identities: tuple[int, ...] = ()
    result_state: tuple[int, ...] = ()
    receiver: int = 0
    error: bool = False
    call_id: str = ""
    framework: bool = False
    left_ns: int = 0


def let_go(call: CallNode) -> None:
    """Hold no longer what *call* was given and returned, nor what it may yet return: its turn is over."""
    call.finished = True
    call.arguments = call.objects = None
    call.result = UNSEEN


class TurnNode(Node):
    """
    An agent turn of our own making; ``trace_id`` is 0 where its span has none, ``kept`` and ``asked`` are as a
    `SpanNode`'s.

    ``echoes`` are the names of instrumentation scopes that tell again, inside of it, what our own spans tell.
    """

    name: str = ""
    agent: str = ""
    input: Content | None = None
    trace_id: int = 0
    kept: list[Node] | None = None
    echoes: frozenset[str] = frozenset()
    asked: Any = None


class StepNode(Node):
    """
    A model request whose span we make; ``requested`` are the ids of the calls that its answer asks for.

    ``requested`` and ``input_tokens`` are None while, or where, they are not known; ``messages`` are the user's words.
    """

    requested: tuple[str, ...] | None = None
    input_tokens: int | None = None
    messages: Content | None = None
