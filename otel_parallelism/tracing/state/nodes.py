"""
The nodes of the live tree: one for each open span that matters.

Every node refers to its parent. A node becomes a child of its parent only when it, or a node below it, turns out to be
a call, a model request or a turn, so an irrelevant span costs one small object. Parents and children form reference
cycles; `ending.finish` removes the children, so that no garbage collection is needed.

The thread that runs a span changes its node. Appending to a list and copying one are atomic under the interpreter's
lock. Code that links or finishes nodes holds the registry's lock.
"""

from __future__ import annotations

from threading import get_ident
from types import CodeType
from typing import Any

import msgspec
from opentelemetry.context import create_key

from otel_parallelism.analysis.turns.bounded_calls import RunningTotals
from otel_parallelism.failures import Failure
from otel_parallelism.model import Call, Content, Dispatch, Observation, Report, Step

from .bounds.held_evidence import HELD, LEAST_SIZE, evidence_size
from .tool import Tool

SCOPE_KEY = create_key("otel-parallelism-scope")
"""The key of the OpenTelemetry context that holds the innermost node of ours: a decorated call, request or turn."""


NOTICED_NS = 20_000_000
"""The longest time, in nanoseconds, that an event loop normally takes to notice that a thread has finished."""

LEAST_BLOCKED_NS = 10_000_000
"""The shortest time, in nanoseconds, for which a call that holds the event loop's thread counts as blocking it."""

SUSPENDED = 1 << 63
"""Stands for the time at which a suspended body last resumed: later than any time."""

MISSING = object()
"""Stands for a result that does not exist: the call is open, failed, or yielded its result piece by piece."""


