"""The types of what is analysed: calls, model requests and other spans as classified, and turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec

from otel_parallelism.failures import Failure

from .caller_types import Caller, CallStack
from .dispatch_types import Dispatch
from .time_types import CallTotals, Interval

Effect: TypeAlias = Literal["read", "write", "unknown"]
EffectSource: TypeAlias = Literal["", "declared", "framework", "settings", "arguments", "assumed"]


class HandedObject(msgspec.Struct, frozen=True, gc=False):
    """
    A mutable object that a call was handed: an argument or what lies in one, the object of a method, a dependency.

    Attributes:
        name: The parameter; empty if not known.
        identity: The ``id()`` of the object.
        kind: The type of the object; None if not known.
        state: What the object directly held as the call started, for comparison; None if it was not read.
        parts: The types of what it directly held.
        changed: Whether the code of the call's tool visibly sets something in it.
    """

    name: str
    identity: int
    kind: type | None = None
    state: tuple[object, ...] | None = None
    parts: tuple[type, ...] = ()
    changed: bool = False


class DeveloperText(str):
    """A text of the program's developer among the messages of a request, such as a system prompt."""

    __slots__ = ()


class Content(msgspec.Struct, frozen=True):
    """
    Arguments, a result or messages; used as evidence only, and read only if calls may form a chain.

    ``parse`` converts ``value`` to dicts, lists and scalars; without it, the value is used as it is. ``whole`` is false
    if a part is missing: truncated, streamed or too large. ``identities`` are the ``id()`` of the mutable arguments, or
    of the result and the objects directly inside it. ``receiver`` is the ``id()`` of the object whose method was
    called, 0 for a function. ``handed`` are the mutable objects that the call was handed.
    """

    value: object
    parse: Callable[[object], object] | None = None
    whole: bool = True
    identities: tuple[int, ...] = ()
    receiver: int = 0
    handed: tuple[HandedObject, ...] = ()

    def data(self) -> object:
        """
        Return ``value``, converted by ``parse``.

        Raises:
            Exception: Whatever the parser raises on unknown data.
        """
        return self.value if self.parse is None else self.parse(self.value)


class Call(msgspec.Struct, frozen=True):
    """
    One execution of a tool.

    Before normalisation ``scope`` is empty and ``parent_id`` is the parent of the span; afterwards ``scope`` is the
    span id of the nearest enclosing call, empty for a call of the turn itself. ``round`` numbers the turn's rounds from
    0, None if unknown; ``proved`` is true if the model's output lists the id of this call. ``streamed`` is true if the
    call started while the response that asked for it still streamed: it starts as long after the first call of that
    response as it did, whichever response asks for it. ``bound`` is true if it started during a request that may not
    have asked for it: it could not start earlier. ``depends_on`` is None if nothing was declared, ``()`` if
    independence was. ``called_ns`` is when the wrapper was called. ``thread`` is that of the caller, or of the loop
    that the call held. All are 0 if unknown, as ``task`` is. ``in_loop`` is true if a task of an event loop made or ran
    it. ``silenced`` is true if the decorator silences findings about the call, ``blocking`` if its function is not a
    coroutine function. ``blocked_ns`` is for how long it held the event loop's thread without a break, in stretches of
    10 ms or more, and ``stalled_ns`` how much longer these were because the machine or another thread may have kept it
    from running. ``defined`` is where its function is defined. ``framework`` made it, with the setting ``switch`` that
    keeps calls apart. ``remote_parent`` is true if the parent is in another process, or if the span is a server's
    record of a call. ``waiting`` are the times inside the call in which it waited for a person, in order, without
    overlap; they are no work of the call. ``outlived_ns`` is None unless the call went on after the end of its turn: it
    then ends with the turn, and the value is how much longer it took, 0 if unknown. ``stack`` has the functions that
    made the call. ``failure`` is why it failed. ``conversation`` is the id of the conversation. ``links`` and
    ``link_types`` are those of its span. ``changes`` is true if its function visibly changes something outside, such as
    a file. ``dispatch`` is recorded in tests only. ``serial_inside`` is true if the spans inside it and inside calls
    that overlap it ran one after another. ``description`` is that of its tool.
    """

    trace_id: str
    span_id: str
    parent_id: str
    tool: str
    start_ns: int
    end_ns: int
    call_id: str = ""
    scope: str = ""
    round: int | None = None
    proved: bool = False
    bound: bool = False
    error: bool = False
    arguments: Content | None = None
    result: Content | None = None
    effect: Effect = "unknown"
    effect_source: EffectSource = ""
    resource: str = ""
    depends_on: tuple[str, ...] | None = None
    links: tuple[str, ...] = ()
    called_ns: int = 0
    task: int = 0
    thread: int = 0
    in_loop: bool = False
    queue_ns: int = 0
    caller: Caller | None = None
    sub_agent: bool = False
    silenced: bool = False
    blocking: bool = False
    blocked_ns: int = 0
    defined: Caller | None = None
    framework: str = ""
    switch: str = ""
    source: str = ""
    instrumentation: str = ""
    remote_parent: bool = False
    waiting: tuple[Interval, ...] = ()
    outlived_ns: int | None = None
    stack: CallStack | None = None
    failure: Failure = ""
    conversation: str = ""
    link_types: tuple[str, ...] = ()
    changes: bool = False
    streamed: bool = False
    dispatch: Dispatch | None = None
    serial_inside: bool = False
    stalled_ns: int = 0
    description: str = ""

    @property
    def duration_ns(self) -> int:
        """The length without the waiting for a person, in nanoseconds, never negative."""
        length_ns = max(0, self.end_ns - self.start_ns)
        return length_ns - sum(wait.duration_ns for wait in self.waiting) if self.waiting else length_ns


