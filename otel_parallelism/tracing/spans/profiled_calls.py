"""
Starts and ends the span of one decorated call, and links it into the live tree.

Every tool call runs this code, so it is optimised by hand: no context manager, one copy of the context, one small
object, no lock. An error in this package never reaches the call. An error that interrupts it, such as a time limit,
reaches the program after the span has ended and the context is restored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otel_parallelism import clock
from otel_parallelism.failures import failure_of_exception
from otel_parallelism.interruptions import is_interruption
from otel_parallelism.names import BLOCKED, QUEUE_TIME, STALLED, THREAD_ID
from otel_parallelism.tracing.sdk.compatibility.span_ends import end_interrupted
from otel_parallelism.tracing.sdk.compatibility.span_fields import id_of_any, set_start_time
from otel_parallelism.tracing.sdk.current import SPAN_KEY, attach, detach, get_current, reset, restore
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.bounds.held_evidence import LEAST_SIZE
from otel_parallelism.tracing.state.bounds.past_bound import count_end
from otel_parallelism.tracing.state.call_contents import SMALL, hold_arguments, hold_result
from otel_parallelism.tracing.state.callers import current_task, running_loop
from otel_parallelism.tracing.state.handed_objects import hold_outside, outside_objects
from otel_parallelism.tracing.state.live_tree import (
    adopt_root_call,
    count_late_node,
    link_node,
    new_span_id,
    parent_node,
)
from otel_parallelism.tracing.state.nodes import LEAST_BLOCKED_NS, MISSING, NOTICED_NS, SCOPE_KEY, CallNode
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.requested_calls import assign_call_id
from otel_parallelism.tracing.state.turn_end.ending import finish_root
from otel_parallelism.tracing.state.turn_end.releasing import discard

from . import machine_time
from .details import LEAST_QUEUE_NS, extra_attributes, write_error, write_result
from .stretches import end_stretch

if TYPE_CHECKING:
    from collections.abc import Mapping

_INTERNAL = SpanKind.INTERNAL
_OURS = 2


def task_id() -> int:
    """Return an id that is unique among the running asyncio tasks, or 0 outside of a task."""
    loop = running_loop()
    return 0 if loop is None else id(current_task(loop))


def begin(  # noqa: C901, PLR0912, PLR0915 - runs for every call: each function less saves 2 % of its cost
    node: CallNode, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> bool:
    """
    Start the span of a call whose body is about to run, and make it the current one.

    Args:
        node: The call, created when the wrapper was called: its tool, time and caller.
        args: Positional arguments, without ``self`` or ``cls``.
        kwargs: Keyword arguments.

    Returns:
        False if the package is disabled or failed; the call then runs without a span.
    """
    current: Context | None = None
    try:
        registry = REGISTRY
        if registry.disabled:
            return False
        current = get_current()
        span_around = current.get(SPAN_KEY)
        parent: Any = current.get(SCOPE_KEY)
        ours_alone = len(current) == _OURS and parent is not None and span_around is not None
        if parent is None or parent.span is not span_around:
            parent = parent_node(parent, span_around)
        node.parent = parent
        node.shift = shift = clock.shift_ns() if parent is None else parent.shift
        node.start_ns = start_ns = clock.BEGAN_NS + clock.passed_ns()
        loop = running_loop()
        if loop is not None:
            if start_ns >= machine_time.due_ns:
                machine_time.take_reading()
                node.start_ns = start_ns = clock.now_ns()
            node.task = id(current_task(loop))
        if registry.dispatch is not None:
            node.dispatch = registry.dispatch(node)
        if registry.matches_requests and parent is not None and not node.call_id:
            assign_call_id(node, parent, args, kwargs, known=node.whole)
        if registry.evidence:
            if kwargs:
                hold_arguments(node, args, kwargs)
            else:
                for value in args:
                    kind = type(value)
                    if kind not in SMALL and (kind is not str or len(value) >= LEAST_SIZE):
                        hold_arguments(node, args, kwargs)
                        break
                else:
                    node.arguments = args
        tool = node.tool
        if tool.outside is None:
            tool.outside = outside_objects(tool.function)
        if tool.outside and registry.evidence:
            hold_outside(node, tool.outside)
        attributes: dict[str, Any] = tool.attributes
        if (
            start_ns - node.called_ns >= LEAST_QUEUE_NS
            or registry.verbose
            or tool.resource_of is not None
            or node.call_id
            or node.switch
        ):
            attributes = extra_attributes(node, args, kwargs)
        node.span = span = registry.tracer.start_span(
            tool.span_name, current, _INTERNAL, attributes, None, start_ns + shift
        )
        node.span_id = span_id = id_of_any(span)
        if parent is None:
            adopt_root_call(node, span_around)
            node.watched = node.watched or node.parent is None
        else:
            # Without an SDK a tracer returns the surrounding span again, or a span without an id.
            if span is span_around or not span_id or span_id == parent.span_id:
                node.span_id = new_span_id()
            children = parent.children
            if children is not None and len(children) < parent.room:
                children.append(node)
                node.linked = True
            elif not link_node(node):
                count_late_node(node)
        if registry.by_id:
            registry.open_span(node)
        inside = {SPAN_KEY: span, SCOPE_KEY: node}
        # Inside a turn the context usually holds only these two keys, and need not be copied.
        node.token = attach(Context(inside if ours_alone else {**current, **inside}))
        return True  # noqa: TRY300 - an interruption may come before it
    except BaseException as error:  # noqa: BLE001 - a failure here must not fail the call
        node.error = "failed"
        abandon(node, error, current)
        swallow("starting a call", error)
        return False


def abandon(node: CallNode, error: BaseException, outer: Context | None = None) -> None:
    """
    End the call *node* after *error* stopped `begin`, `end` or `fail`: restore the context and end the span.

    Args:
        node: The call.
        error: What stopped them.
        outer: The context before the call, if `begin` was stopped.
    """
    token, node.token = node.token, None
    restore(token, outer)
    span, node.span = node.span, None
    try:
        node.end_ns = node.end_ns or clock.now_ns()
        REGISTRY.spans.pop(node.span_id, None)
        if node.parent is None:
            discard(node)
        elif node.watched:
            count_end(node)
        # Without an SDK, it may be the span around.
        if span is None or node.span_id or (outer is not None and span is not outer.get(SPAN_KEY)):
            end_interrupted(span, node.end_ns + node.shift, error, node.tool.attributes.cleaned)
    except Exception as failure:  # noqa: BLE001 - the call has ended
        swallow("abandoning a call", failure)


def begun_later(node: CallNode) -> None:
    """Move the start of the call *node* to now, if it waited for a thread for at least `LEAST_QUEUE_NS`."""
    now_ns = clock.now_ns()
    try:
        if now_ns - node.start_ns < LEAST_QUEUE_NS or node.end_ns or node.children:
            return
        began_ns, node.start_ns = node.start_ns, now_ns
        span = node.span
        if node.beyond and node.counted_in is not None:
            node.counted_in.move_start(began_ns, now_ns)
        # A span of another instrumentation is left as it is.
        if span is not None and span.is_recording():
            span.set_attribute(QUEUE_TIME, (now_ns - node.called_ns) / 1e9)
            # Stored spans and the live report must agree on when the call started.
            set_start_time(span, now_ns + node.shift)
    except Exception as error:  # noqa: BLE001 - the call then keeps its earlier start
        swallow("moving a call's start", error)


def leave(node: CallNode) -> Context:
    """Return the context of *node*'s call, and restore the caller's context."""
    context = get_current()
    detach(node.token)
    node.token = None
    end_stretch(node, clock.now_ns())
    return context


def end(node: CallNode, result: Any, left_ns: int = 0) -> None:  # noqa: C901 - as `begin`
    """
    End the span of a call that returned *result* (`MISSING` if the result was streamed).

    If a thread ran the call for an event loop, the call ended at *left_ns*. The time until the event loop noticed does
    not count as work, and the thread may have started the next call by then.
    """
    try:
        end_ns = clock.BEGAN_NS + clock.passed_ns()
        if left_ns and end_ns - left_ns < NOTICED_NS:
            end_ns = left_ns
        node.end_ns = end_ns
        token = node.token
        if token is not None:
            # As `detach`, without its frame.
            try:
                reset(token)
            except ValueError as error:
                if is_interruption(error):
                    raise
            # The token keeps the surrounding context alive, and the turn keeps the node.
            node.token = None
        registry = REGISTRY
        if registry.evidence and result is not MISSING and not node.finished:
            if type(result) in SMALL:
                node.result = result
            else:
                hold_result(node, result, registry.max_bytes, registry.max_items)
        span = node.span
        if node.task and (end_ns - node.resumed_ns >= LEAST_BLOCKED_NS or node.long_ns):
            _write_blocked(node, end_ns)
        if registry.verbose and registry.settings.capture_content and result is not MISSING:
            write_result(span, result)
        if registry.by_id:
            registry.spans.pop(node.span_id, None)
        if node.watched:
            _count_or_finish(node, end_ns)
        span.end(end_ns + node.shift)
        node.span = None
    except BaseException as error:  # noqa: BLE001 - the call has succeeded
        abandon(node, error)
        swallow("ending a call", error)


def _count_or_finish(node: CallNode, end_ns: int) -> None:
    """Count the end of the call *node* in the totals of its turn; without a parent, it may be a turn of its own."""
    if node.parent is None:
        finish_root(node, end_ns)
    else:
        count_end(node)


def _write_blocked(node: CallNode, end_ns: int) -> None:
    """Write on the span of the call *node* for how long it held the event loop's thread."""
    end_stretch(node, end_ns)
    stalled_ns = node.long_ns - node.blocked_ns
    if node.span.is_recording():
        times = {BLOCKED: node.blocked_ns, STALLED: stalled_ns}
        held: dict[str, float] = {name: time_ns / 1e9 for name, time_ns in times.items() if time_ns}
        node.span.set_attributes({**held, THREAD_ID: node.thread} if node.blocked_ns else held)


def fail(node: CallNode, error: BaseException) -> None:
    """End the span of a call that raised *error* or was cancelled."""
    try:
        node.end_ns = end_ns = clock.now_ns()
        node.error = failure_of_exception(error)
        if node.token is not None:
            detach(node.token)
            node.token = None
        span = node.span
        if node.task and (end_ns - node.resumed_ns >= LEAST_BLOCKED_NS or node.long_ns):
            _write_blocked(node, end_ns)
        if REGISTRY.by_id:
            REGISTRY.spans.pop(node.span_id, None)
        if span.is_recording():
            write_error(span, error)
        if node.watched:
            _count_or_finish(node, end_ns)
        span.end(end_ns + node.shift)
        node.span = None
    except BaseException as failure:  # noqa: BLE001 - the call's own error is raised
        abandon(node, failure)
        swallow("ending a failed call", failure)