class Node(msgspec.Struct, eq=False):
    """
    One span, while it is open and for as long as its turn needs it.

    ``span_id`` is random where the span has no usable id. ``end_ns`` is 0 while the span is open. ``room`` is how many
    children the node may have before more are granted; on a root, ``held`` is the sum of the room below. ``past_bound``
    has the totals of the calls of a turn that are not linked because of a bound; such a call is ``beyond``.
    ``counted_in`` are the totals that also count the end of this node. ``inner`` is the report of the only nested turn
    that has ended, ``False`` where several have. ``above`` is an ancestor with only calls in between, to skip them.
    Times are those of ``clock.now_ns``; ``shift`` is what is added to them on spans.
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
    room: int = 0
    past_bound: RunningTotals | None = None
    counted_in: RunningTotals | None = None
    beyond: bool = False
    inner: Report | bool | None = None
    above: Node | None = None
    shift: int = 0

    def drop_span(self) -> None:
        """Hold the span, which has ended, no longer."""
        self.span = None


class SpanNode(Node):
    """
    A span of another instrumentation.

    Attributes:
        observation: What the span is, classified at its end; None until then.
        classified: What the open span was last classified as.
        classified_state: A fingerprint of the span, which shows whether it has changed since.
        last: The last classification with the data it was made from, while the span is open.
        is_turn: Whether the span is among the open turns.
        kept: On an ended turn that only wraps another turn: the path to that turn.
        emptied: Whether the span was a turn that has ended, and had calls, model requests or turns inside.
        facts: What a patched framework knows of the same call or model request (a node without a span), or of the same
            turn (the user's words).
        duplicate: Whether the span's instrumentation repeats what our own spans say. It is then never a turn.
        pending_answers: Calls that model requests in this turn have requested and that have not started.
        held_size: The size of the contents in bytes, if they are large and the span has ended; `LET_GO` once let go.
    """

    observation: Observation | None = None
    classified: Observation | None = None
    classified_state: tuple[str, int, int] | None = None
    last: Any = None
    is_turn: bool = False
    kept: list[Node] | None = None
    emptied: bool = False
    facts: CallNode | StepNode | Content | None = None
    duplicate: bool = False
    pending_answers: Any = None
    held_size: int = 0

    def let_go(self) -> None:
        """Hold the contents of the span, which has ended, no longer; they then count as not captured."""
        known = self.observation
        if isinstance(known, Call):
            self.observation = msgspec.structs.replace(known, arguments=None, result=None)
        elif isinstance(known, Step):
            self.observation = msgspec.structs.replace(known, messages=None, answer=None)
        self.drop_span()


class CallNode(Node):
    """
    A call of a decorated function, or of a tool by a patched framework.

    Attributes:
        tool: The called tool.
        called_ns: When the wrapper was called; ``start_ns`` is when the body started.
        code: The code object that made the call; the line is looked up only if needed.
        instruction: The offset of the calling instruction in ``code``.
        thread: The id of the calling thread.
        task: The id of the running asyncio task, 0 outside an event loop.
        arguments: Positional and keyword values, or their leaves; None where not held.
        whole: Whether ``arguments`` leaves nothing out.
        identities: The ids of the mutable objects that were passed.
        handed: Notes of the mutable objects that the call was handed, for the analysis.
        objects: Those mutable objects that ``arguments`` represents completely.
        resource: The declared resource, computed for this call.
        token: The token that resets the OpenTelemetry context.
        result: The held result, or `MISSING`.
        result_whole: Whether ``result`` leaves nothing out.
        result_identities: The ids of the result and of objects directly inside it.
        result_state: A fingerprint of the result, which shows whether it has changed since.
        receiver: The id of the object whose method was called, 0 for a function.
        error: Why the call failed; an empty string if it did not.
        call_id: The model's id of the call, or an empty string.
        framework: Whether a patched framework reported the call.
        switch: The framework's setting that keeps the call from running beside others; empty if there is none.
        long_ns: The length of the stretches in the event loop's thread of at least `LEAST_BLOCKED_NS`, as far as it is
            known what became of it.
        blocked_ns: How much of them the call itself held the thread, where that is `LEAST_BLOCKED_NS` or more.
        body_task: The id of another task that runs the body and measures it, 0 while there is none.
        resumed_ns: When the body last resumed; `SUSPENDED` while it is suspended, and if that is not measured.
        defined: The code of the tool's function, if a framework provides it.
        changes: Whether the code of that function visibly changes something outside.
        around: The frames around the calling one, see `callers.frames_around`; None if not recorded.
        calling_task: A weak reference to the asyncio task that made the call, which no later task shares; None outside
            of a task.
        held_size: The size of the held arguments and result in bytes, if they are large; `LET_GO` once they are not.
        watched: Whether its end has to be counted, or ends a turn; False for nearly all calls.
        depth: How many calls enclose it directly, in the same thread and task.
        left_ns: When the thread that ran the call for an event loop finished, 0 where none did.
        dispatch: How it was dispatched; None outside of tests.
    """

    tool: Tool = None  # type: ignore[assignment] # always passed; a field after defaults needs a default
    called_ns: int = 0
    code: CodeType | None = None
    instruction: int = 0
    thread: int = 0
    task: int = 0
    arguments: Any = None
    whole: bool = True
    identities: tuple[int, ...] = ()
    handed: tuple[Any, ...] = ()
    objects: list[Any] | None = None
    resource: str = ""
    token: Any = None
    result: Any = MISSING
    result_whole: bool = True
    result_identities: tuple[int, ...] = ()
    result_state: tuple[int, ...] = ()
    receiver: int = 0
    error: Failure = ""
    call_id: str = ""
    framework: bool = False
    around: tuple[object, ...] | None = None
    calling_task: object = None
    left_ns: int = 0
    held_size: int = 0
    long_ns: int = 0
    blocked_ns: int = 0
    body_task: int = 0
    resumed_ns: int = SUSPENDED
    defined: CodeType | None = None
    changes: bool = False
    switch: str = ""
    watched: bool = False
    depth: int = 0
    dispatch: Dispatch | None = None

    def let_go(self) -> None:
        """Hold large arguments and a large result no longer; they then count as not seen."""
        if self.result is not MISSING and evidence_size(self.result) >= LEAST_SIZE:
            self.result, self.result_whole, self.result_state = None, False, ()
        if self.arguments is not None and evidence_size(self.arguments) >= LEAST_SIZE:
            self.arguments, self.objects, self.whole = None, None, False


def release_call(call: CallNode) -> None:
    """Release the arguments and the result of *call*, whose turn is over; a later result is not held either."""
    call.finished = True
    call.arguments = call.objects = None
    call.result = MISSING
    if call.handed:
        call.handed = ()
    if call.held_size > 0:
        HELD.remove(call)


class TurnNode(Node):
    """
    An agent turn whose span is ours.

    ``trace_id`` is 0 where the span has none. ``duplicate_scopes`` names the instrumentation scopes whose spans inside
    the turn repeat what our own spans say. ``kept``, ``emptied`` and ``pending_answers`` are as in `SpanNode`.
    ``dispatch`` says what opened it, in tests only. ``outer`` is the context from before it, where it is left before a
    turn that was opened inside it. ``thread`` is the id of the thread that opened it, 0 once that is no longer inside.
    """

    name: str = ""
    agent: str = ""
    input: Content | None = None
    trace_id: int = 0
    kept: list[Node] | None = None
    emptied: bool = False
    duplicate_scopes: frozenset[str] = frozenset()
    pending_answers: Any = None
    dispatch: Dispatch | None = None
    outer: Any = None
    thread: int = msgspec.field(default_factory=get_ident)


class StepNode(Node):
    """
    A model request whose span is ours.

    ``requested`` holds the ids of the calls that the answer requests; ``messages`` holds the user's words.
    ``requested`` and ``input_tokens`` are None where unknown. ``switch`` is the setting that keeps the model from
    requesting several calls. ``dispatch`` says what asked, in tests only.
    """

    requested: tuple[str, ...] | None = None
    input_tokens: int | None = None
    messages: Content | None = None
    switch: str = ""
    dispatch: Dispatch | None = None