class AskedCall(msgspec.Struct, frozen=True):
    """A call that a model's output asks for: its tool, its arguments as plain data, and its id or an empty string."""

    tool: str
    arguments: object = None
    call_id: str = ""


class Step(msgspec.Struct, frozen=True):
    """
    One model request of a turn.

    ``requested`` are the ids of the tool calls that its output requests: None if the output was not captured or has no
    ids, ``()`` if it requests none. ``requested_tools`` are their tools in the same order, empty if they are unknown.
    ``cached_tokens`` are those of its ``input_tokens`` that were read from a cache. ``messages`` are the user's
    messages in its input. ``answer`` is the output, ``switch`` a setting such as ``parallel_tool_calls=False``.
    ``conversation`` is the id of the conversation; ``links`` and ``link_types`` are those of its span. ``streams`` is
    true if the agent runs nothing but the model's calls, and starts them while the response is still incomplete.
    ``tools`` are the descriptions of tools that it offers, by name. ``dispatch`` is recorded in tests only.
    """

    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    requested: tuple[str, ...] | None = None
    input_tokens: int | None = None
    messages: Content | None = None
    source: str = ""
    instrumentation: str = ""
    requested_tools: tuple[str, ...] = ()
    cached_tokens: int | None = None
    answer: Content | None = None
    switch: str = ""
    conversation: str = ""
    links: tuple[str, ...] = ()
    link_types: tuple[str, ...] = ()
    streams: bool = False
    tools: Mapping[str, str] | None = None
    dispatch: Dispatch | None = None


class TurnSpan(msgspec.Struct, frozen=True):
    """
    The span of one agent run, with the user's messages and the described ``tools`` that it can call.

    It is *emptied* if what it held is in another report already.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    agent: str = ""
    input: Content | None = None
    source: str = ""
    instrumentation: str = ""
    emptied: bool = False
    tools: Mapping[str, str] | None = None


class Passage(msgspec.Struct, frozen=True):
    """
    Any other span, which matters only as an ancestor: a *cycle* if some frameworks make it for each round (``Step 2``).

    ``waiting`` is true for a span that lasts while the program waits for a person.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    cycle: bool = False
    remote_parent: bool = False
    source: str = ""
    instrumentation: str = ""
    waiting: bool = False


Observation: TypeAlias = Call | Step | TurnSpan | Passage
"""A span as classified by its dialect, before normalisation."""


class Turn(msgspec.Struct, frozen=True):
    """
    One agent run after normalisation.

    ``calls`` are all calls inside it at any depth, in order of (start, end, id); its own have an empty ``scope``.
    ``steps`` are the turn's own model requests in order of start. ``coverage`` is the share of its calls with a known
    interval, tool name and scope; ``anomalies`` counts intervals that end before they start. ``wrappers`` are the span
    ids of turns that contain only this turn. ``hand_offs`` are the start times of hand-offs to another agent.
    ``unrequested`` are the span ids of own calls that the agent's code made, and no recorded model request.
    ``waiting`` are the times in which a part of the turn waited for a person, in order, without overlap. ``past_bound``
    has the totals of the calls that are not among ``calls`` because there are too many; None without any.
    ``let_go`` counts calls and spans whose contents are not at hand, because open turns held too much.
    """

    trace_id: str
    span_id: str
    name: str
    agent: str
    start_ns: int
    end_ns: int
    calls: tuple[Call, ...] = ()
    steps: tuple[Step, ...] = ()
    inputs: tuple[Content, ...] = ()
    coverage: float = 1.0
    anomalies: int = 0
    wrappers: tuple[str, ...] = ()
    hand_offs: tuple[int, ...] = ()
    unrequested: frozenset[str] = frozenset()
    waiting: tuple[Interval, ...] = ()
    past_bound: CallTotals | None = None
    let_go: int = 0
